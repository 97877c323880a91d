// Products of bfloat16 with sums in float32, as VDPBF16PS computes them (docs/precision.md): operands are rounded to nearest,
// ties to even, while they are packed; an element is one chain over k, two products at a time, the odd one first,
//
//   s ← fma(a₂ₚ₊₁, b₂ₚ₊₁, s),  s ← fma(a₂ₚ, b₂ₚ, s)
//
// which starts from C where the product is added to it. Numbers below the normal ones count as 0, as operands, sums and
// results. The paths below give the same bits.
#pragma once
#include "gemm.h"

#if defined(__AVX512BF16__) && LANES == 16
#define BFLOAT16_UNIT 1
#endif

namespace ISA {

typedef uint16_t vu16 __attribute__((vector_size(LANES * 4)));

/// The bits of x rounded to bfloat16, in the upper half; below are leftovers.
inline vu roundedBits(vf x) {
  vu u;
  memcpy(&u, &x, sizeof x);
  const vu rounded = u + 0x7fff + ((u >> 16) & 1);
  const vu tiny = (vu)((u & 0x7f800000) == 0);
  const vu nan = (vu)(x != x);
  return (rounded & ~tiny & ~nan) | (u & 0x80000000 & tiny) | ((u | 0x00400000) & nan);
}
inline uint32_t roundedBits(float x) {
  uint32_t u;
  memcpy(&u, &x, sizeof x);
  if (x != x) return u | 0x00400000;
  return (u & 0x7f800000) == 0 ? u & 0x80000000 : u + 0x7fff + ((u >> 16) & 1);
}

#if !defined(BFLOAT16_UNIT) && defined(__AVX2__)
/// While it lives, numbers below the normal ones count as 0 on this thread.
class FlushDenormals {
 public:
  FlushDenormals() : before(_mm_getcsr()) { _mm_setcsr(before | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(before); }
  FlushDenormals(const FlushDenormals &) = delete;

 private:
  unsigned before;
};
#endif

#if !defined(BFLOAT16_UNIT) && !defined(__AVX2__)
/// fma(a, b, s) with numbers below the normal ones as 0, without an instruction for it: the product is exact in double, the
/// sum is rounded to odd, so that rounding it to float rounds once.
inline float fusedMultiplyAdd(float a, float b, float s) {
  const auto flushed = [](float x) { return std::fabs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x; };
  const double product = static_cast<double>(flushed(a)) * flushed(b), addend = flushed(s);
  double sum = product + addend;
  if (!std::isfinite(sum)) return static_cast<float>(sum);
  const double part = sum - product, rest = (product - (sum - part)) + (addend - part);
  int64_t image;
  memcpy(&image, &sum, sizeof sum);
  if (rest != 0 && (image & 1) == 0) {
    image += (rest > 0) == (sum > 0) ? 1 : -1;
    memcpy(&sum, &image, sizeof sum);
  }
  // What rounds to the least normal number, were the exponent free, is not flushed.
  if (std::fabs(sum) < 0x1p-126 - 0x1p-151) return std::copysign(0.0f, static_cast<float>(sum));
  return static_cast<float>(sum);
}
#endif

struct Bfloat16 {
  static constexpr int DEPTH = 2;
  static int64_t units(int64_t depth) { return (depth + 1) / 2; }

  /// Elements p and p + 1 of row i, the first in the lower half; 0 beyond the depth.
  static float unit(Matrix a, int64_t i, int64_t p, int64_t depth) {
    const auto at = [&](int64_t q) { return q < depth ? roundedBits(a.data[i * a.rows + q * a.columns]) : 0; };
    return asFloat((at(p) >> 16) | (at(p + 1) & 0xffff0000));
  }

  /// 2 · LANES elements that follow one another.
  static vf row(const float *from) {
#if defined(BFLOAT16_UNIT)
    return (vf)_mm512_cvtne2ps_pbh((__m512)load<vf>(from + LANES), (__m512)load<vf>(from));
#else
    vu16 upper;
    for (int i = 0; i < 2 * LANES; i++) upper[i] = static_cast<uint16_t>(2 * i + 1);
    const vu first = roundedBits(load<vf>(from)), second = roundedBits(load<vf>(from + LANES));
    return (vf)__builtin_shuffle((vu16)first, (vu16)second, upper);
#endif
  }

  /// Units of `width` rows that lie side by side, from this element of k and the next.
  template <int width> static void packColumn(const float *from, int64_t stride, float *out) {
    for (int i = 0; i < width; i += LANES) {
      const int present = width - i < LANES ? width - i : LANES;
      storeSome(out + i, pairs(loadSome(from + i, present), loadSome(from + stride + i, present)), present);
    }
  }

  static void tile(int64_t units, const float *__restrict a, const float *__restrict b, float *__restrict c, int64_t ldc,
                   bool accumulate) {
    vf sums[MR][2] = {};
    if (accumulate)
      for (int i = 0; i < MR; i++)
        for (int j = 0; j < 2; j++) sums[i][j] = load<vf>(c + i * ldc + j * LANES);
#if !defined(BFLOAT16_UNIT) && defined(__AVX2__)
    const FlushDenormals flush;
#endif
    for (int64_t p = 0; p < units; p++) {
      const vf b0 = load<vf>(b), b1 = load<vf>(b + LANES);
#pragma GCC unroll 14
      for (int i = 0; i < MR; i++) {
        const vf x = splatUnit(a + i);
        sums[i][0] = dot(x, b0, sums[i][0]);
        sums[i][1] = dot(x, b1, sums[i][1]);
      }
      a += MR;
      b += NR;
    }
#pragma GCC unroll 14
    for (int i = 0; i < MR; i++)
      for (int j = 0; j < 2; j++) store(c + i * ldc + j * LANES, sums[i][j]);
  }

 private:
  static float asFloat(uint32_t bits) {
    float result;
    memcpy(&result, &bits, sizeof bits);
    return result;
  }

  static vf pairs(vf even, vf odd) {
#if defined(BFLOAT16_UNIT)
    // Interleaved: lanes 0, 16, 1, 17 … of what holds the even ones below the odd ones.
    vu16 places;
    for (int i = 0; i < 2 * LANES; i++) places[i] = static_cast<uint16_t>(i / 2 + (i & 1) * LANES);
    return (vf)_mm512_permutexvar_epi16((__m512i)places, (__m512i)_mm512_cvtne2ps_pbh((__m512)odd, (__m512)even));
#else
    return (vf)((roundedBits(even) >> 16) | (roundedBits(odd) & 0xffff0000));
#endif
  }

  /// A unit in every lane, moved as what it is: arithmetic on it as a float could change it.
  static vf splatUnit(const float *a) {
    uint32_t unit;
    memcpy(&unit, a, sizeof unit);
    return (vf)(unit - vu{});
  }

  /// s plus the two products of each lane.
  static vf dot(vf a, vf b, vf s) {
#if defined(BFLOAT16_UNIT)
    return (vf)_mm512_dpbf16_ps((__m512)s, (__m512bh)a, (__m512bh)b);
#else
    const vf oddA = (vf)((vu)a & 0xffff0000), oddB = (vf)((vu)b & 0xffff0000);
    const vf evenA = (vf)((vu)a << 16), evenB = (vf)((vu)b << 16);
#if LANES == 16
    return (vf)_mm512_fmadd_ps((__m512)evenA, (__m512)evenB, _mm512_fmadd_ps((__m512)oddA, (__m512)oddB, (__m512)s));
#elif LANES == 8
    return (vf)_mm256_fmadd_ps((__m256)evenA, (__m256)evenB, _mm256_fmadd_ps((__m256)oddA, (__m256)oddB, (__m256)s));
#else
    for (int i = 0; i < LANES; i++) s[i] = fusedMultiplyAdd(evenA[i], evenB[i], fusedMultiplyAdd(oddA[i], oddB[i], s[i]));
    return s;
#endif
#endif
  }
};

} // namespace ISA
