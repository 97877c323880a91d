// Linear maps whose weight is packed once for many products, as decoding has them.
#pragma once
#include "feed-forward.h"

namespace ISA {

/// A weight [out, in] in the form that `packedLinear` reads: packed [packedSize(out, in)].
inline void packWeight(Floats weight, Floats packed, int64_t in, int64_t out, int64_t precision) {
  expect(weight, out * in, "weight");
  inPrecision(precision, [&](auto p) {
    using P = decltype(p);
    expect(packed, packedSize<P>(out, in), "packed");
    packAll<P>(transposed(weight.data, in), out, in, packed.data);
  });
}

inline double packedWeightSize(int64_t in, int64_t out, int64_t precision) {
  return inPrecision(precision, [&](auto p) { return static_cast<double>(packedSize<decltype(p)>(out, in)); });
}

/// y [rows, out] = activation(x [rows, in] · Wᵀ + bias), the bits of `linear`; without a bias where it is absent.
/// @param activation 0 for none, else 1 more than the Activation, which asks for a bias
inline void packedLinear(Floats x, Floats packed, Floats bias, Floats y, int64_t rows, int64_t in, int64_t out,
                         int64_t activation, int64_t precision) {
  expect(x, rows * in, "x");
  expect(bias, out, "bias", activation == 0);
  expect(y, rows * out, "y");
  const auto multiply = [&](const auto &epilogue) {
    inPrecision(precision, [&](auto p) {
      using P = decltype(p);
      expect(packed, packedSize<P>(out, in), "packed");
      gemmPacked<P>(rows, out, in, rowMajor(x.data, in), packed.data, y.data, out, false, epilogue);
    });
  };
  if (activation != 0) multiply(Activate{bias.data, static_cast<Activation>(activation - 1), {}, out, nullptr});
  else if (bias) multiply(AddBias{bias.data});
  else multiply(NoEpilogue{});
}

} // namespace ISA
