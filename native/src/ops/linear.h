// y = x · Wᵀ + b and its gradient, W [out, in] as PyTorch lays it out; the general product; sums of columns.
#pragma once
#include "../spans.h"
#include "precision.h"

namespace ISA {

/// C [m, n] = op(A) · op(B) for each of `batch` pairs; a stride of 0 uses one operand for all.
inline void matMul(Floats a, Floats b, Floats c, int64_t batch, int64_t m, int64_t n, int64_t k, int64_t strideA,
                   int64_t strideB, bool transposeA, bool transposeB) {
  expect(a, strideA == 0 ? m * k : batch * m * k, "a");
  expect(b, strideB == 0 ? k * n : batch * k * n, "b");
  expect(c, batch * m * n, "c");
  for (int64_t i = 0; i < batch; i++) {
    const float *left = a.data + i * strideA, *right = b.data + i * strideB;
    gemm<Float32>(m, n, k, transposeA ? transposed(left, m) : rowMajor(left, k),
                  transposeB ? transposed(right, k) : rowMajor(right, n), c.data + i * m * n, n, false, NoEpilogue{});
  }
}

/// y [rows, out] = x [rows, in] · Wᵀ + bias; without a bias where it is absent.
inline void linear(Floats x, Floats weight, Floats bias, Floats y, int64_t rows, int64_t in, int64_t out,
                   int64_t precision) {
  expect(x, rows * in, "x");
  expect(weight, out * in, "weight");
  expect(bias, out, "bias", true);
  expect(y, rows * out, "y");
  const auto multiply = [&](const auto &epilogue) {
    product(precision, rows, out, in, rowMajor(x.data, in), transposed(weight.data, in), y.data, out, false, epilogue);
  };
  if (bias) multiply(AddBias{bias.data});
  else multiply(NoEpilogue{});
}

/// Adds the rows of partial sums [blocks, width] in order.
inline void addPartials(const float *partial, int64_t blocks, int64_t stride, Floats out) {
  memset(out.data, 0, sizeof(float) * out.size);
  for (int64_t block = 0; block < blocks; block++)
    each(out.size, [&](int64_t j, auto v) {
      using V = decltype(v);
      store(out.data + j, load<V>(out.data + j) + load<V>(partial + block * stride + j));
    });
}

/// out [columns] = Σ over the rows of x [rows, columns], in blocks of rows whose sums are added in order.
inline void columnSums(Floats x, Floats out, int64_t rows, int64_t columns) {
  expect(x, rows * columns, "x");
  expect(out, columns, "out");
  constexpr int64_t BLOCK = 128;
  const int64_t blocks = (rows + BLOCK - 1) / BLOCK;
  float *partial = scratch(Use::partials, blocks * columns);
  parallel(blocks, rowsOf(65536, BLOCK * columns), [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; block++) {
      float *sums = partial + block * columns;
      memset(sums, 0, sizeof(float) * columns);
      for (int64_t row = block * BLOCK; row < std::min(rows, (block + 1) * BLOCK); row++)
        each(columns, [&](int64_t j, auto v) {
          using V = decltype(v);
          store(sums + j, load<V>(sums + j) + load<V>(x.data + row * columns + j));
        });
    }
  });
  addPartials(partial, blocks, columns, out);
}

/// From dy [rows, out]: dx = dy · W, dW = dyᵀ · x, dbias = Σ dy; each is left out where it is absent.
inline void linearGradient(Floats dy, Floats x, Floats weight, Floats dx, Floats dWeight, Floats dBias, int64_t rows,
                           int64_t in, int64_t out, int64_t precision) {
  expect(dy, rows * out, "dy");
  expect(x, rows * in, "x");
  expect(weight, out * in, "weight");
  expect(dx, rows * in, "dx", true);
  expect(dWeight, out * in, "dWeight", true);
  const auto multiply = [&](int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, Floats c) {
    product(precision, m, n, k, a, b, c.data, n, false, NoEpilogue{});
  };
  if (dx) multiply(rows, in, out, rowMajor(dy.data, out), rowMajor(weight.data, in), dx);
  if (dWeight) multiply(out, in, rows, transposed(dy.data, out), rowMajor(x.data, in), dWeight);
  if (dBias) columnSums(dy, dBias, rows, out);
}

} // namespace ISA
