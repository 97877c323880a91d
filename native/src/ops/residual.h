// A residual sublayer in one pass over its rows:
//   z = x · α · ω + gate · dropout(f),  y = LN(z) · gain + bias, or y = z.
// Every scheme is a case of it: ω for Admin, α for DeepNorm, gate for ReZero, no norm for Pre-LN and ReZero.
#pragma once
#include "../philox.h"
#include "../spans.h"
#include "linear.h"

namespace ISA {

constexpr float LAYER_NORM_EPSILON = 1e-5f;

/// Normalises a row in place to mean 0 and variance 1, keeps it in `normal`, and writes it times gain plus bias.
inline float normalizeRow(const float *z, float *normal, const float *gain, const float *bias, float *y, int64_t width) {
  vf sums = {};
  float tail = 0;
  each(width, [&](int64_t j, auto v) {
    if constexpr (sizeof v == sizeof sums) sums += load<vf>(z + j);
    else tail += z[j];
  });
  const float mean = (sum(sums) + tail) / static_cast<float>(width);
  sums = vf{};
  tail = 0;
  each(width, [&](int64_t j, auto v) {
    using V = decltype(v);
    const V centred = load<V>(z + j) - splat<V>(mean);
    if constexpr (sizeof v == sizeof sums) sums += centred * centred;
    else tail += centred * centred;
  });
  const float inverse = 1.0f / std::sqrt((sum(sums) + tail) / static_cast<float>(width) + LAYER_NORM_EPSILON);
  each(width, [&](int64_t j, auto v) {
    using V = decltype(v);
    const V x = (load<V>(z + j) - splat<V>(mean)) * splat<V>(inverse);
    store(normal + j, x);
    store(y + j, x * load<V>(gain + j) + load<V>(bias + j));
  });
  return inverse;
}

/// dz of a row from dy: inverse · (dy·gain − mean(dy·gain) − normal · mean(dy·gain·normal)).
inline void normalizeRowGradient(const float *dy, const float *normal, const float *gain, float inverse, float *dz,
                                 int64_t width) {
  vf sums = {}, slopes = {};
  float tailSum = 0, tailSlope = 0;
  each(width, [&](int64_t j, auto v) {
    using V = decltype(v);
    const V scaled = load<V>(dy + j) * load<V>(gain + j);
    if constexpr (sizeof v == sizeof sums) {
      sums += scaled;
      slopes += scaled * load<V>(normal + j);
    } else {
      tailSum += scaled;
      tailSlope += scaled * normal[j];
    }
  });
  const float mean = (sum(sums) + tailSum) / static_cast<float>(width);
  const float slope = (sum(slopes) + tailSlope) / static_cast<float>(width);
  each(width, [&](int64_t j, auto v) {
    using V = decltype(v);
    const V scaled = load<V>(dy + j) * load<V>(gain + j);
    store(dz + j, splat<V>(inverse) * (scaled - splat<V>(mean) - load<V>(normal + j) * splat<V>(slope)));
  });
}

/// Rows whose column sums are one partial sum; the partial sums are added in order.
constexpr int64_t ROW_BLOCK = 64;

/// @param omega [width] or absent, gate [1] or absent
/// @param gain, bias [width], normal [rows, width], inverse [rows]: all present (LN) or all absent (y = z)
inline void residual(Floats x, Floats f, Floats omega, Floats gate, Floats gain, Floats bias, Floats y, Floats normal,
                     Floats inverse, int64_t rows, int64_t width, double alpha, Dropout dropout) {
  expect(x, rows * width, "x");
  expect(f, rows * width, "f");
  expect(omega, width, "omega", true);
  expect(gate, 1, "gate", true);
  expect(gain, width, "gain", true);
  expect(bias, width, "bias", !gain);
  expect(y, rows * width, "y");
  expect(normal, rows * width, "normal", !gain);
  expect(inverse, rows, "inverse", !gain);
  const float scale = static_cast<float>(alpha), weight = gate ? gate[0] : 1.0f;
  parallel(rows, rowsOf(16384, width), [&](int64_t begin, int64_t end) {
    float *z = scratch(Use::scores, width);
    for (int64_t row = begin; row < end; row++) {
      memcpy(z, f.data + row * width, sizeof(float) * width);
      if (dropout) applyDropout(dropout, row * width, width, z);
      float *sum = gain ? z : y.data + row * width;
      each(width, [&](int64_t j, auto v) {
        using V = decltype(v);
        V shortcut = load<V>(x.data + row * width + j) * splat<V>(scale);
        if (omega) shortcut = shortcut * load<V>(omega.data + j);
        store(sum + j, shortcut + splat<V>(weight) * load<V>(z + j));
      });
      if (gain) inverse[row] = normalizeRow(z, normal.data + row * width, gain.data, bias.data, y.data + row * width, width);
    }
  });
}

/// The gradient of `residual`; what is absent in the forward pass is absent here.
inline void residualGradient(Floats dy, Floats x, Floats f, Floats omega, Floats gate, Floats gain, Floats normal,
                             Floats inverse, Floats dx, Floats df, Floats dOmega, Floats dGate, Floats dGain, Floats dBias,
                             int64_t rows, int64_t width, double alpha, Dropout dropout) {
  expect(dy, rows * width, "dy");
  expect(x, rows * width, "x", !omega);
  expect(f, rows * width, "f", !gate);
  expect(omega, width, "omega", true);
  expect(gain, width, "gain", true);
  expect(normal, rows * width, "normal", !gain);
  expect(inverse, rows, "inverse", !gain);
  expect(dx, rows * width, "dx");
  expect(df, rows * width, "df");
  expect(dOmega, width, "dOmega", !omega);
  expect(dGate, 1, "dGate", !gate);
  expect(dGain, width, "dGain", !gain);
  expect(dBias, width, "dBias", !gain);
  const float scale = static_cast<float>(alpha), weight = gate ? gate[0] : 1.0f;
  const int64_t blocks = (rows + ROW_BLOCK - 1) / ROW_BLOCK, stride = 3 * width + 1;
  float *partials = scratch(Use::partials, blocks * stride);
  parallel(blocks, 1, [&](int64_t begin, int64_t end) {
    float *dz = scratch(Use::scores, 2 * width), *branch = dz + width;
    for (int64_t block = begin; block < end; block++) {
      float *gainSum = partials + block * stride, *biasSum = gainSum + width, *omegaSum = biasSum + width,
            *gateSum = omegaSum + width;
      memset(gainSum, 0, sizeof(float) * stride);
      for (int64_t row = block * ROW_BLOCK; row < std::min(rows, (block + 1) * ROW_BLOCK); row++) {
        const float *d = dy.data + row * width;
        if (gain) {
          const float *n = normal.data + row * width;
          normalizeRowGradient(d, n, gain.data, inverse[row], dz, width);
          each(width, [&](int64_t j, auto v) {
            using V = decltype(v);
            store(gainSum + j, load<V>(gainSum + j) + load<V>(d + j) * load<V>(n + j));
            store(biasSum + j, load<V>(biasSum + j) + load<V>(d + j));
          });
          d = dz;
        }
        float *out = df.data + row * width;
        each(width, [&](int64_t j, auto v) {
          using V = decltype(v);
          const V slope = load<V>(d + j);
          V shortcut = slope * splat<V>(scale);
          if (omega) {
            store(omegaSum + j, load<V>(omegaSum + j) + shortcut * load<V>(x.data + row * width + j));
            shortcut = shortcut * load<V>(omega.data + j);
          }
          store(dx.data + row * width + j, shortcut);
          store(out + j, splat<V>(weight) * slope);
        });
        if (gate) {
          memcpy(branch, f.data + row * width, sizeof(float) * width);
          if (dropout) applyDropout(dropout, row * width, width, branch);
          for (int64_t j = 0; j < width; j++) *gateSum += branch[j] * d[j];
        }
        if (dropout) applyDropout(dropout, row * width, width, out);
      }
    }
  });
  if (gain) {
    addPartials(partials, blocks, stride, dGain);
    addPartials(partials + width, blocks, stride, dBias);
  }
  if (omega) addPartials(partials + 2 * width, blocks, stride, dOmega);
  if (gate) addPartials(partials + 3 * width, blocks, stride, dGate);
}

/// y = LN(x) · gain + bias by itself (Pre-LN).
inline void layerNorm(Floats x, Floats gain, Floats bias, Floats y, Floats normal, Floats inverse, int64_t rows,
                      int64_t width) {
  expect(x, rows * width, "x");
  expect(gain, width, "gain");
  expect(bias, width, "bias");
  expect(y, rows * width, "y");
  expect(normal, rows * width, "normal");
  expect(inverse, rows, "inverse");
  parallel(rows, rowsOf(16384, width), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++)
      inverse[row] =
          normalizeRow(x.data + row * width, normal.data + row * width, gain.data, bias.data, y.data + row * width, width);
  });
}

inline void layerNormGradient(Floats dy, Floats normal, Floats inverse, Floats gain, Floats dx, Floats dGain, Floats dBias,
                              int64_t rows, int64_t width) {
  expect(dy, rows * width, "dy");
  expect(normal, rows * width, "normal");
  expect(inverse, rows, "inverse");
  expect(gain, width, "gain");
  expect(dx, rows * width, "dx");
  expect(dGain, width, "dGain");
  expect(dBias, width, "dBias");
  const int64_t blocks = (rows + ROW_BLOCK - 1) / ROW_BLOCK, stride = 2 * width;
  float *partials = scratch(Use::partials, blocks * stride);
  parallel(blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; block++) {
      float *gainSum = partials + block * stride, *biasSum = gainSum + width;
      memset(gainSum, 0, sizeof(float) * stride);
      for (int64_t row = block * ROW_BLOCK; row < std::min(rows, (block + 1) * ROW_BLOCK); row++) {
        const float *d = dy.data + row * width, *n = normal.data + row * width;
        normalizeRowGradient(d, n, gain.data, inverse[row], dx.data + row * width, width);
        each(width, [&](int64_t j, auto v) {
          using V = decltype(v);
          store(gainSum + j, load<V>(gainSum + j) + load<V>(d + j) * load<V>(n + j));
          store(biasSum + j, load<V>(biasSum + j) + load<V>(d + j));
        });
      }
    }
  });
  addPartials(partials, blocks, stride, dGain);
  addPartials(partials + width, blocks, stride, dBias);
}

} // namespace ISA
