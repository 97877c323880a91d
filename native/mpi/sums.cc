// Sums of arrays over all ranks.
#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "ranks.h"

namespace {

/// Up to so many bytes all ranks trade the whole, which takes half as many messages.
constexpr int64_t SMALL = 4096;

/// Calls f(memory, count, place in the stretch) for the parts of a stretch of a row.
template <class T, class F> void eachPart(const Row<T> &row, int64_t from, int64_t to, F f) {
  auto part = std::upper_bound(row.parts.begin(), row.parts.end(), from, [](int64_t at, const auto &p) { return at < p.end; });
  for (; part != row.parts.end() && part->start < to; ++part) {
    const int64_t first = std::max(from, part->start), last = std::min(to, part->end);
    f(part->data + (first - part->start), last - first, first - from);
  }
}

/// A stretch where it lies in one array, else null.
template <class T> T *inOneArray(const Row<T> &row, int64_t from, int64_t to) {
  T *found = nullptr;
  eachPart(row, from, to, [&](T *data, int64_t count, int64_t) { found = count == to - from ? data : nullptr; });
  return found;
}

} // namespace

int64_t Ranks::beginSum(Row<float> floats, Row<double> doubles, bool exact) {
  return begin([this, floats = std::move(floats), doubles = std::move(doubles), exact] {
    const auto start = Clock::now();
    sum(floats, exact);
    sum(doubles, exact);
    sums++;
    sumNanoseconds += std::chrono::nanoseconds(Clock::now() - start).count();
  });
}

template <class T> void Ranks::sum(const Row<T> &row, bool exact) {
  if (row.size == 0 || size == 1) return;
  if (exact) sumAsTree(row);
  else sumAsMpiDoes(row);
}

template <class T> void Ranks::sumAsMpiDoes(const Row<T> &row) {
  const Handle type = sizeof(T) == 4 ? mpi.floats : mpi.doubles;
  const int64_t most = int64_t{1} << 28;
  for (const auto &part : row.parts) {
    const int64_t length = part.end - part.start;
    for (int64_t at = 0; at < length; at += most) {
      const int count = static_cast<int>(std::min(most, length - at));
      Request request;
      check(mpi.sumOverAll(mpi.inPlace, part.data + at, count, type, mpi.sum, mpi.world, &request), "MPI_Iallreduce");
      finish(request, (rank + 1) % size);
      bytes += count * static_cast<int64_t>(sizeof(T));
    }
  }
}

/// Ranks at the distance 1, then 2, 4 …, trade halves of what they have summed so far: (0 + 1) + (2 + 3). After that each has
/// the whole sum of a stretch of its own, and hands it on the same way back: 2 (1 − 1/n) of the row is sent in all. A sum of
/// two does not depend on which of them is added to which.
template <class T> void Ranks::sumAsTree(const Row<T> &row) {
  const Stretch all{0, row.size}, none{0, 0};
  int power = 1;
  while (2 * power <= size) power *= 2;
  if (rank >= power) {
    trade(row, rank - power, all, none, false);
    trade(row, rank - power, none, all, false);
    return;
  }
  const bool folds = rank + power < size;
  if (folds) trade(row, rank + power, none, all, true);
  if (row.size * static_cast<int64_t>(sizeof(T)) <= SMALL) {
    for (int distance = 1; distance < power; distance *= 2) trade(row, rank ^ distance, all, all, true);
  } else {
    std::vector<std::pair<Stretch, Stretch>> halves; // mine and the other's
    Stretch mine = all;
    for (int distance = 1; distance < power; distance *= 2) {
      const int64_t middle = mine.from + (mine.to - mine.from) / 2;
      const Stretch low{mine.from, middle}, high{middle, mine.to};
      const auto [kept, given] = (rank & distance) == 0 ? std::pair(low, high) : std::pair(high, low);
      trade(row, rank ^ distance, given, kept, true);
      halves.emplace_back(kept, given);
      mine = kept;
    }
    for (int distance = power / 2; distance >= 1; distance /= 2) {
      trade(row, rank ^ distance, halves.back().first, halves.back().second, false);
      halves.pop_back();
    }
  }
  if (folds) trade(row, rank + power, all, none, false);
}

/// Sends one stretch of a row to a partner while another one comes from it, which is added or takes the place of what is
/// there. Two pieces are on their way at a time.
template <class T> void Ranks::trade(const Row<T> &row, int partner, Stretch out, Stretch in, bool adds) {
  constexpr int64_t piece = PIECE / static_cast<int64_t>(sizeof(T));
  struct Way {
    Request request;
    std::vector<T> buffer;
    T *place;
    int64_t from, count;
  };
  Way outs[2], ins[2];
  const bool overlap = adds && out.from < in.to && in.from < out.to; // what is sent may be changed before it is gone
  const auto lay = [&](Way &way, Stretch whole, int64_t k, bool directly) {
    way.from = whole.from + k * piece;
    way.count = std::clamp(whole.to - way.from, int64_t{0}, piece);
    if (way.count == 0) return false;
    way.place = directly ? inOneArray(row, way.from, way.from + way.count) : nullptr;
    if (way.place == nullptr) {
      way.buffer.resize(static_cast<size_t>(way.count));
      way.place = way.buffer.data();
    }
    return true;
  };
  const auto begin = [&](int64_t k) {
    Way &comes = ins[k % 2], &goes = outs[k % 2];
    const auto bytesOf = [](const Way &way) { return static_cast<int>(way.count * static_cast<int64_t>(sizeof(T))); };
    if (lay(comes, in, k, !adds))
      check(mpi.receive(comes.place, bytesOf(comes), mpi.byte, partner, SUM, mpi.world, &comes.request), "MPI_Irecv");
    if (!lay(goes, out, k, !overlap)) return;
    if (goes.place == goes.buffer.data())
      eachPart(row, goes.from, goes.from + goes.count, [&](const T *data, int64_t count, int64_t at) { std::copy_n(data, count, goes.place + at); });
    check(mpi.send(goes.place, bytesOf(goes), mpi.byte, partner, SUM, mpi.world, &goes.request), "MPI_Isend");
    bytes += bytesOf(goes);
  };
  const int64_t pieces = (std::max(out.to - out.from, in.to - in.from) + piece - 1) / piece;
  if (pieces > 0) begin(0);
  for (int64_t k = 0; k < pieces; k++) {
    Way &comes = ins[k % 2], &goes = outs[k % 2];
    if (k + 1 < pieces) begin(k + 1);
    if (comes.count > 0) {
      finish(comes.request, partner);
      if (comes.place == comes.buffer.data())
        eachPart(row, comes.from, comes.from + comes.count, [&](T *data, int64_t count, int64_t at) {
          const T *found = comes.place + at;
          if (adds)
            for (int64_t i = 0; i < count; i++) data[i] += found[i];
          else std::copy_n(found, count, data);
        });
    }
    if (goes.count > 0) finish(goes.request, partner);
  }
}
