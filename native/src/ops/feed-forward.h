// The inner half of the feed-forward branch, h = dropout(activation(x · W₁ᵀ + b₁)), as the epilogue of its product;
// the outer half is `linear`. Backward, the epilogue of dh = dy · W₂ undoes dropout and activation.
#pragma once
#include "../philox.h"
#include "linear.h"

namespace ISA {

enum Activation : int { RELU = 0, GELU = 1 };

/// x · Φ(x) with the exact Φ, and its slope Φ(x) + x · φ(x).
inline float gelu(float x) { return 0.5f * x * (1.0f + std::erf(x * 0.70710678118654752f)); }
inline float geluSlope(float x) {
  return 0.5f * (1.0f + std::erf(x * 0.70710678118654752f)) + x * 0.3989422804014327f * std::exp(-0.5f * x * x);
}

/// max(0, x); NaN stays.
template <class V> inline V relu(V x) { return x > splat<V>(0) ? x : (x != x ? x : splat<V>(0)); }

/// Bias, activation and dropout of a tile. `before`, where it is there, keeps what GELU's slope needs.
struct Activate {
  const float *bias;
  Activation activation;
  Dropout dropout;
  int64_t width;
  float *before;

  void operator()(const Tile &tile) const {
    if (activation == RELU && dropout && tile.columns == NR && width % 4 == 0) return dropPairs(tile);
    AddBias{bias}(tile);
    tile.eachRow([&](float *c, int64_t row) {
      if (activation == RELU) {
        each(tile.columns, [&](int64_t j, auto v) { store(c + j, relu(load<decltype(v)>(c + j))); });
      } else {
        for (int j = 0; j < tile.columns; j++) {
          if (before != nullptr) before[row * width + tile.column + j] = c[j];
          c[j] = gelu(c[j]);
        }
      }
      if (dropout) applyDropout(dropout, row * width + tile.column, tile.columns, c);
    });
  }

  /// The same in registers: LANES counters are the numbers of two rows of the tile.
  void dropPairs(const Tile &tile) const {
    const MaskValues valueOf(dropout);
    const vf bias0 = load<vf>(bias + tile.column), bias1 = load<vf>(bias + tile.column + LANES);
    const vu lanes = countersFrom(0);
    for (int i = 0; i < tile.rows; i += 2) {
      const uint32_t first = static_cast<uint32_t>(((tile.row + i) * width + tile.column) / 4);
      const uint32_t second = static_cast<uint32_t>(((tile.row + i + 1) * width + tile.column) / 4);
      vu numbers[4];
      philoxGroup(dropout, lanes < LANES / 2 ? lanes + first : lanes - LANES / 2 + second, numbers);
      for (int r = 0; r < 2 && i + r < tile.rows; r++) {
        float *c = tile.c + (i + r) * tile.ldc;
        store(c, relu(load<vf>(c) + bias0) * valueOf(numbers[2 * r]));
        store(c + LANES, relu(load<vf>(c + LANES) + bias1) * valueOf(numbers[2 * r + 1]));
      }
    }
  }
};

/// dx of the sum before the activation, from dh: ReLU's slope shows in h itself, which is 0 where it was cut or dropped.
struct Deactivate {
  const float *kept; // h for ReLU, the sum before the activation for GELU
  Activation activation;
  Dropout dropout;
  int64_t width;

  void operator()(const Tile &tile) const {
    const float scale = dropout ? dropout.kept() : 1.0f;
    tile.eachRow([&](float *c, int64_t row) {
      const float *other = kept + row * width + tile.column;
      if (activation == RELU) {
        each(tile.columns, [&](int64_t j, auto v) {
          using V = decltype(v);
          const V h = load<V>(other + j);
          store(c + j, h > splat<V>(0) ? load<V>(c + j) * splat<V>(scale) : (h != h ? h : splat<V>(0)));
        });
        return;
      }
      if (dropout) applyDropout(dropout, row * width + tile.column, tile.columns, c);
      for (int j = 0; j < tile.columns; j++) c[j] *= geluSlope(other[j]);
    });
  }
};

/// @param before [rows, inner] for GELU, absent for ReLU
inline void feedForwardInner(Floats x, Floats weight, Floats bias, Floats h, Floats before, int64_t rows, int64_t width,
                             int64_t inner, int64_t activation, Dropout dropout, int64_t precision) {
  expect(x, rows * width, "x");
  expect(weight, inner * width, "weight");
  expect(bias, inner, "bias");
  expect(h, rows * inner, "h");
  expect(before, rows * inner, "before", true);
  const Activate epilogue{bias.data, static_cast<Activation>(activation), dropout, inner, before.data};
  product(precision, rows, inner, width, rowMajor(x.data, width), transposed(weight.data, width), h.data, inner, false,
          epilogue);
}

/// dInner [rows, inner] = (dy · W₂) through dropout and activation.
inline void feedForwardInnerGradient(Floats dy, Floats weight, Floats kept, Floats dInner, int64_t rows, int64_t width,
                                     int64_t inner, int64_t activation, Dropout dropout, int64_t precision) {
  expect(dy, rows * width, "dy");
  expect(weight, width * inner, "weight");
  expect(kept, rows * inner, "kept");
  expect(dInner, rows * inner, "dInner");
  const Deactivate epilogue{kept.data, static_cast<Activation>(activation), dropout, inner};
  product(precision, rows, inner, width, rowMajor(dy.data, width), rowMajor(weight.data, inner), dInner.data, inner, false,
          epilogue);
}

} // namespace ISA
