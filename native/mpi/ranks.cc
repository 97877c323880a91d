#include "ranks.h"

#include <csignal>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <thread>

namespace {

using namespace std::chrono_literals;

/// How often a rank looks whether those on its host still live.
constexpr auto LOOK = 200ms;

/// What the first rank that speaks has for its message, and the launcher to end the others, which Open MPI does after a second.
constexpr auto PRECEDENCE = 1500ms;

/// What MPI_Finalize may take.
constexpr double LEAVE_SECONDS = 10;

bool isThere(int process) { return kill(process, 0) == 0 || errno != ESRCH; }

bool isPipe(int file) {
  struct stat kind = {};
  return fstat(file, &kind) == 0 && S_ISFIFO(kind.st_mode);
}

/// Gives the launcher time to read what this process wrote, and to hand it on: MPICH's may throw away what is on its way
/// when all end.
void letBeRead() {
  for (int file : {STDOUT_FILENO, STDERR_FILENO}) {
    if (!isPipe(file)) continue;
    int unread = 0;
    for (auto waited = 0ms; waited < 2s && ioctl(file, FIONREAD, &unread) == 0 && unread > 0; waited += 10ms)
      std::this_thread::sleep_for(10ms);
  }
  std::this_thread::sleep_for(100ms);
}

/// Ends this process where MPI does not, or waits for what is gone.
void endSoon(int code, std::chrono::duration<double> after) {
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

void Ranks::close(int exitCode) {
  wait(begin([this, exitCode] {
    double patience = LEAVE_SECONDS;
    {
      std::lock_guard<std::mutex> lock(mutex);
      closing = true;
      patience = std::min(patience, timeout);
    }
    if (size > 1) {
      if (rank == 0)
        for (int from = 1; from < size; from++) receive(from);
      else send("", 0);
      spread("");
      Request own; // MPI wants what it waits for to be sent
      check(mpi.send(&codeOfAnother, 1, mpi.byte, rank, FAREWELL, mpi.world, &own), "MPI_Isend");
      finish(farewell, rank);
      finish(own, rank);
    }
    // All have done their work. MPICH over UCX now and then waits here for ever, one rank for another host's, which has gone on.
    endSoon(exitCode, std::chrono::duration<double>(patience));
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
    std::this_thread::sleep_for(untilMyTurn());
    end(error.what(), 1);
  }
}

/// Those that notice the same give way to the first of them on their host, which ends them: one message is enough.
std::chrono::milliseconds Ranks::untilMyTurn() {
  std::lock_guard<std::mutex> lock(mutex);
  std::chrono::milliseconds pause = rank * 10ms;
  for (const auto &[other, process] : others.here)
    if (other < rank && isThere(process)) pause += PRECEDENCE;
  return pause;
}

void Ranks::start() {
  int given = 0;
  if (mpi.initThread(nullptr, nullptr, 1 /* MPI_THREAD_FUNNELED */, &given) != 0)
    throw std::runtime_error("MPI_Init_thread fails");
  mpi.setErrorHandler(mpi.world, mpi.returnErrors);
  check(mpi.rank(mpi.world, &rank), "MPI_Comm_rank");
  check(mpi.size(mpi.world, &size), "MPI_Comm_size");
  if (size > 1) check(mpi.receive(&codeOfAnother, 1, mpi.byte, mpi.anyone, FAREWELL, mpi.world, &farewell), "MPI_Irecv");
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

/// What a rank that ends sends to the other hosts: launchers mostly end those, but Slurm asks them to end first, and kills them
/// after half a minute, as they wait for what is gone.
void Ranks::sayFarewell(int exitCode) {
  static unsigned char text;
  text = static_cast<unsigned char>(exitCode);
  std::vector<Request> sent;
  for (size_t other = 0; other < others.hosts.size(); other++) {
    if (others.hosts[other] == others.hosts[static_cast<size_t>(rank)]) continue;
    Request request;
    if (mpi.send(&text, 1, mpi.byte, static_cast<int>(other), FAREWELL, mpi.world, &request) == 0) sent.push_back(request);
  }
  for (auto waited = 0ms; waited < 500ms && !sent.empty(); waited += 10ms) {
    int done = 0;
    while (!sent.empty() && mpi.test(&sent.back(), &done, mpi.noStatus) == 0 && done != 0) sent.pop_back();
    std::this_thread::sleep_for(10ms);
  }
}

/// Ends where another host has sent its farewell; if the launcher does so, it may be the first.
void Ranks::hearFarewell() {
  int done = 0;
  if (size == 1 || mpi.test(&farewell, &done, mpi.noStatus) != 0 || done == 0) return;
  std::this_thread::sleep_for(2s);
  _exit(codeOfAnother);
}

/// Ends where this process asks for it, or where one on this host is gone, or says so on another.
void Ranks::lookAround() {
  if (aborting) end(lastWords, code);
  if (Clock::now() - lookedAround < LOOK) return;
  lookedAround = Clock::now();
  std::lock_guard<std::mutex> lock(mutex);
  if (closing) return;
  hearFarewell();
  for (const auto &[other, process] : others.here) {
    if (!isThere(process))
      throw std::runtime_error(nameOf(other) + " has ended (process " + std::to_string(process) + "), so all ranks end");
  }
}

void Ranks::end(const std::string &message, int exitCode) {
  if (!message.empty()) std::fprintf(stderr, "error: %s\n", message.c_str());
  std::fflush(stderr);
  endSoon(exitCode, 5s);
  sayFarewell(exitCode);
  letBeRead();
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
