// Products of int8, exact in int32, so that their bits are the same everywhere (docs/precision.md). A row, of activations or
// of a weight, is divided by its scale and rounded to nearest, ties to even. The scale is the largest magnitude / 127, rounded
// to 17 bits: so a number of int8 times its scale is exact in float32, and quantized again it is the same. An element is
//
//   float(Σ q · w) · (scale of the row · scale of the column)
//
// A row with NaN or infinity comes out as NaN; one of numbers that are all below 2⁻¹⁰⁰ counts as zeros.
#pragma once
#include <vector>

#include "float32.h"

#if (LANES == 16 && defined(__AVX512VNNI__)) || (LANES == 8 && defined(__AVXVNNI__))
#define INT8_UNIT 1
#endif

namespace ISA {

/// Elements of a unit.
constexpr int64_t INT8_DEPTH = 4;
/// Longest row whose sums cannot leave int32, even where activations carry an offset.
constexpr int64_t LONGEST_INT8_ROW = 65536;
/// What is added to activations, since VPDPBUSD wants them without a sign; their sums are too large by that, times Σ w.
#if defined(INT8_UNIT)
constexpr int INT8_OFFSET = 128;
#else
constexpr int INT8_OFFSET = 0;
#endif

inline int64_t int8Units(int64_t depth) { return (depth + INT8_DEPTH - 1) / INT8_DEPTH; }

/// Units that are multiplied by others, lane by lane.
#if defined(INT8_UNIT)
struct Int8Factors {
  vi units;
  explicit Int8Factors(vi units) : units(units) {}
  /// sums + Σ a · b of each lane, this being activations.
  vi dot(const Int8Factors &b, vi sums) const {
#if LANES == 16
    return (vi)_mm512_dpbusd_epi32((__m512i)sums, (__m512i)units, (__m512i)b.units);
#else
    return (vi)_mm256_dpbusd_avx_epi32((__m256i)sums, (__m256i)units, (__m256i)b.units);
#endif
  }
};
#else
struct Int8Factors {
  typedef int16_t vs __attribute__((vector_size(LANES * 4)));
  vs even, odd;
  explicit Int8Factors(vi units) : even((vs)units << 8 >> 8), odd((vs)units >> 8) {}
  vi dot(const Int8Factors &b, vi sums) const { return sums + pairs(even, b.even) + pairs(odd, b.odd); }

 private:
  /// Two products of each lane. (PMADDUBSW would take four, but keeps 16 bits of each sum alone.)
  static vi pairs(vs a, vs b) {
#if LANES == 16
    return (vi)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif LANES == 8
    return (vi)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
    return (vi)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
    return ((vi)a << 16 >> 16) * ((vi)b << 16 >> 16) + ((vi)a >> 16) * ((vi)b >> 16);
#endif
  }
};
#endif

/// Its operands are units already, which are moved as the floats that they are not.
struct Int8 : Float32 {
  /// c [MR, NR] = Σ a · b (+ c), in int32.
  static void tile(int64_t units, const float *__restrict a, const float *__restrict b, float *__restrict c, int64_t ldc,
                   bool accumulate) {
    vi sums[MR][2] = {};
    for (int64_t p = 0; p < units; p++) {
      const Int8Factors b0((vi)load<vf>(b)), b1((vi)load<vf>(b + LANES));
#pragma GCC unroll 14
      for (int i = 0; i < MR; i++) {
        int32_t unit;
        memcpy(&unit, a + i, sizeof unit);
        const Int8Factors x(unit - vi{});
        sums[i][0] = x.dot(b0, sums[i][0]);
        sums[i][1] = x.dot(b1, sums[i][1]);
      }
      a += MR;
      b += NR;
    }
#pragma GCC unroll 14
    for (int i = 0; i < MR; i++)
      for (int j = 0; j < 2; j++) {
        float *place = c + i * ldc + j * LANES;
        store(place, (vf)(accumulate ? sums[i][j] + (vi)load<vf>(place) : sums[i][j]));
      }
  }
};

/// x / its scale, rounded.
template <class V> inline typename Lanes<V>::Int int8Of(V x, float inverse) {
  const V magic = splat<V>(12582912.0f); // 1.5 · 2^23: adding it rounds to an integer
  return bits(rounded(x * splat<V>(inverse)) + magic) - bits(magic);
}

/// A row as units of numbers + offset. @returns its scale
template <int offset> inline float quantizeRow(const float *x, int64_t depth, int8_t *out) {
  const auto magnitude = [](auto v) { return fromBits<decltype(v)>(bits(v) & 0x7fffffff); };
  // As integers magnitudes keep their order, and NaN stands above infinity.
  vi tops = {};
  int32_t top = 0;
  each(depth, [&](int64_t j, auto v) {
    using V = decltype(v);
    const auto found = bits(magnitude(load<V>(x + j)));
    if constexpr (sizeof v == sizeof tops) tops = found > tops ? found : tops;
    else top = found > top ? found : top;
  });
  for (int i = 0; i < LANES; i++) top = tops[i] > top ? tops[i] : top;
  const float most = fromBits<float>(top);
  const bool zero = most < 0x1p-100f, strange = top >= 0x7f800000;
  const float scale = fromBits<float>((bits(most / 127.0f) + 0x40) & ~0x7f);
  const float inverse = zero || strange ? 0 : 1.0f / scale;
  typedef int8_t vb __attribute__((vector_size(LANES)));
  each(depth, [&](int64_t j, auto v) {
    using V = decltype(v);
    const auto whole = int8Of(load<V>(x + j), inverse) + offset;
    if constexpr (sizeof v == sizeof tops) {
      const vb bytes = __builtin_convertvector(whole, vb);
      memcpy(out + j, &bytes, sizeof bytes);
    } else {
      out[j] = static_cast<int8_t>(whole);
    }
  });
  for (int64_t j = depth; j < int8Units(depth) * INT8_DEPTH; j++) out[j] = 0;
  return strange ? std::numeric_limits<float>::quiet_NaN() : zero ? 0 : scale;
}

/// Floats of a packed weight: units as the tiles read them, then for each column its scale and, an integer, what its sums are
/// too large by.
inline int64_t packedInt8Size(int64_t out, int64_t in) { return packedSize<Int8>(out, int8Units(in)) + 2 * out; }

/// A weight [out, in], quantized and packed as products read it.
inline void packInt8(const float *weight, float *packed, int64_t in, int64_t out) {
  require(in <= LONGEST_INT8_ROW, "a row is too long for sums in int32");
  const int64_t units = int8Units(in);
  std::vector<float> rows(static_cast<size_t>(out * units));
  float *scales = packed + packedSize<Int8>(out, units), *excess = scales + out;
  parallel(out, rowsOf(16384, in), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      int8_t *values = reinterpret_cast<int8_t *>(rows.data() + row * units);
      scales[row] = quantizeRow<0>(weight + row * in, in, values);
      int32_t sum = 0;
      for (int64_t j = 0; j < in; j++) sum += values[j];
      const int32_t over = INT8_OFFSET * sum;
      memcpy(excess + row, &over, sizeof over);
    }
  });
  packAll<Int8>(transposed(rows.data(), units), out, units, packed);
}

/// Sums of a finished tile become floats; then what else is to happen to it does.
template <class Next> struct Rescale {
  const float *rows, *columns, *excess;
  const Next &next;

  void operator()(const Tile &tile) const {
    tile.eachRow([&](float *c, int64_t row) {
      each(tile.columns, [&](int64_t j, auto v) {
        using V = decltype(v);
        const int64_t column = tile.column + j;
        const auto sums = bits(load<V>(c + j)) - bits(load<V>(excess + column));
        const V scale = rounded(splat<V>(rows[row]) * load<V>(columns + column));
        store(c + j, rounded(asFloats(sums) * scale));
      });
    });
    next(tile);
  }
};

/// y [rows, out] = x [rows, in] · Wᵀ, each tile through the epilogue.
template <class Epilogue>
void int8Product(const float *x, const float *packed, float *y, int64_t rows, int64_t in, int64_t out,
                 const Epilogue &epilogue) {
  const int64_t units = int8Units(in);
  float *quantized = scratch(Use::quantized, rows * (units + 1)), *scales = quantized + rows * units;
  parallel(rows, rowsOf(16384, in), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++)
      scales[row] = quantizeRow<INT8_OFFSET>(x + row * in, in, reinterpret_cast<int8_t *>(quantized + row * units));
  });
  const float *columns = packed + packedSize<Int8>(out, units);
  gemmPacked<Int8>(rows, out, units, rowMajor(quantized, units), packed, y, out, false,
                   Rescale<Epilogue>{scales, columns, columns + out, epilogue});
}

} // namespace ISA
