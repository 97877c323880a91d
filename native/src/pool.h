// The threads that the ops share. Work is handed out in pieces; which thread takes which piece is left open, so an op
// must give the same result whoever computes a piece.
#pragma once
#include <cstdint>

/// Runs piece(context, begin, end) for all of 0 … n − 1 and returns when all are done. Pieces are large at first and get
/// smaller, so that the threads end together: from a share of what is left down to `grain`, `most` at most. Throws the
/// first exception of a piece, once no piece is at work any more. May be called by several threads at once.
void runPieces(int64_t n, int64_t grain, int64_t most, void (*piece)(void *, int64_t, int64_t), void *context);

/// Threads to use in this process, a caller's among them; at least 1. Waits for the work that is being done.
/// @throws std::system_error where the system does not give so many; there is one thread then
void setThreads(int count);
int threads();

/// Calls f(begin, end) for pieces of 0 … n − 1.
template <class F> inline void parallel(int64_t n, int64_t grain, int64_t most, F f) {
  if (n <= 0) return;
  runPieces(
      n, grain < 1 ? 1 : grain, most,
      [](void *context, int64_t begin, int64_t end) { (*static_cast<F *>(context))(begin, end); }, &f);
}
template <class F> inline void parallel(int64_t n, int64_t grain, F f) { parallel(n, grain, INT64_MAX, f); }

/// Rows that make about `elements` elements: a piece that is worth handing to a thread.
inline int64_t rowsOf(int64_t elements, int64_t width) {
  const int64_t rows = elements / (width < 1 ? 1 : width);
  return rows < 1 ? 1 : rows;
}
