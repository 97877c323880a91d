// The boundary to JavaScript of what speaks with other ranks.
#include <napi.h>

#include <memory>

#include "ranks.h"

namespace {

/// One a process; leaked at its end, where the thread may still be asleep in it.
Ranks *ranks = nullptr;

Ranks &open() {
  if (ranks == nullptr) throw std::runtime_error("MPI is not open");
  return *ranks;
}

std::string bytesOf(const Napi::Value &value) {
  const auto buffer = value.As<Napi::Uint8Array>();
  return {reinterpret_cast<const char *>(buffer.Data()), buffer.ByteLength()};
}

Napi::Value bufferOf(Napi::Env env, const std::string &text) { return Napi::Buffer<char>::Copy(env, text.data(), text.size()); }

std::vector<std::string> textsOf(const Napi::Value &value) {
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < array.Length(); i++) texts.push_back(array.Get(i).ToString());
  return texts;
}

/// open(libraries, seconds): rank, size and the library.
Napi::Value openRanks(const Napi::CallbackInfo &info) {
  if (ranks != nullptr) throw std::runtime_error("MPI is open already");
  Library library = openLibrary(textsOf(info[0]));
  const std::string file = library.file;
  ranks = new Ranks(std::move(library), info[1].ToNumber());
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("rank", ranks->rank);
  result.Set("size", ranks->size);
  result.Set("library", file);
  result.Set("version", ranks->version);
  return result;
}

/// know(hosts, ranks here, their processes)
Napi::Value know(const Napi::CallbackInfo &info) {
  Others others{textsOf(info[0]), {}};
  const auto here = info[1].As<Napi::Int32Array>(), processes = info[2].As<Napi::Int32Array>();
  for (size_t i = 0; i < here.ElementLength(); i++) others.here.push_back({here[i], processes[i]});
  open().know(std::move(others));
  return info.Env().Undefined();
}

Napi::Value setTimeout(const Napi::CallbackInfo &info) {
  open().setTimeout(info[0].ToNumber(), info[1].ToString());
  return info.Env().Undefined();
}

/// beginSum(arrays, exact): its ticket. The caller holds the arrays until it is done.
Napi::Value beginSum(const Napi::CallbackInfo &info) {
  const auto arrays = info[0].As<Napi::Array>();
  Row<float> floats;
  Row<double> doubles;
  for (uint32_t i = 0; i < arrays.Length(); i++) {
    const auto array = Napi::Value(arrays.Get(i)).As<Napi::TypedArray>();
    const auto count = static_cast<int64_t>(array.ElementLength());
    if (array.TypedArrayType() == napi_float32_array) floats.add(array.As<Napi::Float32Array>().Data(), count);
    else if (array.TypedArrayType() == napi_float64_array) doubles.add(array.As<Napi::Float64Array>().Data(), count);
    else throw std::invalid_argument("expected a Float32Array or a Float64Array");
  }
  const int64_t ticket = open().beginSum(std::move(floats), std::move(doubles), info[1].ToBoolean());
  return Napi::Number::New(info.Env(), static_cast<double>(ticket));
}

Napi::Value wait(const Napi::CallbackInfo &info) {
  open().wait(info[0].ToNumber().Int64Value());
  return info.Env().Undefined();
}

Napi::Value exchange(const Napi::CallbackInfo &info) {
  Napi::Array result = Napi::Array::New(info.Env());
  for (const std::string &text : open().exchange(bytesOf(info[0]))) result.Set(result.Length(), bufferOf(info.Env(), text));
  return result;
}

Napi::Value broadcast(const Napi::CallbackInfo &info) { return bufferOf(info.Env(), open().broadcast(bytesOf(info[0]))); }

Napi::Value abort(const Napi::CallbackInfo &info) { open().abort(info[0].ToString(), info[1].ToNumber()); }

Napi::Value close(const Napi::CallbackInfo &info) {
  open().close(info[0].ToNumber());
  return info.Env().Undefined();
}

/// traffic(): seconds of sums in the background, bytes sent, sums.
Napi::Value traffic(const Napi::CallbackInfo &info) {
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("sumSeconds", 1e-9 * static_cast<double>(open().sumNanoseconds));
  result.Set("bytes", static_cast<double>(open().bytes));
  result.Set("sums", static_cast<double>(open().sums));
  return result;
}

/// What a function throws becomes a JavaScript error.
template <Napi::Value (*F)(const Napi::CallbackInfo &)> Napi::Value guarded(const Napi::CallbackInfo &info) {
  try {
    return F(info);
  } catch (const Napi::Error &) {
    throw;
  } catch (const std::exception &error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("open", Napi::Function::New(env, guarded<openRanks>));
  exports.Set("know", Napi::Function::New(env, guarded<know>));
  exports.Set("setTimeout", Napi::Function::New(env, guarded<setTimeout>));
  exports.Set("beginSum", Napi::Function::New(env, guarded<beginSum>));
  exports.Set("wait", Napi::Function::New(env, guarded<wait>));
  exports.Set("exchange", Napi::Function::New(env, guarded<exchange>));
  exports.Set("broadcast", Napi::Function::New(env, guarded<broadcast>));
  exports.Set("abort", Napi::Function::New(env, guarded<abort>));
  exports.Set("close", Napi::Function::New(env, guarded<close>));
  exports.Set("traffic", Napi::Function::New(env, guarded<traffic>));
  return exports;
}

} // namespace

NODE_API_MODULE(admin_nmt_mpi, init)
