// What the products of an op are computed in, as JavaScript names it (src/backend/native/kernels/call.ts).
#pragma once
#include "../spans.h"
#include "bfloat16.h"
#include "float32.h"

namespace ISA {

enum Precision : int64_t { FLOAT32 = 0, BFLOAT16 = 1, INT8 = 2 };

/// f(arithmetic) with the one that is asked for; int8 has products with a packed weight alone (packed.h).
template <class F> inline auto inPrecision(int64_t precision, F f) {
  require(precision == FLOAT32 || precision == BFLOAT16, "there is no such precision");
  return precision == BFLOAT16 ? f(Bfloat16{}) : f(Float32{});
}

/// C [m, n] = A · B (+ C) in a precision.
template <class Epilogue>
void product(int64_t precision, int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, float *c, int64_t ldc, bool accumulate,
             const Epilogue &epilogue) {
  inPrecision(precision, [&](auto p) { gemm<decltype(p)>(m, n, k, a, b, c, ldc, accumulate, epilogue); });
}

} // namespace ISA
