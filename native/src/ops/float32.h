// Products of float32: an element is a sum over k in order, in blocks of KC whose sums are added in order.
#pragma once
#include "gemm.h"

namespace ISA {

struct Float32 {
  static constexpr int DEPTH = 1;
  static int64_t units(int64_t depth) { return depth; }
  static float unit(Matrix a, int64_t i, int64_t p, int64_t) { return a.data[i * a.rows + p * a.columns]; }
  static vf row(const float *from) { return load<vf>(from); }
  template <int width> static void packColumn(const float *from, int64_t, float *out) {
    memcpy(out, from, sizeof(float) * width);
  }

  /// c [MR, NR] = Σ_p a [p, MR] · b [p, NR] (+ c).
  static void tile(int64_t units, const float *__restrict a, const float *__restrict b, float *__restrict c, int64_t ldc,
                   bool accumulate) {
    vf sums[MR][2] = {};
    for (int64_t p = 0; p < units; p++) {
      const vf b0 = load<vf>(b), b1 = load<vf>(b + LANES);
#pragma GCC unroll 14
      for (int i = 0; i < MR; i++) {
        const vf x = splat<vf>(a[i]);
        sums[i][0] += x * b0;
        sums[i][1] += x * b1;
      }
      a += MR;
      b += NR;
    }
#pragma GCC unroll 14
    for (int i = 0; i < MR; i++) {
      float *row = c + i * ldc;
      if (accumulate) {
        sums[i][0] += load<vf>(row);
        sums[i][1] += load<vf>(row + LANES);
      }
      store(row, sums[i][0]);
      store(row + LANES, sums[i][1]);
    }
  }
};

} // namespace ISA
