// The other ranks, as one thread speaks with them.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <queue>
#include <string>
#include <vector>

#include "library.h"

/// Messages of sums and of texts: one pair of ranks has one order of either. And the last one of a rank that ends.
constexpr int SUM = 1, TEXT = 2, FAREWELL = 3;

/// Bytes that are on their way at a time, twice: small enough to be added while they are in a cache.
constexpr int64_t PIECE = int64_t{1} << 20;

/// Arrays of one type, as if they lay end to end.
template <class T> struct Row {
  struct Part {
    T *data;
    int64_t start, end;
  };
  std::vector<Part> parts;
  int64_t size = 0;

  void add(T *data, int64_t count) {
    if (count == 0) return;
    parts.push_back({data, size, size + count});
    size += count;
  }
};

/// How the others are called in messages, and which of them a kill would show on this host.
struct Others {
  std::vector<std::string> hosts;
  struct Process {
    int rank, process;
  };
  std::vector<Process> here;
};

/// All that is asked of MPI is asked by one thread, in the order in which it was asked for: so that it is enough for MPI to
/// know one thread, and so that a rank that computes still notices what becomes of the others. It waits by asking again, so
/// that no wait is without an end. What fails ends the process, and all others with it.
class Ranks {
 public:
  /// Starts the thread, which starts MPI. @throws std::runtime_error where that does not come to an end in time
  Ranks(Library library, double seconds);
  Ranks(const Ranks &) = delete;

  int rank = 0, size = 1;
  std::string version;
  std::atomic<int64_t> bytes{0}, sums{0}, sumNanoseconds{0};

  /// Seconds that a wait for another rank may last, and what the user calls them.
  void setTimeout(double seconds, std::string name);
  void know(Others others);

  /// Begins a sum over all ranks, in place. Both rows live until it is done.
  /// @param exact in the order of a tree over the ranks, else in the order that MPI chooses
  /// @returns its ticket
  int64_t beginSum(Row<float> floats, Row<double> doubles, bool exact);
  void wait(int64_t ticket);
  /// The texts of all ranks, in their order.
  std::vector<std::string> exchange(std::string own);
  /// The text of rank 0.
  std::string broadcast(std::string own);
  /// Ends all ranks. Does not return.
  [[noreturn]] void abort(std::string message, int code);
  /// Waits for the others, and takes leave of MPI; where that has no end, this process ends with the code.
  void close(int exitCode);

 private:
  using Clock = std::chrono::steady_clock;

  Library mpi;
  std::mutex mutex;
  std::condition_variable asked, answered;
  std::queue<std::function<void()>> jobs;
  int64_t begun = 0, done = 0;
  double timeout = 600;
  std::string timeoutName;
  Others others;
  bool started = false, closing = false;
  std::string refusal;
  std::atomic<bool> aborting{false};
  std::string lastWords;
  int code = 1;
  Clock::time_point lookedAround = Clock::now();
  Request farewell;
  unsigned char codeOfAnother = 0;

  int64_t begin(std::function<void()> job);
  void live();
  void start();
  void work();
  void lookAround();
  void sayFarewell(int code);
  void hearFarewell();
  std::chrono::milliseconds untilMyTurn();
  [[noreturn]] void end(const std::string &message, int code);
  void check(int result, const char *call);
  std::string nameOf(int rank) const;

  void finish(Request &request, int partner);
  void send(const std::string &text, int to);
  std::string receive(int from);
  void transfer(char *data, int64_t size, int partner, bool sends);
  std::string spread(std::string text);

  template <class T> void sum(const Row<T> &row, bool exact);
  template <class T> void sumAsTree(const Row<T> &row);
  template <class T> void sumAsMpiDoes(const Row<T> &row);
  struct Stretch {
    int64_t from, to;
  };
  template <class T> void trade(const Row<T> &row, int partner, Stretch out, Stretch in, bool adds);
};
