// The boundary to JavaScript: the only file that knows N-API. An op's arguments are taken from the call by their C++
// types, so an op is exported by naming it once, at the end.
#include <napi.h>

#include <cstdlib>
#include <memory>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "ops.h"
#include "pool.h"
#include "scratch.h"

namespace {

const Ops &ops() {
  static const Ops &chosen = chooseOps();
  return chosen;
}

template <class T> struct Argument;

template <class Array, class T> Span<T> spanOf(const Napi::Value &value, napi_typedarray_type type, const char *kind) {
  if (value.IsNull()) return {};
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type)
    throw std::invalid_argument(std::string("expected a ") + kind);
  Array array = value.As<Array>();
  return {array.Data(), static_cast<int64_t>(array.ElementLength())};
}

template <> struct Argument<Floats> {
  static Floats from(const Napi::Value &value) { return spanOf<Napi::Float32Array, float>(value, napi_float32_array, "Float32Array"); }
};
template <> struct Argument<Ints> {
  static Ints from(const Napi::Value &value) { return spanOf<Napi::Int32Array, const int32_t>(value, napi_int32_array, "Int32Array"); }
};
template <> struct Argument<Span<int32_t>> {
  static Span<int32_t> from(const Napi::Value &value) { return spanOf<Napi::Int32Array, int32_t>(value, napi_int32_array, "Int32Array"); }
};
template <> struct Argument<double> {
  static double from(const Napi::Value &value) {
    if (!value.IsNumber()) throw std::invalid_argument("expected a number");
    return value.As<Napi::Number>().DoubleValue();
  }
};
template <> struct Argument<int64_t> {
  static int64_t from(const Napi::Value &value) {
    const double number = Argument<double>::from(value);
    if (!(number >= 0 && number <= 9007199254740991.0)) throw std::invalid_argument("expected a size");
    return static_cast<int64_t>(number);
  }
};
template <> struct Argument<Napi::ArrayBuffer> {
  static Napi::ArrayBuffer from(const Napi::Value &value) {
    if (!value.IsArrayBuffer()) throw std::invalid_argument("expected an ArrayBuffer");
    return value.As<Napi::ArrayBuffer>();
  }
};
template <> struct Argument<bool> {
  static bool from(const Napi::Value &value) { return value.ToBoolean(); }
};
/// null, or a Float64Array of rate, seed, step and site.
template <> struct Argument<Dropout> {
  static Dropout from(const Napi::Value &value) {
    const auto span = spanOf<Napi::Float64Array, double>(value, napi_float64_array, "Float64Array");
    if (!span) return {};
    expect(span, 4, "dropout");
    const uint64_t seed = static_cast<uint64_t>(span[1]);
    return {span[0], static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32), static_cast<uint32_t>(span[2]),
            static_cast<uint32_t>(span[3])};
  }
};

/// Presence is checked by the op itself for what may be absent; all else has to be there.
template <class R, class... A, size_t... I>
Napi::Value call(const Napi::CallbackInfo &info, R (*op)(A...), std::index_sequence<I...>) {
  if (info.Length() != sizeof...(A))
    throw std::invalid_argument("expected " + std::to_string(sizeof...(A)) + " arguments, found " + std::to_string(info.Length()));
  if constexpr (std::is_void_v<R>) {
    op(Argument<A>::from(info[I])...);
    return info.Env().Undefined();
  } else {
    return Napi::Number::New(info.Env(), op(Argument<A>::from(info[I])...));
  }
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
template <class R, class... A> void add(Napi::Object &exports, const char *name, R (*op)(A...)) {
  expose(exports, name, [op](const Napi::CallbackInfo &info) { return call(info, op, std::index_sequence_for<A...>{}); });
}

/// Memory for tensors: aligned to 64 bytes, in large pages where it is large. Freed when JavaScript forgets it.
Napi::Value allocate(const Napi::CallbackInfo &info) {
  const size_t bytes = static_cast<size_t>(Argument<int64_t>::from(info[0]));
  constexpr size_t LARGE = size_t{1} << 21;
  void *memory = nullptr;
  if (posix_memalign(&memory, bytes >= LARGE ? LARGE : 64, bytes) != 0) throw OutOfMemory(bytes);
  std::unique_ptr<void, decltype(&std::free)> owned(memory, std::free);
#if defined(__linux__)
  if (bytes >= LARGE) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  const Napi::Value buffer = Napi::ArrayBuffer::New(info.Env(), memory, bytes, [](Napi::Env, void *data) { std::free(data); });
  owned.release();
  return buffer;
}

/// Gives the whole pages of a stretch of such memory back to the system, where it takes them; what is in them is lost.
void discard(Napi::ArrayBuffer memory, int64_t start, int64_t end) {
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
}

void setThreadCount(int64_t count) {
  if (count < 1 || count > INT32_MAX) throw std::invalid_argument("expected a number of threads from 1 on");
  setThreads(static_cast<int>(count));
}

/// Names of the instruction sets that this machine has, the widest first.
Napi::Array instructionSets(Napi::Env env) {
  Napi::Array names = Napi::Array::New(env);
  for (const Ops *set : availableOps()) names.Set(names.Length(), Napi::String::New(env, set->isa));
  return names;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("isa", Napi::String::New(env, ops().isa));
  exports.Set("isas", instructionSets(env));
  expose(exports, "allocate", allocate);
  add(exports, "discard", discard);
  add(exports, "setThreads", setThreadCount);
#define ADD(name) add(exports, #name, ops().name)
  ADD(matMul);
  ADD(linear);
  ADD(linearGradient);
  ADD(packWeight);
  ADD(packedWeightSize);
  ADD(packedLinear);
  ADD(feedForwardInner);
  ADD(feedForwardInnerGradient);
  ADD(residual);
  ADD(residualGradient);
  ADD(layerNorm);
  ADD(layerNormGradient);
  ADD(attention);
  ADD(attentionGradient);
  ADD(embedding);
  ADD(embeddingGradient);
  ADD(crossEntropy);
  ADD(adam);
  ADD(movingAverage);
  ADD(sumOfSquares);
  ADD(storeRows);
  ADD(cachedAttention);
  ADD(topLogProbs);
  ADD(logPartitions);
  ADD(add);
  ADD(subtract);
  ADD(multiplyElements);
  ADD(scaleBy);
  ADD(dropout);
#undef ADD
  return exports;
}

} // namespace

NODE_API_MODULE(admin_nmt, init)
