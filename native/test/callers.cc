// Several callers of the pool at once, for the thread sanitizer (scripts/sanitize.mjs): callers JOBS CALLERS.
// Each caller gives the pool jobs whose sums it knows; every 100th throws in one of its pieces, and every 1000th is a
// linear map of the engine, whose bits are compared with those of one thread. Another thread changes the number of the
// pool's threads all the while.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

#include "../src/ops/linear.h"
#include "../src/pool.h"

namespace {

constexpr int64_t ROWS = 97, IN = 33, OUT = 70;

std::atomic<int64_t> wrong{0}, thrown{0}, shared{0};

std::vector<float> product() {
  std::vector<float> x(ROWS * IN), weight(OUT * IN), bias(OUT), y(ROWS * OUT);
  for (size_t i = 0; i < x.size(); i++) x[i] = static_cast<float>(i % 13) / 7 - 1;
  for (size_t i = 0; i < weight.size(); i++) weight[i] = static_cast<float>(i % 17) / 9 - 1;
  const auto span = [](std::vector<float> &v) { return Floats{v.data(), static_cast<int64_t>(v.size())}; };
  ISA::linear(span(x), span(weight), span(bias), span(y), ROWS, IN, OUT);
  return y;
}

void sumJob(int64_t n) {
  std::vector<int64_t> squares(static_cast<size_t>(n), -1);
  std::atomic<bool> helped{false};
  const std::thread::id caller = std::this_thread::get_id();
  parallel(n, 3, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) squares[i] = i * i;
    if (std::this_thread::get_id() != caller) helped = true;
  });
  if (helped) shared++;
  for (int64_t i = 0; i < n; i++)
    if (squares[i] != i * i) {
      wrong++;
      return;
    }
}

void throwingJob(int64_t n) {
  try {
    parallel(n, 1, [&](int64_t, int64_t end) {
      if (end > n / 2) throw std::runtime_error("a piece");
    });
    wrong++;
  } catch (const std::runtime_error &) {
    thrown++;
  }
}

void callPool(int64_t jobs, int caller, const std::vector<float> &expected) {
  for (int64_t job = 0; job < jobs; job++) {
    const int64_t n = 20 + (job * 7 + caller * 13) % 50;
    if (job % 1000 == 999) {
      const std::vector<float> found = product();
      if (std::memcmp(found.data(), expected.data(), sizeof(float) * expected.size()) != 0) wrong++;
    } else if (job % 100 == 99) {
      throwingJob(n);
    } else {
      sumJob(n);
    }
  }
}

} // namespace

int main(int argc, char **argv) {
  const int64_t jobs = argc > 1 ? std::atoll(argv[1]) : 1000;
  const int callers = argc > 2 ? std::atoi(argv[2]) : 2;
  const std::vector<float> expected = product(); // one thread
  setThreads(2);
  std::atomic<bool> done{false};
  std::thread resizer([&] {
    for (int i = 0; !done; i++) {
      setThreads(1 + i % 4);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < callers; i++) threads.emplace_back(callPool, jobs, i, std::cref(expected));
  for (std::thread &thread : threads) thread.join();
  done = true;
  resizer.join();
  std::printf("%d callers x %lld jobs, %lld of them shared with the pool: %lld wrong, %lld exceptions came back\n", callers,
              static_cast<long long>(jobs), static_cast<long long>(shared), static_cast<long long>(wrong),
              static_cast<long long>(thrown));
  return wrong == 0 && thrown == callers * (jobs / 100 - jobs / 1000) ? 0 : 1;
}
