// Philox4x32-10 for many counters at once: the numbers of src/common/rng.ts.
#pragma once
#include <algorithm>

#include "spans.h"
#include "vec.h"

namespace ISA {

/// High and low halves of the 64-bit products x · m.
inline void multiply(vu x, uint32_t m, vu &high, vu &low) {
#if LANES == 16
  const __m512i a = (__m512i)x, b = _mm512_set1_epi32(static_cast<int>(m));
  const __m512i even = _mm512_mul_epu32(a, b), odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), b);
  high = (vu)_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd);
  low = (vu)_mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
#elif LANES == 8
  const __m256i a = (__m256i)x, b = _mm256_set1_epi32(static_cast<int>(m));
  const __m256i even = _mm256_mul_epu32(a, b), odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), b);
  high = (vu)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
  low = (vu)_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
#else
  for (int i = 0; i < LANES; i++) {
    const uint64_t product = static_cast<uint64_t>(x[i]) * m;
    high[i] = static_cast<uint32_t>(product >> 32);
    low[i] = static_cast<uint32_t>(product);
  }
#endif
}

constexpr uint32_t DROPOUT_PURPOSE = 3; // as in src/common/rng.ts
/// Numbers that are made at once.
constexpr int GROUP = 4 * LANES;

typedef uint64_t vw __attribute__((vector_size(LANES * 4)));

/// The first or the second halves of two vectors, element by element in turn.
template <class T, int N> inline T interleave(T a, T b, bool second) {
  decltype(a == b) order; // as many signed integers
  for (int i = 0; i < N; i++) order[i] = (second ? N / 2 : 0) + i / 2 + (i % 2) * N;
  return __builtin_shuffle(a, b, order);
}

/// The numbers of LANES counters, in order: word w of counter i is element 4 · i + w.
inline void philoxGroup(const Dropout &key, vu x0, vu out[4]) {
  vu x1 = key.site - vu{}, x2 = DROPOUT_PURPOSE - vu{}, x3 = key.step - vu{};
  uint32_t k0 = key.seedLow, k1 = key.seedHigh;
#pragma GCC unroll 10
  for (int round = 0; round < 10; round++) {
    vu high0, low0, high1, low1;
    multiply(x0, 0xd2511f53u, high0, low0);
    multiply(x2, 0xcd9e8d57u, high1, low1);
    x0 = high1 ^ x1 ^ k0;
    x1 = low1;
    x2 = high0 ^ x3 ^ k1;
    x3 = low0;
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  for (int half = 0; half < 2; half++) {
    const vw a = (vw)interleave<vu, LANES>(x0, x1, half == 1), b = (vw)interleave<vu, LANES>(x2, x3, half == 1);
    out[2 * half] = (vu)interleave<vw, LANES / 2>(a, b, false);
    out[2 * half + 1] = (vu)interleave<vw, LANES / 2>(a, b, true);
  }
}

/// The counters from `block` on.
inline vu countersFrom(uint32_t block) {
  vu counters;
  for (int i = 0; i < LANES; i++) counters[i] = static_cast<uint32_t>(i);
  return counters + block;
}

/// Elements of a mask from random numbers: 0, or 1 / (1 − rate).
struct MaskValues {
  vu threshold;
  vf kept;

  explicit MaskValues(const Dropout &key)
      : threshold(static_cast<uint32_t>(key.rate * 4294967296.0) - vu{}), kept(splat<vf>(key.kept())) {}

  vf operator()(vu numbers) const { return numbers >= threshold ? kept : vf{}; }
};

/// Multiplies x [count] by the mask of the indices from `first` on: 0, or 1 / (1 − rate).
inline void applyDropout(const Dropout &key, int64_t first, int64_t count, float *x) {
  const MaskValues valueOf(key);
  vu numbers[4];
  alignas(64) float mask[GROUP];
  for (int64_t i = 0; i < count;) {
    const int64_t index = first + i;
    const int skip = static_cast<int>(index % 4);
    philoxGroup(key, countersFrom(static_cast<uint32_t>(index / 4)), numbers);
    if (skip == 0 && count - i >= GROUP) {
      for (int j = 0; j < 4; j++) {
        float *place = x + i + j * LANES;
        store(place, load<vf>(place) * valueOf(numbers[j]));
      }
      i += GROUP;
      continue;
    }
    for (int j = 0; j < 4; j++) store(mask + j * LANES, valueOf(numbers[j]));
    const int64_t many = std::min<int64_t>(GROUP - skip, count - i);
    for (int64_t j = 0; j < many; j++) x[i + j] *= mask[skip + j];
    i += many;
  }
}

} // namespace ISA
