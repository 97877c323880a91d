// Linear maps whose weight is packed once for many products, as decoding has them.
#pragma once
#include "feed-forward.h"
#include "int8.h"

namespace ISA {

/// Floats of a packed weight.
inline double packedWeightSize(int64_t in, int64_t out, int64_t precision) {
  if (precision == INT8) return static_cast<double>(packedInt8Size(out, in));
  return inPrecision(precision, [&](auto p) { return static_cast<double>(packedSize<decltype(p)>(out, in)); });
}

/// A weight [out, in] in the form that `packedLinear` reads.
inline void packWeight(Floats weight, Floats packed, int64_t in, int64_t out, int64_t precision) {
  expect(weight, out * in, "weight");
  expect(packed, static_cast<int64_t>(packedWeightSize(in, out, precision)), "packed");
  if (precision == INT8) return packInt8(weight.data, packed.data, in, out);
  inPrecision(precision, [&](auto p) { packAll<decltype(p)>(transposed(weight.data, in), out, in, packed.data); });
}

/// y [rows, out] = activation(x [rows, in] · Wᵀ + bias); without a bias where it is absent. The bits of `linear`, where that has
/// the precision.
/// @param activation 0 for none, else 1 more than the Activation, which asks for a bias
inline void packedLinear(Floats x, Floats packed, Floats bias, Floats y, int64_t rows, int64_t in, int64_t out,
                         int64_t activation, int64_t precision) {
  expect(x, rows * in, "x");
  expect(bias, out, "bias", activation == 0);
  expect(y, rows * out, "y");
  expect(packed, static_cast<int64_t>(packedWeightSize(in, out, precision)), "packed");
  const auto multiply = [&](const auto &epilogue) {
    if (precision == INT8) return int8Product(x.data, packed.data, y.data, rows, in, out, epilogue);
    inPrecision(precision, [&](auto p) {
      gemmPacked<decltype(p)>(rows, out, in, rowMajor(x.data, in), packed.data, y.data, out, false, epilogue);
    });
  };
  if (activation != 0) multiply(Activate{bias.data, static_cast<Activation>(activation - 1), {}, out, nullptr});
  else if (bias) multiply(AddBias{bias.data});
  else multiply(NoEpilogue{});
}

} // namespace ISA
