// Output projection and label-smoothed cross-entropy, with the gradient computed on the way: logits exist for one block
// of rows at a time and are never held for the whole batch.
//
//   loss_t = (1 − ε) · nll_t + ε/V · Σ_j −log p_tj,   dlogits = p − ε/V − (1 − ε) · [j = target]
#pragma once
#include "../spans.h"
#include "linear.h"

namespace ISA {

/// Rows of logits at a time: 512 · 8 000 floats stay in the last cache, or nearly.
constexpr int64_t LOSS_BLOCK = 512;

/// A row of logits becomes its gradient (where it is asked for). Returns loss and nll.
inline void lossRow(float *logits, int64_t size, int32_t target, float epsilon, bool gradient, double &loss, double &nll) {
  vf tops = splat<vf>(-std::numeric_limits<float>::infinity()), sums = {};
  float top = -std::numeric_limits<float>::infinity(), all = 0;
  each(size, [&](int64_t j, auto v) {
    if constexpr (sizeof v == sizeof tops) {
      const vf x = load<vf>(logits + j);
      tops = x > tops ? x : tops;
      sums += x;
    } else {
      top = larger(logits[j], top);
      all += logits[j];
    }
  });
  top = larger(largest(tops), top);
  all += sum(sums);
  const float atTarget = logits[target];
  sums = vf{};
  float total = 0;
  each(size, [&](int64_t j, auto v) {
    using V = decltype(v);
    const V e = exponential(load<V>(logits + j) - splat<V>(top));
    store(logits + j, e);
    if constexpr (sizeof v == sizeof sums) sums += e;
    else total += e;
  });
  total += sum(sums);
  const double logPartition = static_cast<double>(top) + std::log(static_cast<double>(total));
  nll = logPartition - atTarget;
  loss = (1.0 - epsilon) * nll + epsilon * (logPartition - static_cast<double>(all) / static_cast<double>(size));
  if (!gradient) return;
  const float inverse = 1.0f / total, smooth = epsilon / static_cast<float>(size);
  each(size, [&](int64_t j, auto v) {
    using V = decltype(v);
    store(logits + j, load<V>(logits + j) * splat<V>(inverse) - splat<V>(smooth));
  });
  logits[target] -= 1.0f - epsilon;
}

/**
 * losses [2] = Σ loss, Σ nll. With dHidden and dWeight, both or none, also the gradient of the first.
 */
inline void crossEntropy(Floats hidden, Floats weight, Ints targets, Floats losses, Floats dHidden, Floats dWeight,
                         int64_t rows, int64_t width, int64_t size, double epsilon, int64_t precision) {
  expect(hidden, rows * width, "hidden");
  expect(weight, size * width, "weight");
  expect(targets, rows, "targets");
  expect(losses, 2, "losses");
  expect(dHidden, rows * width, "dHidden", true);
  expect(dWeight, size * width, "dWeight", !dHidden);
  for (int64_t i = 0; i < rows; i++)
    require(targets[i] >= 0 && targets[i] < size, "a target lies outside of the vocabulary");
  if (dWeight && rows == 0) memset(dWeight.data, 0, sizeof(float) * dWeight.size);
  double loss = 0, nll = 0;
  inPrecision(precision, [&](auto p) {
    using P = decltype(p);
    // The weight is packed once for all blocks, in the form of either product.
    float *forward = scratch(Use::packedB, packedSize<P>(size, width)), *backward = nullptr;
    packAll<P>(transposed(weight.data, width), size, width, forward);
    if (dHidden)
      packAll<P>(rowMajor(weight.data, width), width, size,
                 backward = scratch(Use::packedWeight, packedSize<P>(width, size)));
    float *logits = scratch(Use::logits, std::min(rows, LOSS_BLOCK) * size);
    float *rowsPacked = scratch(Use::partials, packedSize<P>(width, LOSS_BLOCK));
    double rowLosses[2 * LOSS_BLOCK];
    for (int64_t first = 0; first < rows; first += LOSS_BLOCK) {
      const int64_t count = std::min(LOSS_BLOCK, rows - first);
      const float *block = hidden.data + first * width;
      gemmPacked<P>(count, size, width, rowMajor(block, width), forward, logits, size, false, NoEpilogue{});
      parallel(count, rowsOf(16384, size), [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; row++)
          lossRow(logits + row * size, size, targets[first + row], static_cast<float>(epsilon), static_cast<bool>(dHidden),
                  rowLosses[2 * row], rowLosses[2 * row + 1]);
      });
      for (int64_t row = 0; row < count; row++) {
        loss += rowLosses[2 * row];
        nll += rowLosses[2 * row + 1];
      }
      if (!dHidden) continue;
      gemmPacked<P>(count, width, size, rowMajor(logits, size), backward, dHidden.data + first * width, width, false,
                    NoEpilogue{});
      packAll<P>(rowMajor(block, width), width, count, rowsPacked);
      gemmPacked<P>(size, width, count, transposed(logits, size), rowsPacked, dWeight.data, width, first > 0, NoEpilogue{});
    }
  });
  losses[0] = static_cast<float>(loss);
  losses[1] = static_cast<float>(nll);
}

} // namespace ISA
