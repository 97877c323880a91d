#include "ranks.h"

#include <csignal>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace {

using namespace std::chrono_literals;

/// Messages of sums and of texts: one pair of ranks has one order of either.
constexpr int SUM = 1, TEXT = 2;

/// Bytes that are on their way at a time, twice: small enough to be added while they are in a cache.
constexpr int64_t PIECE = int64_t{1} << 20;

/// Up to so many bytes all ranks trade the whole, which takes half as many messages.
constexpr int64_t SMALL = 4096;

/// How often a rank looks whether those on its host still live.
constexpr auto LOOK = 200ms;

/// Ends this process where MPI does not, or waits for what is gone.
void endSoon(int code, std::chrono::seconds after) {
  std::thread([=] {
    std::this_thread::sleep_for(after);
    _exit(code);
  }).detach();
}

/// Gives way ever more while there is nothing to do: what is computed meanwhile needs the processor.
void giveWay(int64_t turn) {
  if (turn < 100) return;
  if (turn < 2000) std::this_thread::yield();
  else std::this_thread::sleep_for(50us);
}

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

Ranks::Ranks(Library library, double seconds) : mpi(std::move(library)) {
  std::thread([this] { live(); }).detach();
  std::unique_lock<std::mutex> lock(mutex);
  if (!answered.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return started; }))
    throw std::runtime_error("MPI_Init_thread does not come to an end");
  if (!refusal.empty()) throw std::runtime_error(refusal);
}

void Ranks::setTimeout(double seconds, std::string name) {
  std::lock_guard<std::mutex> lock(mutex);
  timeout = seconds;
  timeoutName = std::move(name);
}

void Ranks::know(Others found) {
  std::lock_guard<std::mutex> lock(mutex);
  others = std::move(found);
}

int64_t Ranks::begin(std::function<void()> job) {
  std::lock_guard<std::mutex> lock(mutex);
  jobs.push(std::move(job));
  asked.notify_one();
  return ++begun;
}

void Ranks::wait(int64_t ticket) {
  std::unique_lock<std::mutex> lock(mutex);
  answered.wait(lock, [&] { return done >= ticket; });
}

int64_t Ranks::beginSum(Row<float> floats, Row<double> doubles, bool exact) {
  return begin([this, floats = std::move(floats), doubles = std::move(doubles), exact] {
    const auto start = Clock::now();
    sum(floats, exact);
    sum(doubles, exact);
    sums++;
    sumNanoseconds += std::chrono::nanoseconds(Clock::now() - start).count();
  });
}

void Ranks::abort(std::string message, int exitCode) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    lastWords = std::move(message);
    code = exitCode;
    aborting = true;
    asked.notify_one();
  }
  for (;;) std::this_thread::sleep_for(1h);
}

void Ranks::close() {
  wait(begin([this] {
    {
      std::lock_guard<std::mutex> lock(mutex);
      closing = true;
    }
    if (size > 1) {
      if (rank == 0)
        for (int from = 1; from < size; from++) receive(from);
      else send("", 0);
      spread("");
    }
    endSoon(1, 30s); // where MPI waits for what is gone
    mpi.finalize();
  }));
}

// --- the thread

void Ranks::live() {
  try {
    start();
  } catch (const std::exception &error) {
    refusal = error.what();
  }
  {
    std::lock_guard<std::mutex> lock(mutex);
    started = true;
    answered.notify_all();
  }
  if (!refusal.empty()) return;
  try {
    work();
  } catch (const std::exception &error) {
    // Those that notice the same give way to the first of them: one message is enough.
    std::this_thread::sleep_for(rank * 100ms);
    end(error.what(), 1);
  }
}

void Ranks::start() {
  int given = 0;
  if (mpi.initThread(nullptr, nullptr, 1 /* MPI_THREAD_FUNNELED */, &given) != 0)
    throw std::runtime_error("MPI_Init_thread fails");
  mpi.setErrorHandler(mpi.world, mpi.returnErrors);
  check(mpi.rank(mpi.world, &rank), "MPI_Comm_rank");
  check(mpi.size(mpi.world, &size), "MPI_Comm_size");
  char text[8192] = {};
  int length = 0;
  if (mpi.version(text, &length) == 0) version = text;
}

void Ranks::work() {
  while (!closing) {
    std::function<void()> job;
    {
      std::unique_lock<std::mutex> lock(mutex);
      asked.wait_for(lock, LOOK, [this] { return !jobs.empty() || aborting; });
      if (!jobs.empty()) {
        job = std::move(jobs.front());
        jobs.pop();
      }
    }
    lookAround();
    if (!job) continue;
    job();
    std::lock_guard<std::mutex> lock(mutex);
    done++;
    answered.notify_all();
  }
}

/// Ends where this process asks for it, or where one on this host is gone.
void Ranks::lookAround() {
  if (aborting) end(lastWords, code);
  if (Clock::now() - lookedAround < LOOK) return;
  lookedAround = Clock::now();
  std::lock_guard<std::mutex> lock(mutex);
  if (closing) return;
  for (const auto &[other, process] : others.here) {
    if (kill(process, 0) != 0 && errno == ESRCH)
      throw std::runtime_error(nameOf(other) + " has ended (process " + std::to_string(process) + "), so all ranks end");
  }
}

void Ranks::end(const std::string &message, int exitCode) {
  if (!message.empty()) std::fprintf(stderr, "error: %s\n", message.c_str());
  std::fflush(stderr);
  endSoon(exitCode, 5s);
  mpi.abort(mpi.world, exitCode);
  _exit(exitCode);
}

void Ranks::check(int result, const char *call) {
  if (result == 0) return;
  char text[8192] = {};
  int length = 0;
  mpi.errorString(result, text, &length);
  throw std::runtime_error(nameOf(rank) + ": " + call + " fails: " + text);
}

std::string Ranks::nameOf(int which) const {
  const std::string name = "rank " + std::to_string(which);
  return static_cast<size_t>(which) < others.hosts.size() ? name + " on " + others.hosts[static_cast<size_t>(which)] : name;
}

/// Waits for a message from or to a partner.
void Ranks::finish(Request &request, int partner) {
  const auto start = Clock::now();
  for (int64_t turn = 0;; turn++) {
    int finished = 0;
    check(mpi.test(&request, &finished, mpi.noStatus), "MPI_Test");
    if (finished != 0) return;
    giveWay(turn);
    if (turn % 256 != 255) continue;
    lookAround();
    std::lock_guard<std::mutex> lock(mutex);
    if (std::chrono::duration<double>(Clock::now() - start).count() > timeout) {
      char seconds[32];
      std::snprintf(seconds, sizeof seconds, "%g", timeout);
      throw std::runtime_error(nameOf(rank) + " has waited " + seconds + " seconds for " + nameOf(partner) + ", so all ranks end" +
                               (timeoutName.empty() ? "" : "\n  " + timeoutName + " is how long a rank may wait."));
    }
  }
}

/// Moves bytes, however many.
void Ranks::transfer(char *data, int64_t total, int partner, bool sends) {
  for (int64_t at = 0; at < total; at += PIECE) {
    const int count = static_cast<int>(std::min(PIECE, total - at));
    Request request;
    if (sends) check(mpi.send(data + at, count, mpi.byte, partner, TEXT, mpi.world, &request), "MPI_Isend");
    else check(mpi.receive(data + at, count, mpi.byte, partner, TEXT, mpi.world, &request), "MPI_Irecv");
    finish(request, partner);
    if (sends) bytes += count;
  }
}

void Ranks::send(const std::string &text, int to) {
  int64_t length = static_cast<int64_t>(text.size());
  transfer(reinterpret_cast<char *>(&length), sizeof length, to, true);
  transfer(const_cast<char *>(text.data()), length, to, true);
}

std::string Ranks::receive(int from) {
  int64_t length = 0;
  transfer(reinterpret_cast<char *>(&length), sizeof length, from, false);
  std::string text(static_cast<size_t>(length), '\0');
  transfer(&text[0], length, from, false);
  return text;
}

/// From rank 0 to all: those that have it hand it on, to one each.
std::string Ranks::spread(std::string text) {
  int distance = 1;
  while (distance < size) distance *= 2;
  for (distance /= 2; distance >= 1; distance /= 2) {
    if (rank % (2 * distance) == 0 && rank + distance < size) send(text, rank + distance);
    else if (rank % (2 * distance) == distance) text = receive(rank - distance);
  }
  return text;
}

std::string Ranks::broadcast(std::string own) {
  std::string result;
  wait(begin([&] { result = spread(std::move(own)); }));
  return result;
}

std::vector<std::string> Ranks::exchange(std::string own) {
  std::vector<std::string> texts(static_cast<size_t>(size));
  wait(begin([&] {
    if (rank != 0) send(own, 0);
    else texts[0] = own;
    if (rank == 0)
      for (int from = 1; from < size; from++) texts[static_cast<size_t>(from)] = receive(from);
    std::string all;
    for (const std::string &text : texts) all += std::to_string(text.size()) + " " + text;
    all = spread(std::move(all));
    size_t at = 0;
    for (std::string &text : texts) {
      const size_t space = all.find(' ', at);
      const size_t length = std::stoull(all.substr(at, space - at));
      text = all.substr(space + 1, length);
      at = space + 1 + length;
    }
  }));
  return texts;
}

// --- sums

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
