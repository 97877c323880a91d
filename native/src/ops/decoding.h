// What a decoding step needs beside the products: attention to stored keys, and the best continuations of each row.
#pragma once
#include "../spans.h"
#include "linear.h"

namespace ISA {

/// Scores of one query and LANES keys or fewer: their products are summed within a vector, halves upon halves, for all keys at
/// once. −∞ where a key is missing.
inline vf scoresOf(const float *query, const float *keys, const int32_t *seen, int64_t count, int64_t stride,
                   int64_t width) {
  vf rows[LANES];
  for (int i = 0; i < LANES; i++) {
    rows[i] = vf{};
    if (i >= count) continue;
    const float *key = keys + seen[i] * stride;
    for (int64_t p = 0; p < width; p += LANES) rows[i] += load<vf>(query + p) * load<vf>(key + p);
  }
  transpose(rows);
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) rows[i] += rows[i + half];
  for (int64_t i = count; i < LANES; i++) rows[0][i] = -std::numeric_limits<float>::infinity();
  return rows[0];
}

/// out [C · LANES] = the mean of values [seen, ·] under weights.
template <int C>
inline void meanOf(const float *weights, const float *values, const int32_t *seen, int64_t count, int64_t stride,
                   float *out) {
  vf sums[C] = {};
  for (int64_t j = 0; j < count; j++) {
    const float *value = values + seen[j] * stride;
    for (int i = 0; i < C; i++) sums[i] += splat<vf>(weights[j]) * load<vf>(value + i * LANES);
  }
  for (int i = 0; i < C; i++) store(out + i * LANES, sums[i]);
}

/// One head of one row whose width is whole vectors: softmax over the keys it sees, then the mean of their values under it.
/// @param weights [padded(count)], for working
inline void attendVectors(const float *query, const float *keys, const float *values, const int32_t *seen, int64_t count,
                          int64_t stride, int64_t width, float *weights, float *out) {
  const float scale = 1.0f / std::sqrt(static_cast<float>(width));
  vf tops = splat<vf>(-std::numeric_limits<float>::infinity()), sums = {};
  for (int64_t j = 0; j < count; j += LANES) {
    const int64_t some = std::min<int64_t>(LANES, count - j);
    const vf scores = scoresOf(query, keys, seen + j, some, stride, width) * splat<vf>(scale);
    store(weights + j, scores);
    tops = scores > tops ? scores : tops;
  }
  const vf top = splat<vf>(largest(tops));
  for (int64_t j = 0; j < count; j += LANES) {
    const vf e = exponential(load<vf>(weights + j) - top);
    store(weights + j, e);
    sums += e;
  }
  const vf total = splat<vf>(sum(sums));
  for (int64_t j = 0; j < count; j += LANES) store(weights + j, load<vf>(weights + j) / total);
  int64_t p = 0;
  for (; p + 4 * LANES <= width; p += 4 * LANES) meanOf<4>(weights, values + p, seen, count, stride, out + p);
  for (; p < width; p += LANES) meanOf<1>(weights, values + p, seen, count, stride, out + p);
}

/// The same for any width.
inline void attendRow(const float *query, const float *keys, const float *values, const int32_t *seen, int64_t count,
                      int64_t stride, int64_t width, float *weights, float *out) {
  const float scale = 1.0f / std::sqrt(static_cast<float>(width));
  float top = -std::numeric_limits<float>::infinity();
  for (int64_t j = 0; j < count; j++) {
    weights[j] = dotProduct(query, keys + seen[j] * stride, width) * scale;
    top = weights[j] > top || weights[j] != weights[j] ? weights[j] : top;
  }
  float total = 0;
  for (int64_t j = 0; j < count; j++) {
    weights[j] = exponential(weights[j] - top);
    total += weights[j];
  }
  for (int64_t j = 0; j < count; j++) weights[j] /= total;
  each(width, [&](int64_t p, auto v) {
    using V = decltype(v);
    V mean = {};
    for (int64_t j = 0; j < count; j++) mean += splat<V>(weights[j]) * load<V>(values + seen[j] * stride + p);
    store(out + p, mean);
  });
}

/// stored[(first + i) · width …] = columns [column, column + width) of row from[i] of `rows`, which are `stride` long; of row i
/// where `from` is absent. `rows` may be `stored` where rows move to the front, in their order.
inline void storeRows(Floats rows, int64_t column, int64_t stride, Ints from, Floats stored, int64_t first, int64_t width) {
  require(stride > 0 && rows.size % stride == 0, "rows must be whole");
  require(column >= 0 && column + width <= stride, "the columns lie outside of their rows");
  const int64_t there = rows.size / stride, count = from ? from.size : there;
  require(first >= 0 && (first + count) * width <= stored.size, "a place lies outside of the store");
  for (int64_t i = 0; i < from.size; i++) require(from[i] >= 0 && from[i] < there, "a row lies outside of the rows");
  for (int64_t i = 0; i < count; i++)
    memmove(stored.data + (first + i) * width, rows.data + (from ? from[i] : i) * stride + column, sizeof(float) * width);
}

/// out [rows, d]: each row of queries, `stride` apart and from `column` on, attends to the stored keys and values [places, d] at
/// seen[seenOffsets[row] … seenOffsets[row + 1]).
inline void cachedAttention(Floats queries, int64_t column, int64_t stride, Floats keys, Floats values, Ints seen,
                            Ints seenOffsets, Floats out, int64_t width, int64_t heads) {
  require(heads > 0 && width > 0 && width % heads == 0, "the heads must divide the width");
  const int64_t rows = seenOffsets.size - 1, places = keys.size / width;
  require(expectOffsets(seenOffsets, "seenOffsets") == seen.size, "seenOffsets must end at the length of seen");
  expect(queries, rows * stride, "queries");
  require(column + width <= stride, "the queries lie outside of their rows");
  expect(values, keys.size, "values");
  expect(out, rows * width, "out");
  for (int64_t i = 0; i < seen.size; i++) require(seen[i] >= 0 && seen[i] < places, "a place lies outside of the store");
  const int64_t head = width / heads;
  parallel(rows, 4, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const int64_t first = seenOffsets[row], count = seenOffsets[row + 1] - first;
      float *weights = scratch(Use::scores, count + LANES);
      const auto attendHead = head % LANES == 0 ? attendVectors : attendRow;
      for (int64_t h = 0; h < heads; h++)
        attendHead(queries.data + row * stride + column + h * head, keys.data + h * head, values.data + h * head,
                   seen.data + first, count, width, head, weights, out.data + row * width + h * head);
    }
  });
}

/// out [rows, width]: of each row of x [rows, size] the columns columns[offsets[list] … offsets[list + 1]) of its list, then −∞.
inline void pickColumns(Floats x, Ints columns, Ints offsets, Ints lists, Floats out, int64_t size, int64_t width) {
  expect(x, lists.size * size, "x");
  expect(out, lists.size * width, "out");
  require(expectOffsets(offsets, "offsets") == columns.size, "offsets must end at the length of columns");
  for (int64_t i = 0; i < columns.size; i++)
    require(columns[i] >= 0 && columns[i] < size, "a column lies outside of the rows");
  for (int64_t i = 0; i < lists.size; i++) {
    require(lists[i] >= 0 && lists[i] < offsets.size - 1, "there is no such list");
    require(offsets[lists[i] + 1] - offsets[lists[i]] <= width, "a list is longer than the width");
  }
  parallel(lists.size, rowsOf(16384, width), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const int32_t *list = columns.data + offsets[lists[row]];
      const int64_t count = offsets[lists[row] + 1] - offsets[lists[row]];
      float *to = out.data + row * width;
      for (int64_t j = 0; j < count; j++) to[j] = x.data[row * size + list[j]];
      for (int64_t j = count; j < width; j++) to[j] = -std::numeric_limits<float>::infinity();
    }
  });
}

/// log Σ exp of a row.
inline float logPartitionOf(const float *logits, int64_t size) {
  vf tops = splat<vf>(-std::numeric_limits<float>::infinity());
  float top = -std::numeric_limits<float>::infinity();
  each(size, [&](int64_t j, auto v) {
    if constexpr (sizeof v == sizeof tops) {
      const vf x = load<vf>(logits + j);
      tops = x > tops ? x : tops;
    } else {
      top = larger(logits[j], top);
    }
  });
  top = larger(largest(tops), top);
  vf sums = {};
  float tail = 0;
  each(size, [&](int64_t j, auto v) {
    using V = decltype(v);
    const V e = exponential(load<V>(logits + j) - splat<V>(top));
    if constexpr (sizeof v == sizeof sums) sums += e;
    else tail += e;
  });
  return top + std::log(sum(sums) + tail);
}

/// Whether a value stands before one of a lower id: the larger first, NaN last.
inline bool precedes(float a, float b) { return a > b || (b != b && a == a); }

/// The places of the k largest values, best first, ties to the lower place; forbidden ones are left out.
inline void selectTop(const float *values, int64_t size, Ints forbidden, int64_t k, int32_t *ids) {
  memset(ids, 0, sizeof(int32_t) * k);
  int64_t count = 0;
  float least = -std::numeric_limits<float>::infinity();
  const auto offer = [&](int32_t id) {
    const float value = values[id];
    if (count == k && !precedes(value, least)) return;
    for (int64_t i = 0; i < forbidden.size; i++)
      if (forbidden[i] == id) return;
    int64_t place = count < k ? count++ : k - 1;
    for (; place > 0 && precedes(value, values[ids[place - 1]]); place--) ids[place] = ids[place - 1];
    ids[place] = id;
    least = values[ids[count - 1]];
  };
  int64_t id = 0;
  for (; id + LANES <= size; id += LANES) {
    if (count == k && least == least) {
      const vi above = load<vf>(values + id) > splat<vf>(least);
      int64_t any = 0;
      int64_t words[LANES / 2];
      memcpy(words, &above, sizeof above);
      for (int i = 0; i < LANES / 2; i++) any |= words[i];
      if (any == 0) continue;
    }
    for (int i = 0; i < LANES; i++) offer(static_cast<int32_t>(id + i));
  }
  for (; id < size; id++) offer(static_cast<int32_t>(id));
}

/// The k most probable entries of each row of logits [rows, size]: ids and natural log-probabilities, [rows · k]; and the
/// log-probability of the entry that is asked for, [rows].
inline void topLogProbs(Floats logits, Ints forbidden, Span<int32_t> ids, Floats logProbs, Floats ofAsked, int64_t rows,
                        int64_t size, int64_t k, int64_t asked) {
  expect(logits, rows * size, "logits");
  require(k >= 1 && k <= size, "k must be at least 1 and at most the length of a row");
  expect(ids, rows * k, "ids");
  expect(logProbs, rows * k, "logProbs");
  expect(ofAsked, rows, "ofAsked");
  require(asked < size, "there is no such entry as is asked for");
  parallel(rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const float *values = logits.data + row * size;
      selectTop(values, size, forbidden, k, ids.data + row * k);
      const float logPartition = logPartitionOf(values, size);
      for (int64_t i = row * k; i < (row + 1) * k; i++) logProbs[i] = values[ids[i]] - logPartition;
      ofAsked[row] = values[asked] - logPartition;
    }
  });
}

} // namespace ISA
