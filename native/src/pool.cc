#include "pool.h"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
static void breathe() { _mm_pause(); }
#else
static void breathe() { std::this_thread::yield(); }
#endif

namespace {

/// Looks at the next job before a thread goes to sleep: about 50 µs, the time between two ops.
constexpr int SPINS = 2000;

/// Whether this thread is one of the pool's.
thread_local bool ofThePool = false;

struct Job {
  void (*piece)(void *, int64_t, int64_t);
  void *context;
  int64_t n, grain, most;
};

/// The right to the workers, of one caller at a time, for as long as it lives.
class Claim {
 public:
  explicit Claim(std::atomic<bool> &taken) : taken(taken), granted(!taken.exchange(true, std::memory_order_acquire)) {}
  ~Claim() {
    if (granted) taken.store(false, std::memory_order_release);
  }
  Claim(const Claim &) = delete;

  /// Tries again until it is granted.
  void insist() {
    while (!granted) {
      std::this_thread::yield();
      granted = !taken.exchange(true, std::memory_order_acquire);
    }
  }
  explicit operator bool() const { return granted; }

 private:
  std::atomic<bool> &taken;
  bool granted;
};

/// All state that callers and workers share. Leaked at the end of the process, where threads may still be asleep in it.
/// A process has one pool, and may have several callers: JavaScript's worker threads. One of them has the workers at a
/// time; a caller that finds them taken computes its pieces itself and waits for nobody.
class Pool {
 public:
  void resize(int count) {
    Claim claim(claimed);
    claim.insist();
    if (count == size()) return;
    stop();
    stopping = false;
    const uint64_t seen = generation.load();
    try {
      workers.reserve(static_cast<size_t>(count));
      for (int i = 1; i < count; i++) workers.emplace_back([this, seen] { work(seen); });
    } catch (...) {
      stop();
      throw;
    }
    total.store(count, std::memory_order_relaxed);
  }

  int size() const { return total.load(std::memory_order_relaxed); }

  void run(const Job &next) {
    if (ofThePool || next.n <= next.grain || size() == 1) return runAlone(next);
    const Claim claim(claimed);
    if (!claim || workers.empty()) return runAlone(next);
    job = next;
    failed.store(false, std::memory_order_relaxed);
    place.store(0, std::memory_order_relaxed);
    busy.store(static_cast<int>(workers.size()), std::memory_order_relaxed);
    {
      std::lock_guard<std::mutex> lock(mutex);
      generation.fetch_add(1, std::memory_order_release);
    }
    wake.notify_all();
    take();
    for (int spins = 0; busy.load(std::memory_order_acquire) > 0; spins++) {
      if (spins < SPINS) breathe();
      else std::this_thread::yield();
    }
    if (failed.load(std::memory_order_relaxed)) std::rethrow_exception(std::exchange(failure, nullptr));
  }

 private:
  static void runAlone(const Job &job) {
    for (int64_t begin = 0; begin < job.n; begin += job.most < job.n ? job.most : job.n)
      job.piece(job.context, begin, job.n - begin < job.most ? job.n : begin + job.most);
  }

  void work(uint64_t seen) {
    ofThePool = true;
    for (;;) {
      seen = await(seen);
      if (stopping) return;
      take();
      busy.fetch_sub(1, std::memory_order_release);
    }
  }

  uint64_t await(uint64_t seen) {
    for (int spins = 0; spins < SPINS; spins++) {
      const uint64_t now = generation.load(std::memory_order_acquire);
      if (now != seen) return now;
      breathe();
    }
    std::unique_lock<std::mutex> lock(mutex);
    wake.wait(lock, [&] { return generation.load(std::memory_order_acquire) != seen; });
    return generation.load(std::memory_order_acquire);
  }

  /// Takes pieces until none is left. Where one throws, those that nobody has begun are dropped, and the first exception
  /// is kept for the caller: the others are still at work on its memory.
  void take() {
    try {
      takePieces();
    } catch (...) {
      place.store(job.n, std::memory_order_relaxed);
      if (!failed.exchange(true, std::memory_order_relaxed)) failure = std::current_exception();
    }
  }

  void takePieces() {
    int64_t begin = place.load(std::memory_order_relaxed);
    while (begin < job.n) {
      const int64_t left = job.n - begin, share = left / (4 * static_cast<int64_t>(workers.size() + 1));
      const int64_t wanted = share < job.grain ? job.grain : (share > job.most ? job.most : share);
      const int64_t end = wanted < left ? begin + wanted : job.n;
      if (!place.compare_exchange_weak(begin, end, std::memory_order_relaxed)) continue;
      job.piece(job.context, begin, end);
      begin = place.load(std::memory_order_relaxed);
    }
  }

  void stop() {
    total.store(1, std::memory_order_relaxed);
    if (workers.empty()) return;
    {
      std::lock_guard<std::mutex> lock(mutex);
      stopping = true;
      generation.fetch_add(1, std::memory_order_release);
    }
    wake.notify_all();
    for (auto &worker : workers) worker.join();
    workers.clear();
  }

  std::vector<std::thread> workers;
  std::mutex mutex;
  std::condition_variable wake;
  std::atomic<uint64_t> generation{0};
  std::atomic<int64_t> place{0};
  std::atomic<int> busy{0};
  std::atomic<bool> stopping{false}, claimed{false}, failed{false};
  std::atomic<int> total{1};
  std::exception_ptr failure;
  Job job{};
};

Pool &pool() {
  static Pool *const shared = new Pool();
  return *shared;
}

} // namespace

void runPieces(int64_t n, int64_t grain, int64_t most, void (*piece)(void *, int64_t, int64_t), void *context) {
  pool().run({piece, context, n, grain, most < grain ? grain : most});
}

void setThreads(int count) { pool().resize(count < 1 ? 1 : count); }
int threads() { return pool().size(); }
