// Matrix product of any layout, packed and blocked for the caches, with what follows it done while a tile is warm.
//
// C [m, n] = A [m, k] · B [k, n] (+ C). Both operands are read through strides, so that a transposed one costs nothing.
// What is multiplied, and how it is summed, is said by an arithmetic P (float32.h, bfloat16.h, int8.h): operands are packed
// into units of 32 bits, each of P::DEPTH elements that follow one another along k. Neither the number of threads nor m
// and n change the bits of an element.
#pragma once
#include <algorithm>

#include "../pool.h"
#include "../scratch.h"
#include "../vec.h"

namespace ISA {

/// Rows and columns of the tile that stays in registers: 28 of 32 registers with AVX-512, 12 of 16 else.
constexpr int MR = LANES == 16 ? 14 : 6;
constexpr int NR = 2 * LANES;
/// Units of depth in a block: a sliver of B (NR · KC) comes from the second cache, one of A stays in the first.
constexpr int64_t KC = 512;
/// Units ahead of the one that is packed that are fetched: no prefetcher of a processor foresees the next row.
constexpr int AHEAD = 8;
/// Slivers of B that are packed together.
constexpr int64_t TOGETHER = 8;
/// Most slivers of A in a block, which stays in the second cache with the slivers of B on their way.
constexpr int64_t MOST_SLIVERS = 16;

/// An operand: element (i, j) is data[i * rows + j * columns].
struct Matrix {
  const float *data;
  int64_t rows, columns;
};

inline Matrix rowMajor(const float *data, int64_t width) { return {data, width, 1}; }
inline Matrix transposed(const float *data, int64_t width) { return {data, 1, width}; }

/// A finished tile: rows `row` … of C from `column` on, where `c` points.
struct Tile {
  float *c;
  int64_t ldc, row, column;
  int rows, columns;

  template <class F> void eachRow(F f) const {
    for (int i = 0; i < rows; i++) f(c + i * ldc, row + i);
  }
};

/// What happens to a finished tile.
struct NoEpilogue {
  void operator()(const Tile &) const {}
};

/// Bias of a column is added.
struct AddBias {
  const float *bias;
  void operator()(const Tile &tile) const {
    tile.eachRow([&](float *c, int64_t) {
      each(tile.columns, [&](int64_t j, auto v) {
        using V = decltype(v);
        store(c + j, load<V>(c + j) + load<V>(bias + tile.column + j));
      });
    });
  }
};

/// One step of a transposition in registers: off-diagonal blocks of H × H change places.
template <int H> inline void exchange(vf rows[LANES]) {
  vi fromUpper, fromLower;
  for (int lane = 0; lane < LANES; lane++) {
    fromUpper[lane] = (lane & H) == 0 ? lane : LANES + lane - H;
    fromLower[lane] = (lane & H) == 0 ? lane + H : LANES + lane;
  }
#pragma GCC unroll 16
  for (int i = 0; i < LANES; i++) {
    if ((i & H) != 0) continue;
    const vf upper = rows[i], lower = rows[i + H];
    rows[i] = __builtin_shuffle(upper, lower, fromUpper);
    rows[i + H] = __builtin_shuffle(upper, lower, fromLower);
  }
}

inline void transpose(vf rows[LANES]) {
  exchange<1>(rows);
  exchange<2>(rows);
#if LANES >= 8
  exchange<4>(rows);
#endif
#if LANES >= 16
  exchange<8>(rows);
#endif
}

/// Up to LANES rows of `units` units become columns: out[p * width + i]. unitsAt(i, p) gives LANES units of row i from p on,
/// unitAt(i, p) one. Writes LANES units for each p, so what lies after a column must be written later, and room be left
/// after the last.
template <class Vector, class One>
inline void packRows(int64_t present, int64_t units, float *out, int64_t width, int64_t vectors, Vector unitsAt,
                     One unitAt) {
  int64_t p = 0;
  vf rows[LANES];
  for (; p + LANES <= vectors; p += LANES) {
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++) rows[i] = i < present ? unitsAt(i, p) : vf{};
    transpose(rows);
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++) store(out + (p + i) * width, rows[i]);
  }
  for (; p < units; p++)
    for (int64_t i = 0; i < LANES; i++) out[p * width + i] = i < present ? unitAt(i, p) : 0;
}

/// The rows of A that a tile reads together, `depth` elements deep: [units, width], zeros where rows are missing. LANES units
/// after the end may be written.
template <class P, int width> inline void packSliver(Matrix a, int64_t present, int64_t depth, float *out) {
  const int64_t units = P::units(depth);
  if (a.columns == 1 && (width % LANES == 0 || width < LANES)) {
    for (int64_t i = 0; i < width; i += LANES) {
      const Matrix part{a.data + i * a.rows, a.rows, 1};
      packRows(
          std::min<int64_t>(LANES, std::max<int64_t>(0, present - i)), units, out + i, width, depth / P::DEPTH,
          [&](int64_t row, int64_t p) { return P::row(part.data + row * part.rows + p * P::DEPTH); },
          [&](int64_t row, int64_t p) { return P::unit(part, row, p * P::DEPTH, depth); });
    }
  } else {
    for (int64_t p = 0; p < units; p++)
      for (int64_t i = 0; i < width; i++) out[p * width + i] = i < present ? P::unit(a, i, p * P::DEPTH, depth) : 0;
  }
}

/// A whole stretch of A, sliver by sliver. B is packed the same way, as its transpose. What lies side by side in memory is
/// read side by side, for all slivers at once.
template <class P, int width> inline void packSlivers(Matrix a, int64_t rows, int64_t depth, float *out) {
  const int64_t units = P::units(depth), whole = a.rows == 1 ? rows / width * width : 0;
  for (int64_t p = 0; p < (whole == 0 ? 0 : units); p++) {
    const float *column = a.data + p * P::DEPTH * a.columns;
    const bool full = (p + 1) * P::DEPTH <= depth;
    if ((p + AHEAD + 1) * P::DEPTH <= depth)
      for (int64_t q = 0; q < P::DEPTH; q++)
        for (int64_t i = 0; i < whole; i += 16) __builtin_prefetch(column + (AHEAD * P::DEPTH + q) * a.columns + i);
    for (int64_t i = 0; i < whole; i += width) {
      float *to = out + i * units + p * width;
      if (full) P::template packColumn<width>(column + i, a.columns, to);
      else
        for (int64_t j = 0; j < width; j++) to[j] = P::unit(a, i + j, p * P::DEPTH, depth);
    }
  }
  for (int64_t i = whole; i < rows; i += width)
    packSliver<P, width>({a.data + i * a.rows, a.rows, a.columns}, std::min<int64_t>(width, rows - i), depth,
                         out + i * units);
}

/// The tiles of one block of A with the packed B, over columns [from, to).
template <class P, class Epilogue>
void multiplyBlock(const float *packedA, int64_t rows, const float *packedB, int64_t from, int64_t to, int64_t n,
                   int64_t units, float *c, int64_t ldc, int64_t firstRow, bool accumulate, bool last,
                   const Epilogue &epilogue) {
  alignas(64) float edge[MR * NR];
  for (int64_t j = from; j < to; j += NR) {
    const int columns = static_cast<int>(std::min<int64_t>(NR, n - j));
    for (int64_t i = 0; i < rows; i += MR) {
      const int present = static_cast<int>(std::min<int64_t>(MR, rows - i));
      float *out = c + i * ldc + j;
      if (present == MR && columns == NR) {
        P::tile(units, packedA + i * units, packedB + j * units, out, ldc, accumulate);
      } else {
        const auto move = [&](float *to, int64_t toRow, const float *from, int64_t fromRow) {
          for (int r = 0; r < present; r++) memcpy(to + r * toRow, from + r * fromRow, sizeof(float) * columns);
        };
        if (accumulate) move(edge, NR, out, ldc);
        P::tile(units, packedA + i * units, packedB + j * units, edge, NR, accumulate);
        move(out, ldc, edge, NR);
      }
      if (last) epilogue(Tile{out, ldc, firstRow + i, j, present, columns});
    }
  }
}

/// Units of a packed B.
template <class P> inline int64_t packedSize(int64_t n, int64_t k) {
  return (n + NR - 1) / NR * NR * std::max<int64_t>(P::units(k), 1);
}

/// B as the tiles read it: blocks of KC units, each cut into slivers of NR columns.
template <class P> inline void packAll(Matrix b, int64_t n, int64_t k, float *packed) {
  constexpr int64_t DEEP = KC * P::DEPTH;
  const int64_t slivers = (n + NR - 1) / NR, blocks = (k + DEEP - 1) / DEEP;
  parallel(blocks * slivers, rowsOf(32768, std::min(k, DEEP) * NR), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end;) {
      const int64_t p = i / slivers * DEEP, sliver = i % slivers, depth = std::min(DEEP, k - p);
      const int64_t count = std::min({TOGETHER, end - i, slivers - sliver});
      const Matrix part{b.data + p * b.rows + sliver * NR * b.columns, b.columns, b.rows};
      packSlivers<P, NR>(part, std::min<int64_t>(count * NR, n - sliver * NR), depth,
                         packed + (p / P::DEPTH * slivers + sliver * P::units(depth)) * NR);
      i += count;
    }
  });
}

/// The product with a packed B.
template <class P, class Epilogue>
void gemmPacked(int64_t m, int64_t n, int64_t k, Matrix a, const float *packedB, float *c, int64_t ldc, bool accumulate,
                const Epilogue &epilogue) {
  if (m <= 0 || n <= 0) return;
  constexpr int64_t DEEP = KC * P::DEPTH;
  const int64_t slivers = (m + MR - 1) / MR, columnSlivers = (n + NR - 1) / NR;
  /// Slivers [first, end) of A with columns [from, to) of B.
  const auto block = [&](int64_t first, int64_t end, int64_t from, int64_t to) {
    float *packedA = scratch(Use::packedA, MOST_SLIVERS * MR * KC + LANES);
    const int64_t row = first * MR, rows = std::min(m, end * MR) - row;
    int64_t p = 0;
    do {
      const int64_t depth = std::min(DEEP, k - p), units = P::units(depth);
      packSlivers<P, MR>({a.data + row * a.rows + p * a.columns, a.rows, a.columns}, rows, depth, packedA);
      multiplyBlock<P>(packedA, rows, packedB + p / P::DEPTH * columnSlivers * NR, from, std::min(n, to), n, units,
                       c + row * ldc, ldc, row, accumulate || p > 0, p + depth >= k, epilogue);
      p += depth;
    } while (p < k);
  };
  // Many rows are shared out among the threads by rows; few by columns, and A is packed for each piece again.
  if (slivers >= 4 * threads() || slivers > MOST_SLIVERS)
    parallel(slivers, 1, MOST_SLIVERS, [&](int64_t begin, int64_t end) { block(begin, end, 0, n); });
  else parallel(columnSlivers, 2, [&](int64_t begin, int64_t end) { block(0, slivers, begin * NR, end * NR); });
}

template <class P, class Epilogue>
void gemm(int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, float *c, int64_t ldc, bool accumulate,
          const Epilogue &epilogue) {
  float *packed = scratch(Use::packedB, packedSize<P>(n, k));
  packAll<P>(b, n, k, packed);
  gemmPacked<P>(m, n, k, a, packed, c, ldc, accumulate, epilogue);
}

} // namespace ISA
