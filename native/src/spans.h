// What the addon hands to an op: memory with its length, and checks of it.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>

template <class T> struct Span {
  T *data = nullptr;
  int64_t size = 0;
  explicit operator bool() const { return data != nullptr; }
  T &operator[](int64_t i) const { return data[i]; }
};
using Floats = Span<float>;
using Ints = Span<const int32_t>;

/// What names a dropout mask (see src/ops/dropout.ts), and its rate; rate 0 is no dropout.
struct Dropout {
  double rate = 0;
  uint32_t seedLow = 0, seedHigh = 0, step = 0, site = 0;

  explicit operator bool() const { return rate > 0; }
  /// What kept elements are multiplied by.
  float kept() const { return static_cast<float>(1.0 / (1.0 - rate)); }
};

/// Throws where memory is not of the length that the op's sizes ask for; an absent one passes where it may be absent.
template <class T> inline void expect(const Span<T> &span, int64_t size, const char *name, bool optional = false) {
  if (optional && !span) return;
  if (span.size != size)
    throw std::invalid_argument("expected " + std::to_string(size) + " elements in " + name + ", found " +
                                std::to_string(span.size));
}

/// Throws unless the condition holds.
inline void require(bool condition, const char *message) {
  if (!condition) throw std::invalid_argument(message);
}

/// Checks offsets [B + 1] of packed sentences: from 0 on, never falling. Returns the rows.
inline int64_t expectOffsets(const Ints &offsets, const char *name) {
  if (offsets.size < 1 || offsets[0] != 0) throw std::invalid_argument(std::string(name) + " must start with 0");
  for (int64_t i = 1; i < offsets.size; i++)
    if (offsets[i] < offsets[i - 1]) throw std::invalid_argument(std::string(name) + " must not fall");
  return offsets[offsets.size - 1];
}
