// The boundary to JavaScript: the only file that knows N-API. It exports whatever the table of an instruction set holds.
#include <napi.h>

#include <cstdlib>
#include <memory>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "ops.h"
#include "pool.h"
#include "scratch.h"

namespace {

template <class Array, class T> Span<T> spanOf(const Napi::Value &value, napi_typedarray_type type, const char *kind) {
  if (value.IsNull()) return {};
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type)
    throw std::invalid_argument(std::string("expected a ") + kind);
  Array array = value.As<Array>();
  static std::remove_const_t<T> nothing{}; // an empty array may have no memory: it must not pass for an absent one
  return {array.ElementLength() > 0 ? array.Data() : &nothing, static_cast<int64_t>(array.ElementLength())};
}

double numberOf(const Napi::Value &value) {
  if (!value.IsNumber()) throw std::invalid_argument("expected a number");
  return value.As<Napi::Number>().DoubleValue();
}

int64_t sizeOf(const Napi::Value &value) {
  const double number = numberOf(value);
  if (!(number >= 0 && number <= 9007199254740991.0)) throw std::invalid_argument("expected a size");
  return static_cast<int64_t>(number);
}

/// Presence of memory, null in JavaScript, is checked by the op itself for what may be absent; all else has to be there.
class CallArguments final : public Arguments {
 public:
  explicit CallArguments(const Napi::CallbackInfo &info) : info(info) {}

  void read(int place, Floats &to) const override {
    to = spanOf<Napi::Float32Array, float>(info[place], napi_float32_array, "Float32Array");
  }
  void read(int place, Ints &to) const override {
    to = spanOf<Napi::Int32Array, const int32_t>(info[place], napi_int32_array, "Int32Array");
  }
  void read(int place, Span<int32_t> &to) const override {
    to = spanOf<Napi::Int32Array, int32_t>(info[place], napi_int32_array, "Int32Array");
  }
  void read(int place, double &to) const override { to = numberOf(info[place]); }
  void read(int place, int64_t &to) const override { to = sizeOf(info[place]); }
  void read(int place, bool &to) const override { to = info[place].ToBoolean(); }
  /// null, or a Float64Array of rate, seed, step and site.
  void read(int place, Dropout &to) const override {
    const auto span = spanOf<Napi::Float64Array, double>(info[place], napi_float64_array, "Float64Array");
    if (!span) return;
    expect(span, 4, "dropout");
    const uint64_t seed = static_cast<uint64_t>(span[1]);
    to = {span[0], static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32), static_cast<uint32_t>(span[2]),
          static_cast<uint32_t>(span[3])};
  }

 private:
  const Napi::CallbackInfo &info;
};

void expectArguments(const Napi::CallbackInfo &info, size_t count) {
  if (info.Length() != count)
    throw std::invalid_argument("expected " + std::to_string(count) + " arguments, found " + std::to_string(info.Length()));
}

/// Exports a function of a call. What it throws becomes a JavaScript error that names it, with Node's own code where the
/// system had no memory to give.
template <class F> void expose(Napi::Object &exports, const char *name, F f) {
  const auto guarded = [name, f](const Napi::CallbackInfo &info) -> Napi::Value {
    const auto say = [name](const std::exception &error) { return std::string(name) + ": " + error.what(); };
    try {
      return f(info);
    } catch (const Napi::Error &) {
      throw; // JavaScript's own
    } catch (const std::invalid_argument &error) {
      throw Napi::TypeError::New(info.Env(), say(error));
    } catch (const std::bad_alloc &error) {
      Napi::Error refusal = Napi::Error::New(info.Env(), say(error));
      refusal.Set("code", Napi::String::New(info.Env(), "ERR_MEMORY_ALLOCATION_FAILED"));
      throw refusal;
    } catch (const std::exception &error) {
      throw Napi::Error::New(info.Env(), say(error));
    }
  };
  exports.Set(name, Napi::Function::New(exports.Env(), guarded, name));
}

/// Exports an op.
void add(Napi::Object &exports, const Op &op) {
  expose(exports, op.name, [&op](const Napi::CallbackInfo &info) -> Napi::Value {
    expectArguments(info, op.arguments);
    const double result = op.run(CallArguments(info));
    return op.returnsNumber ? Napi::Number::New(info.Env(), result) : info.Env().Undefined();
  });
}

/// Bytes of a large page.
constexpr size_t LARGE = size_t{1} << 21;

/// Memory for tensors: aligned to 64 bytes, in large pages where it is large. Freed when JavaScript forgets it.
Napi::Value allocate(const Napi::CallbackInfo &info) {
  const size_t bytes = static_cast<size_t>(sizeOf(info[0]));
  void *memory = nullptr;
  if (posix_memalign(&memory, bytes >= LARGE ? LARGE : 64, bytes) != 0) throw OutOfMemory(bytes);
  std::unique_ptr<void, decltype(&std::free)> owned(memory, std::free);
#if defined(__linux__)
  if (bytes >= LARGE) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  const Napi::Value buffer =
      Napi::ArrayBuffer::New(info.Env(), memory, bytes, [](Napi::Env, void *data) { std::free(data); });
  owned.release();
  return buffer;
}

/// Bytes until memory of JavaScript's own is a multiple of so many. Asks for large pages where it is large.
Napi::Value align(const Napi::CallbackInfo &info) {
  expectArguments(info, 2);
  const auto memory = spanOf<Napi::Uint8Array, uint8_t>(info[0], napi_uint8_array, "Uint8Array");
  const uintptr_t bytes = static_cast<uintptr_t>(sizeOf(info[1])), address = reinterpret_cast<uintptr_t>(memory.data);
  if (bytes == 0) throw std::invalid_argument("expected a number of bytes");
#if defined(__linux__)
  const uintptr_t first = (address + LARGE - 1) / LARGE * LARGE, last = (address + static_cast<uintptr_t>(memory.size)) / LARGE * LARGE;
  if (first < last) madvise(reinterpret_cast<void *>(first), last - first, MADV_HUGEPAGE);
#endif
  return Napi::Number::New(info.Env(), static_cast<double>((bytes - address % bytes) % bytes));
}

/// Gives the whole pages of a stretch of such memory back to the system, where it takes them; what is in them is lost.
Napi::Value discard(const Napi::CallbackInfo &info) {
  expectArguments(info, 3);
  if (!info[0].IsArrayBuffer()) throw std::invalid_argument("expected an ArrayBuffer");
  Napi::ArrayBuffer memory = info[0].As<Napi::ArrayBuffer>();
  const int64_t start = sizeOf(info[1]), end = sizeOf(info[2]);
  if (end > static_cast<int64_t>(memory.ByteLength())) throw std::invalid_argument("expected a stretch of the memory");
#if defined(__linux__)
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t base = reinterpret_cast<uintptr_t>(memory.Data());
  const uintptr_t first = (base + static_cast<uintptr_t>(start) + page - 1) / page * page;
  const uintptr_t last = (base + static_cast<uintptr_t>(end)) / page * page;
  if (first < last) madvise(reinterpret_cast<void *>(first), last - first, MADV_DONTNEED);
#else
  (void)start;
#endif
  return info.Env().Undefined();
}

void setThreadCount(int64_t count) {
  if (count < 1 || count > INT32_MAX) throw std::invalid_argument("expected a number of threads from 1 on");
  setThreads(static_cast<int>(count));
}

constexpr Op SET_THREADS = Calls<&setThreadCount>::op("setThreads");

/// Names of the instruction sets that this machine has, the widest first.
Napi::Array instructionSets(Napi::Env env) {
  Napi::Array names = Napi::Array::New(env);
  for (const InstructionSet *set : availableSets()) names.Set(names.Length(), Napi::String::New(env, set->name));
  return names;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  static const InstructionSet &chosen = chooseSet();
  exports.Set("isa", Napi::String::New(env, chosen.name));
  exports.Set("bits", Napi::String::New(env, chosen.bits));
  exports.Set("isas", instructionSets(env));
  expose(exports, "allocate", allocate);
  expose(exports, "align", align);
  expose(exports, "discard", discard);
  add(exports, SET_THREADS);
  for (int64_t i = 0; i < chosen.ops.size; i++) add(exports, chosen.ops[i]);
  return exports;
}

} // namespace

NODE_API_MODULE(admin_nmt, init)
