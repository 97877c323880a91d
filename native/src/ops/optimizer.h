// Adam and RAdam on one tensor in one pass, moving averages, and the norm of gradients.
#pragma once
#include "../spans.h"
#include "linear.h"

namespace ISA {

/**
 * m = β₁m + (1−β₁)g, v = β₂v + (1−β₂)g², p −= decay · p, p −= step · m / (√v + ε), with g = gradient · scale.
 * Overwrites p, m and v. step 0 takes no step beside the decay, decay 0 none of it; with a scale that is not finite all
 * three stay.
 */
inline void adam(Floats p, Floats gradient, Floats m, Floats v, Floats scale, double beta1, double beta2, double step,
                 double epsilon, double decay) {
  expect(gradient, p.size, "gradient");
  expect(m, p.size, "m");
  expect(v, p.size, "v");
  expect(scale, 1, "scale");
  if (!std::isfinite(scale[0])) return;
  const float factor = scale[0], b1 = static_cast<float>(beta1), b2 = static_cast<float>(beta2);
  const float n1 = static_cast<float>(1 - beta1), n2 = static_cast<float>(1 - beta2), s = static_cast<float>(step);
  const float eps = static_cast<float>(epsilon), keep = static_cast<float>(1 - decay);
  parallel(p.size, 32768, [&](int64_t begin, int64_t end) {
    each(end - begin, [&](int64_t i, auto lane) {
      using V = decltype(lane);
      const int64_t at = begin + i;
      const V g = load<V>(gradient.data + at) * splat<V>(factor);
      const V first = load<V>(m.data + at) * splat<V>(b1) + g * splat<V>(n1);
      const V second = load<V>(v.data + at) * splat<V>(b2) + g * g * splat<V>(n2);
      store(m.data + at, first);
      store(v.data + at, second);
      V next = load<V>(p.data + at) * splat<V>(keep);
      if (s != 0) {
        V root = second;
        if constexpr (sizeof(V) == sizeof(float)) root = std::sqrt(second);
        else
          for (int lane = 0; lane < LANES; lane++) root[lane] = std::sqrt(second[lane]);
        next -= first * splat<V>(s) / (root + splat<V>(eps));
      }
      store(p.data + at, next);
    });
  });
}

/// average += share · (parameter − average), in place.
inline void movingAverage(Floats average, Floats parameter, double share) {
  expect(parameter, average.size, "parameter");
  const float part = static_cast<float>(share);
  parallel(average.size, 32768, [&](int64_t begin, int64_t end) {
    each(end - begin, [&](int64_t i, auto lane) {
      using V = decltype(lane);
      const V before = load<V>(average.data + begin + i);
      store(average.data + begin + i, before + splat<V>(part) * (load<V>(parameter.data + begin + i) - before));
    });
  });
}

/// Σ x² in double precision, in blocks whose sums are added in order.
inline double sumOfSquares(Floats x) {
  constexpr int64_t BLOCK = 16384;
  const int64_t blocks = (x.size + BLOCK - 1) / BLOCK;
  double *sums = reinterpret_cast<double *>(scratch(Use::partials, 2 * blocks));
  parallel(blocks, 4, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; block++) {
      double total = 0;
      for (int64_t part = block * BLOCK; part < std::min(x.size, (block + 1) * BLOCK); part += 512) {
        vf squares = {};
        float tail = 0;
        each(std::min<int64_t>(512, x.size - part), [&](int64_t j, auto v) {
          if constexpr (sizeof v == sizeof squares) squares += load<vf>(x.data + part + j) * load<vf>(x.data + part + j);
          else tail += x[part + j] * x[part + j];
        });
        total += static_cast<double>(sum(squares)) + tail;
      }
      sums[block] = total;
    }
  });
  double total = 0;
  for (int64_t block = 0; block < blocks; block++) total += sums[block];
  return total;
}

} // namespace ISA
