// Token embeddings · scale + positions, with dropout, in one pass; and the gradient, which adds up rows of equal tokens.
#pragma once
#include "../philox.h"
#include "../spans.h"
#include "linear.h"

namespace ISA {

/// y [T, d] = dropout(table[tokens] · scale + positions[places]); without positions where they are absent.
inline void embedding(Ints tokens, Floats table, Ints places, Floats positions, Floats y, int64_t width, double scale,
                      Dropout dropout) {
  const int64_t rows = tokens.size;
  const int64_t vocabulary = table.size / width, most = positions.size / width;
  require(table.size == vocabulary * width, "the table must hold rows of the width");
  if (positions) require(places.size == rows, "as many places as tokens");
  expect(y, rows * width, "y");
  for (int64_t i = 0; i < rows; i++) {
    require(tokens[i] >= 0 && tokens[i] < vocabulary, "a token lies outside of the table");
    if (positions) require(places[i] >= 0 && places[i] < most, "a position lies outside of its table");
  }
  const float factor = static_cast<float>(scale);
  parallel(rows, rowsOf(16384, width), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      float *out = y.data + row * width;
      const float *token = table.data + tokens[row] * width;
      const float *place = positions ? positions.data + places[row] * width : nullptr;
      each(width, [&](int64_t j, auto v) {
        using V = decltype(v);
        const V scaled = load<V>(token + j) * splat<V>(factor);
        store(out + j, place == nullptr ? scaled : scaled + load<V>(place + j));
      });
      if (dropout) applyDropout(dropout, row * width, width, out);
    }
  });
}

/// Columns that one thread adds up: a row's share of a cache line is never written by two.
constexpr int64_t COLUMN_BLOCK = 64;

/// table [·, d] = 0, then table[tokens[i]] += dy[i] · scale, in the order of i; dy goes through the dropout mask first.
inline void embeddingGradient(Ints tokens, Floats dy, Floats dTable, int64_t width, double scale, Dropout dropout) {
  const int64_t rows = tokens.size, vocabulary = dTable.size / width;
  require(dTable.size == vocabulary * width, "the table must hold rows of the width");
  expect(dy, rows * width, "dy");
  for (int64_t i = 0; i < rows; i++) require(tokens[i] >= 0 && tokens[i] < vocabulary, "a token lies outside of the table");
  const float factor = static_cast<float>(scale);
  parallel((width + COLUMN_BLOCK - 1) / COLUMN_BLOCK, 1, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * COLUMN_BLOCK, count = std::min(width, end * COLUMN_BLOCK) - first;
    for (int64_t row = 0; row < vocabulary; row++) memset(dTable.data + row * width + first, 0, sizeof(float) * count);
    float *slope = scratch(Use::scores, count);
    for (int64_t row = 0; row < rows; row++) {
      memcpy(slope, dy.data + row * width + first, sizeof(float) * count);
      if (dropout) applyDropout(dropout, row * width + first, count, slope);
      float *out = dTable.data + tokens[row] * width + first;
      each(count, [&](int64_t j, auto v) {
        using V = decltype(v);
        store(out + j, load<V>(out + j) + load<V>(slope + j) * splat<V>(factor));
      });
    }
  });
}

} // namespace ISA
