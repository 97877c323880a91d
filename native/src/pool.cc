#include "pool.h"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
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

thread_local int currentThread = 0;

struct Job {
  void (*piece)(void *, int64_t, int64_t);
  void *context;
  int64_t n, grain, most;
};

/// All state that caller and workers share. Leaked at the end of the process, where threads may still be asleep in it.
class Pool {
 public:
  void resize(int count) {
    stop();
    stopping = false;
    const uint64_t seen = generation.load();
    for (int i = 1; i < count; i++) workers.emplace_back([this, i, seen] { work(i, seen); });
  }

  int size() const { return static_cast<int>(workers.size()) + 1; }

  void run(const Job &next) {
    if (workers.empty() || next.n <= next.grain || currentThread != 0) {
      for (int64_t begin = 0; begin < next.n; begin += next.most < next.n ? next.most : next.n)
        next.piece(next.context, begin, next.n - begin < next.most ? next.n : begin + next.most);
      return;
    }
    job = next;
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
  }

 private:
  void work(int number, uint64_t seen) {
    currentThread = number;
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

  void take() {
    int64_t begin = place.load(std::memory_order_relaxed);
    while (begin < job.n) {
      const int64_t left = job.n - begin, share = left / (4 * size());
      const int64_t wanted = share < job.grain ? job.grain : (share > job.most ? job.most : share);
      const int64_t end = wanted < left ? begin + wanted : job.n;
      if (!place.compare_exchange_weak(begin, end, std::memory_order_relaxed)) continue;
      job.piece(job.context, begin, end);
      begin = place.load(std::memory_order_relaxed);
    }
  }

  void stop() {
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
  std::atomic<bool> stopping{false};
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
int threadNumber() { return currentThread; }
