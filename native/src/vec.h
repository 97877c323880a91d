// Vectors of floats as wide as the instruction set that this file is compiled for, and what the ops do with them.
//
// An op's row is written once as a template over V: with V = vf it is the vector form, with V = float the scalar
// form, which is what runs for the last elements of a row (see `each`) and on machines without vector units.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#if defined(__AVX512F__) && defined(__AVX512DQ__)
#define LANES 16
#elif defined(__AVX2__)
#define LANES 8
#else
#define LANES 4 // SSE2 or NEON
#endif

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace ISA {

typedef float vf __attribute__((vector_size(LANES * 4)));
typedef int32_t vi __attribute__((vector_size(LANES * 4)));
typedef uint32_t vu __attribute__((vector_size(LANES * 4)));
typedef float vfu __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

template <class V> struct Lanes;
template <> struct Lanes<float> {
  static constexpr int count = 1;
  using Int = int32_t;
};
template <> struct Lanes<vf> {
  static constexpr int count = LANES;
  using Int = vi;
};

template <class V> inline V load(const float *p);
template <> inline float load<float>(const float *p) { return *p; }
template <> inline vf load<vf>(const float *p) { return *reinterpret_cast<const vfu *>(p); }
inline void store(float *p, float x) { *p = x; }
inline void store(float *p, vf x) { *reinterpret_cast<vfu *>(p) = x; }

/// The first `count` of LANES floats; zeros after them.
inline vf loadSome(const float *p, int count) {
  if (count == LANES) return load<vf>(p);
#if LANES == 16
  return (vf)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), p);
#else
  vf result = {};
  memcpy(&result, p, sizeof(float) * count);
  return result;
#endif
}
inline void storeSome(float *p, vf x, int count) {
  if (count == LANES) return store(p, x);
#if LANES == 16
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1), (__m512)x);
#else
  memcpy(p, &x, sizeof(float) * count);
#endif
}

template <class V> inline V splat(float x);
template <> inline float splat<float>(float x) { return x; }
template <> inline vf splat<vf>(float x) { return x - vf{}; }

inline float sum(float x) { return x; }
/// Halves are added until one lane is left.
inline float sum(vf x) {
  float lanes[LANES];
  store(lanes, x);
  for (int width = LANES / 2; width > 0; width /= 2)
    for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
  return lanes[0];
}

template <class V> inline V larger(V a, V b) { return a > b ? a : b; }
inline float largest(float x) { return x; }
inline float largest(vf x) {
  float best = x[0];
  for (int i = 1; i < LANES; i++) best = larger(best, x[i]);
  return best;
}

template <class V> inline typename Lanes<V>::Int bits(V x) {
  typename Lanes<V>::Int result;
  memcpy(&result, &x, sizeof x);
  return result;
}
template <class V> inline V fromBits(typename Lanes<V>::Int x) {
  V result;
  memcpy(&result, &x, sizeof x);
  return result;
}

inline float asFloats(int32_t x) { return static_cast<float>(x); }
inline vf asFloats(vi x) { return __builtin_convertvector(x, vf); }

/// A product to which no sum is fused: without it the compiler makes the two one operation, rounded once, where there is one.
template <class V> inline V rounded(V product) {
#if defined(__x86_64__)
  __asm__("" : "+x"(product));
#elif defined(__aarch64__)
  __asm__("" : "+w"(product));
#else
  __asm__("" : "+m"(product));
#endif
  return product;
}

/// Calls f(place, V{}) for the places 0 … n − 1: with vectors as far as they go, then one by one.
template <class F> inline void each(int64_t n, F f) {
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) f(i, vf{});
  for (; i < n; i++) f(i, 0.0f);
}

/// Σ a·b of n elements.
inline float dotProduct(const float *a, const float *b, int64_t n) {
  vf sums = {};
  float tail = 0;
  each(n, [&](int64_t j, auto v) {
    if constexpr (sizeof v == sizeof sums) sums += load<vf>(a + j) * load<vf>(b + j);
    else tail += a[j] * b[j];
  });
  return sum(sums) + tail;
}

/// e^x to about 1 unit in the last place (Cephes' expf): NaN stays NaN, beyond the range 0 and infinity.
template <class V> inline V exponential(V x) {
  const V low = splat<V>(-103.0f), high = splat<V>(88.722839f);
  V clamped = x > low ? x : low; // NaN too, which the end puts back
  clamped = clamped > high ? high : clamped;
  const V magic = splat<V>(12582912.0f); // 1.5 · 2^23: adding it rounds to an integer
  V shifted = clamped * splat<V>(1.44269504088896341f) + magic;
  const V whole = shifted - magic;
  const V r = clamped - whole * splat<V>(0.693359375f) + whole * splat<V>(2.12194440e-4f);
  V p = splat<V>(1.9875691500e-4f);
  p = p * r + splat<V>(1.3981999507e-3f);
  p = p * r + splat<V>(8.3334519073e-3f);
  p = p * r + splat<V>(4.1665795894e-2f);
  p = p * r + splat<V>(1.6666665459e-1f);
  p = p * r + splat<V>(5.0000001201e-1f);
  p = p * r * r + r + splat<V>(1.0f);
  // 2^whole in two steps, so that results below the normal numbers come out too.
  const auto n = bits(shifted) - bits(magic);
  const auto half = n >> 1;
  const V scaled = p * fromBits<V>((half + 127) << 23) * fromBits<V>((n - half + 127) << 23);
  V result = x < low ? splat<V>(0.0f) : scaled;
  result = x > high ? splat<V>(std::numeric_limits<float>::infinity()) : result;
  return x != x ? x : result;
}

} // namespace ISA
