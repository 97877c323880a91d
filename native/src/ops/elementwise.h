// The few plain operations that the model's tape is left with, where their operands are of one shape.
#pragma once
#include "../spans.h"
#include "../philox.h"
#include "linear.h"

namespace ISA {

template <class F> inline void zip(Floats a, Floats b, Floats out, F f) {
  expect(a, out.size, "a");
  expect(b, out.size, "b");
  parallel(out.size, 65536, [&](int64_t begin, int64_t end) {
    each(end - begin, [&](int64_t i, auto lane) {
      using V = decltype(lane);
      store(out.data + begin + i, f(load<V>(a.data + begin + i), load<V>(b.data + begin + i)));
    });
  });
}

inline void add(Floats a, Floats b, Floats out) {
  zip(a, b, out, [](auto x, auto y) { return x + y; });
}
inline void subtract(Floats a, Floats b, Floats out) {
  zip(a, b, out, [](auto x, auto y) { return x - y; });
}
inline void multiplyElements(Floats a, Floats b, Floats out) {
  zip(a, b, out, [](auto x, auto y) { return x * y; });
}

/// out = a · factor.
inline void scaleBy(Floats a, Floats factor, Floats out) {
  expect(factor, 1, "factor");
  zip(a, a, out, [&](auto x, auto) { return x * splat<decltype(x)>(factor[0]); });
}

/// x goes through a dropout mask: out [n].
inline void dropout(Floats x, Floats out, Dropout key) {
  expect(out, x.size, "out");
  parallel(x.size, 65536, [&](int64_t begin, int64_t end) {
    memcpy(out.data + begin, x.data + begin, sizeof(float) * (end - begin));
    if (key) applyDropout(key, begin, end - begin, out.data + begin);
  });
}

} // namespace ISA
