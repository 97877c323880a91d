// The inner half of the feed-forward branch, h = dropout(activation(x · W₁ᵀ + b₁)), as the epilogue of its product;
// the outer half is `linear`. Backward, the epilogue of dh = dy · W₂ undoes dropout and activation.
#pragma once
#include "../philox.h"
#include "linear.h"

namespace ISA {

enum Activation : int { RELU = 0, GELU = 1 };

/// Abramowitz and Stegun's 7.1.26 is not exact enough for gradients; this is Cephes' erff split at 1.
inline float errorFunction(float x) { return std::erf(x); }

inline float gelu(float x) { return 0.5f * x * (1.0f + errorFunction(x * 0.70710678118654752f)); }
inline float geluSlope(float x) {
  return 0.5f * (1.0f + errorFunction(x * 0.70710678118654752f)) + x * 0.3989422804014327f * std::exp(-0.5f * x * x);
}

/// Bias, activation and dropout of a row of a tile. `before`, where it is there, keeps what GELU's slope needs.
struct Activate {
  const float *bias;
  Activation activation;
  Dropout dropout;
  int64_t width;
  float *before;

  void operator()(float *c, int64_t row, int64_t column, int count) const {
    AddBias{bias}(c, row, column, count);
    if (activation == RELU) {
      each(count, [&](int64_t j, auto v) {
        using V = decltype(v);
        const V x = load<V>(c + j);
        store(c + j, x > splat<V>(0) ? x : (x != x ? x : splat<V>(0)));
      });
    } else {
      for (int j = 0; j < count; j++) {
        if (before != nullptr) before[row * width + column + j] = c[j];
        c[j] = gelu(c[j]);
      }
    }
    if (dropout) applyDropout(dropout, row * width + column, count, c);
  }
};

/// dx of the sum before the activation, from dh: ReLU's slope shows in h itself, which is 0 where it was cut or dropped.
struct Deactivate {
  const float *kept; // h for ReLU, the sum before the activation for GELU
  Activation activation;
  Dropout dropout;
  int64_t width;

  void operator()(float *c, int64_t row, int64_t column, int count) const {
    const float *other = kept + row * width + column;
    if (activation == RELU) {
      const float scale = dropout ? dropout.kept() : 1.0f;
      each(count, [&](int64_t j, auto v) {
        using V = decltype(v);
        const V h = load<V>(other + j);
        store(c + j, h > splat<V>(0) ? load<V>(c + j) * splat<V>(scale) : (h != h ? h : splat<V>(0)));
      });
      return;
    }
    if (dropout) applyDropout(dropout, row * width + column, count, c);
    for (int j = 0; j < count; j++) c[j] *= geluSlope(other[j]);
  }
};

/// @param before [rows, inner] for GELU, absent for ReLU
inline void feedForwardInner(Floats x, Floats weight, Floats bias, Floats h, Floats before, int64_t rows, int64_t width,
                             int64_t inner, int64_t activation, Dropout dropout) {
  expect(x, rows * width, "x");
  expect(weight, inner * width, "weight");
  expect(bias, inner, "bias");
  expect(h, rows * inner, "h");
  expect(before, rows * inner, "before", true);
  const Activate epilogue{bias.data, static_cast<Activation>(activation), dropout, inner, before.data};
  gemm(rows, inner, width, rowMajor(x.data, width), transposed(weight.data, width), h.data, inner, false, epilogue);
}

/// dInner [rows, inner] = (dy · W₂) through dropout and activation.
inline void feedForwardInnerGradient(Floats dy, Floats weight, Floats kept, Floats dInner, int64_t rows, int64_t width,
                                     int64_t inner, int64_t activation, Dropout dropout) {
  expect(dy, rows * width, "dy");
  expect(weight, width * inner, "weight");
  expect(kept, rows * inner, "kept");
  expect(dInner, rows * inner, "dInner");
  const Deactivate epilogue{kept.data, static_cast<Activation>(activation), dropout, inner};
  gemm(rows, inner, width, rowMajor(dy.data, width), rowMajor(weight.data, inner), dInner.data, inner, false, epilogue);
}

} // namespace ISA
