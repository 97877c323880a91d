// Multi-head attention over packed sentences, and its gradient. Query sentence b attends to key sentence b.
//
// Kept for the gradient: the logarithm of each softmax' partition function, not the weights, which are computed again.
// A pair of sentence and head is one piece of work and owns its part of every result.
#pragma once
#include "../philox.h"
#include "../spans.h"
#include "gemm.h"

namespace ISA {

/// Where the heads of q, k or v lie: rows of `stride` floats, the first head at `column`.
struct Rows {
  float *data;
  int64_t stride;

  float *head(int64_t row, int64_t head, int64_t width) const { return data + row * stride + head * width; }
};

struct AttentionShape {
  Ints queryOffsets, keyOffsets;
  int64_t heads, headWidth, longestKey;
  bool causal;
  Dropout dropout;

  int64_t maskStride() const { return (longestKey + 3) / 4 * 4; }
  float scale() const { return 1.0f / std::sqrt(static_cast<float>(headWidth)); }
};

inline int64_t padded(int64_t n) { return (n + LANES - 1) / LANES * LANES; }

/// Rows of a small product that stay in registers together.
constexpr int SMALL_ROWS = LANES == 16 ? 8 : 4;

/// A matrix that is read in whole vectors: `stride` floats from row to row.
struct Block {
  const float *data;
  int64_t stride;
};

template <int R, int C>
inline void smallTile(int64_t depth, const float *a, int64_t aRows, int64_t aColumns, const float *b, int64_t bStride,
                      float *out, int64_t outStride, float scale) {
  vf sums[R][C] = {};
  for (int64_t t = 0; t < depth; t++, a += aColumns, b += bStride) {
    vf right[C];
    for (int j = 0; j < C; j++) right[j] = load<vf>(b + j * LANES);
#pragma GCC unroll 8
    for (int i = 0; i < R; i++) {
      const vf x = splat<vf>(a[i * aRows]);
      for (int j = 0; j < C; j++) sums[i][j] += x * right[j];
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < R; i++)
    for (int j = 0; j < C; j++) store(out + i * outStride + j * LANES, sums[i][j] * splat<vf>(scale));
}

/// out [rows, width] = scale · Σ_t a(row, t) · b [t, width]; width in whole vectors.
inline void smallProduct(int64_t rows, int64_t depth, const float *a, int64_t aRows, int64_t aColumns, Block b,
                         int64_t width, float *out, int64_t outStride, float scale = 1) {
  for (int64_t i = 0; i < rows;) {
    const int64_t left = rows - i;
    const auto across = [&](auto tileRows) {
      constexpr int R = decltype(tileRows)::value;
      for (int64_t j = 0; j < width; j += 2 * LANES) {
        const auto tile = j + LANES < width ? smallTile<R, 2> : smallTile<R, 1>;
        tile(depth, a + i * aRows, aRows, aColumns, b.data + j, b.stride, out + i * outStride + j, outStride, scale);
      }
      i += R;
    };
    if (left >= SMALL_ROWS) across(std::integral_constant<int, SMALL_ROWS>{});
    else if (left >= 4) across(std::integral_constant<int, 4>{});
    else if (left >= 2) across(std::integral_constant<int, 2>{});
    else across(std::integral_constant<int, 1>{});
  }
}

/// Rows of one head in whole vectors: where they lie, or, where its width leaves a rest, copied and padded with zeros.
inline Block headBlock(Rows from, int64_t first, int64_t n, int64_t head, int64_t width, float *copy) {
  const int64_t stride = padded(width);
  if (stride == width) return {from.head(first, head, width), from.stride};
  for (int64_t i = 0; i < n; i++) {
    memcpy(copy + i * stride, from.head(first + i, head, width), sizeof(float) * width);
    for (int64_t j = width; j < stride; j++) copy[i * stride + j] = 0;
  }
  return {copy, stride};
}

/// A product whose rows are rows of one head: written where they lie, or by way of `copy` where a vector does not fit.
inline void headProduct(int64_t rows, int64_t depth, const float *a, int64_t aRows, int64_t aColumns, Block b, Rows to,
                        int64_t first, int64_t head, int64_t width, float *copy, float scale) {
  const int64_t stride = padded(width);
  if (stride == width)
    return smallProduct(rows, depth, a, aRows, aColumns, b, width, to.head(first, head, width), to.stride, scale);
  smallProduct(rows, depth, a, aRows, aColumns, b, stride, copy, stride, scale);
  for (int64_t i = 0; i < rows; i++) memcpy(to.head(first + i, head, width), copy + i * stride, sizeof(float) * width);
}

/// Rows of one head, transposed and padded with zeros: [width, padded(n)].
inline void gatherTransposed(Rows from, int64_t first, int64_t n, int64_t head, int64_t width, float *out) {
  const int64_t stride = padded(n);
  for (int64_t i = 0; i < n; i += LANES)
    packRows(
        std::min<int64_t>(LANES, n - i), width, out + i, stride, width,
        [&](int64_t row, int64_t p) { return load<vf>(from.head(first + i + row, head, width) + p); },
        [&](int64_t row, int64_t p) { return from.head(first + i + row, head, width)[p]; });
}

/// One head of one sentence on its way.
struct Piece {
  int64_t head, query, queries, key, keys;
  /// Keys that query i sees.
  int64_t seen(int64_t i, bool causal) const { return causal ? std::min(keys, i + 1) : keys; }
};

template <class F> void eachPiece(const AttentionShape &shape, F f) {
  parallel((shape.queryOffsets.size - 1) * shape.heads, shape.heads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t sentence = i / shape.heads;
      const Ints &q = shape.queryOffsets, &k = shape.keyOffsets;
      f(Piece{i % shape.heads, q[sentence], q[sentence + 1] - q[sentence], k[sentence], k[sentence + 1] - k[sentence]});
    }
  });
}

/// Weights of a row from its scores, both in `row`: softmax over the keys it sees, 0 beyond. Returns log Σ exp.
inline float softmaxRow(float *row, int64_t seen, int64_t stride, float scale) {
  float top = -std::numeric_limits<float>::infinity();
  for (int64_t j = 0; j < seen; j++) {
    row[j] *= scale;
    top = row[j] > top || row[j] != row[j] ? row[j] : top;
  }
  for (int64_t j = seen; j < stride; j++) row[j] = -std::numeric_limits<float>::infinity();
  vf sums = {};
  for (int64_t j = 0; j < stride; j += LANES) {
    const vf e = exponential(load<vf>(row + j) - splat<vf>(top));
    store(row + j, e);
    sums += e;
  }
  const float total = sum(sums), inverse = 1.0f / total;
  for (int64_t j = 0; j < stride; j += LANES) store(row + j, load<vf>(row + j) * splat<vf>(inverse));
  return top + std::log(total);
}

/// Dropout masks of the rows of a piece, one after another: [queries, maskWidth(keys)], and a vector more to read into.
/// Random numbers come in fours, so a row has a whole number of counters.
inline int64_t maskWidth(int64_t keys) { return (keys + 3) / 4 * 4; }

inline void attentionMask(const AttentionShape &shape, const Piece &piece, float *mask) {
  const MaskValues valueOf(shape.dropout);
  const int64_t blocks = maskWidth(piece.keys) / 4, total = piece.queries * blocks, stride = shape.maskStride() / 4;
  int64_t row = 0, block = 0;
  for (int64_t done = 0; done < total; done += LANES) {
    vu counters = {};
    for (int i = 0; i < LANES && done + i < total; i++) {
      counters[i] = static_cast<uint32_t>(((piece.query + row) * shape.heads + piece.head) * stride + block);
      if (++block == blocks) {
        block = 0;
        row++;
      }
    }
    vu numbers[4];
    philoxGroup(shape.dropout, counters, numbers);
    for (int j = 0; j < 4; j++) store(mask + 4 * done + j * LANES, valueOf(numbers[j]));
  }
}

/// row [stride] is multiplied by its mask; beyond the keys it is 0.
inline void applyMask(const float *mask, float *row, int64_t stride) {
  for (int64_t j = 0; j < stride; j += LANES) store(row + j, load<vf>(row + j) * load<vf>(mask + j));
}

/// Floats for the masks of a piece.
inline int64_t maskSize(const Piece &piece) { return piece.queries * maskWidth(piece.keys) + 5 * LANES; }

inline void attend(Rows q, Rows k, Rows v, const AttentionShape &shape, float *out, float *logPartition) {
  const int64_t width = shape.headWidth, wide = padded(width);
  eachPiece(shape, [&](const Piece &piece) {
    const int64_t stride = padded(piece.keys);
    float *keys = scratch(Use::keys, width * stride + (piece.keys + piece.queries) * wide);
    float *valueCopy = keys + width * stride, *mixed = valueCopy + piece.keys * wide;
    float *weights = scratch(Use::scores, piece.queries * stride + maskSize(piece)),
          *mask = weights + piece.queries * stride;
    if (shape.dropout) attentionMask(shape, piece, mask);
    gatherTransposed(k, piece.key, piece.keys, piece.head, width, keys);
    const Block values = headBlock(v, piece.key, piece.keys, piece.head, width, valueCopy);
    smallProduct(piece.queries, width, q.head(piece.query, piece.head, width), q.stride, 1, {keys, stride}, stride, weights,
                 stride);
    for (int64_t i = 0; i < piece.queries; i++) {
      const int64_t place = (piece.query + i) * shape.heads + piece.head;
      logPartition[place] = softmaxRow(weights + i * stride, piece.seen(i, shape.causal), stride, shape.scale());
      if (shape.dropout) applyMask(mask + i * maskWidth(piece.keys), weights + i * stride, stride);
    }
    headProduct(piece.queries, piece.keys, weights, stride, 1, values, {out, shape.heads * width}, piece.query, piece.head,
                width, mixed, 1);
  });
}

/// Weights of a row again, from scores and log Σ exp.
inline void weightsAgain(float *row, int64_t seen, int64_t stride, float scale, float logPartition) {
  for (int64_t j = 0; j < stride; j += LANES)
    store(row + j, exponential(load<vf>(row + j) * splat<vf>(scale) - splat<vf>(logPartition)));
  for (int64_t j = seen; j < stride; j++) row[j] = 0;
}

/// @param out the result of the forward pass, dOut its gradient, both [Tq, heads · width]
inline void attendGradient(Rows q, Rows k, Rows v, const AttentionShape &shape, const float *out, const float *logPartition,
                           const float *dOut, Rows dq, Rows dk, Rows dv) {
  const int64_t width = shape.headWidth, wide = padded(width), total = shape.heads * width;
  eachPiece(shape, [&](const Piece &piece) {
    const int64_t stride = padded(piece.keys), rows = std::max(piece.queries, piece.keys);
    float *transposedKeys = scratch(Use::keys, 2 * width * stride + 4 * rows * wide);
    float *transposedValues = transposedKeys + width * stride, *copies = transposedValues + width * stride;
    float *result = copies + 3 * rows * wide;
    float *weights = scratch(Use::scores, 3 * piece.queries * stride + maskSize(piece));
    float *dropped = weights + piece.queries * stride, *dWeights = dropped + piece.queries * stride;
    float *mask = dWeights + piece.queries * stride;
    if (shape.dropout) attentionMask(shape, piece, mask);
    const Rows slopeRows{const_cast<float *>(dOut), total};
    gatherTransposed(k, piece.key, piece.keys, piece.head, width, transposedKeys);
    gatherTransposed(v, piece.key, piece.keys, piece.head, width, transposedValues);
    const Block keys = headBlock(k, piece.key, piece.keys, piece.head, width, copies);
    const Block queries = headBlock(q, piece.query, piece.queries, piece.head, width, copies + rows * wide);
    const Block slopes = headBlock(slopeRows, piece.query, piece.queries, piece.head, width, copies + 2 * rows * wide);
    smallProduct(piece.queries, width, queries.data, queries.stride, 1, {transposedKeys, stride}, stride, weights, stride);
    smallProduct(piece.queries, width, slopes.data, slopes.stride, 1, {transposedValues, stride}, stride, dWeights, stride);
    for (int64_t i = 0; i < piece.queries; i++) {
      const int64_t place = (piece.query + i) * shape.heads + piece.head;
      float *w = weights + i * stride, *m = dropped + i * stride, *d = dWeights + i * stride;
      weightsAgain(w, piece.seen(i, shape.causal), stride, shape.scale(), logPartition[place]);
      memcpy(m, w, sizeof(float) * stride);
      if (shape.dropout) {
        applyMask(mask + i * maskWidth(piece.keys), m, stride);
        applyMask(mask + i * maskWidth(piece.keys), d, stride);
      }
      const float *o = out + (piece.query + i) * total + piece.head * width;
      const float along = dotProduct(o, slopes.data + i * slopes.stride, width); // Σ_j weight · dWeight = dOut · out
      for (int64_t j = 0; j < stride; j += LANES) store(d + j, load<vf>(w + j) * (load<vf>(d + j) - splat<vf>(along)));
    }
    const auto into = [&](int64_t count, int64_t depth, const float *a, bool byColumns, Block b, Rows to, int64_t first,
                          float scale) {
      headProduct(count, depth, a, byColumns ? 1 : stride, byColumns ? stride : 1, b, to, first, piece.head, width, result,
                  scale);
    };
    into(piece.keys, piece.queries, dropped, true, slopes, dv, piece.key, 1);
    into(piece.queries, piece.keys, dWeights, false, keys, dq, piece.query, shape.scale());
    into(piece.keys, piece.queries, dWeights, true, queries, dk, piece.key, shape.scale());
  });
}

/// Checks sizes and gives the rows of q, k or v: `memory` holds rows of `stride`, a head block starts at `column`.
inline Rows rowsIn(Floats memory, int64_t column, int64_t stride, int64_t rows, int64_t width, const char *name) {
  expect(memory, rows * stride, name);
  require(column >= 0 && column + width <= stride, "a head lies outside of its rows");
  return {memory.data + column, stride};
}

inline AttentionShape attentionShape(Ints queryOffsets, Ints keyOffsets, int64_t heads, int64_t headWidth, bool causal,
                                     Dropout dropout) {
  expectOffsets(queryOffsets, "queryOffsets");
  expectOffsets(keyOffsets, "keyOffsets");
  require(queryOffsets.size == keyOffsets.size, "as many sentences of queries as of keys");
  int64_t longest = 0;
  for (int64_t i = 1; i < keyOffsets.size; i++) longest = std::max<int64_t>(longest, keyOffsets[i] - keyOffsets[i - 1]);
  return {queryOffsets, keyOffsets, heads, headWidth, longest, causal, dropout};
}

inline void attention(Floats q, int64_t qColumn, int64_t qStride, Floats k, int64_t kColumn, int64_t kStride, Floats v,
                      int64_t vColumn, int64_t vStride, Ints queryOffsets, Ints keyOffsets, Floats out, Floats logPartition,
                      int64_t heads, int64_t headWidth, bool causal, Dropout dropout) {
  const AttentionShape shape = attentionShape(queryOffsets, keyOffsets, heads, headWidth, causal, dropout);
  const int64_t queries = queryOffsets[queryOffsets.size - 1], keys = keyOffsets[keyOffsets.size - 1],
                width = heads * headWidth;
  expect(out, queries * width, "out");
  expect(logPartition, queries * heads, "logPartition");
  attend(rowsIn(q, qColumn, qStride, queries, width, "q"), rowsIn(k, kColumn, kStride, keys, width, "k"),
         rowsIn(v, vColumn, vStride, keys, width, "v"), shape, out.data, logPartition.data);
}

/// The gradients lie as q, k and v do, in memory of the same shapes.
inline void attentionGradient(Floats q, int64_t qColumn, int64_t qStride, Floats k, int64_t kColumn, int64_t kStride,
                              Floats v, int64_t vColumn, int64_t vStride, Ints queryOffsets, Ints keyOffsets, Floats out,
                              Floats logPartition, Floats dOut, Floats dq, Floats dk, Floats dv, int64_t heads,
                              int64_t headWidth, bool causal, Dropout dropout) {
  const AttentionShape shape = attentionShape(queryOffsets, keyOffsets, heads, headWidth, causal, dropout);
  const int64_t queries = queryOffsets[queryOffsets.size - 1], keys = keyOffsets[keyOffsets.size - 1],
                width = heads * headWidth;
  expect(out, queries * width, "out");
  expect(dOut, queries * width, "dOut");
  expect(logPartition, queries * heads, "logPartition");
  attendGradient(rowsIn(q, qColumn, qStride, queries, width, "q"), rowsIn(k, kColumn, kStride, keys, width, "k"),
                 rowsIn(v, vColumn, vStride, keys, width, "v"), shape, out.data, logPartition.data, dOut.data,
                 rowsIn(dq, qColumn, qStride, queries, width, "dq"), rowsIn(dk, kColumn, kStride, keys, width, "dk"),
                 rowsIn(dv, vColumn, vStride, keys, width, "dv"));
}

} // namespace ISA
