// Working memory of an op: one block for each use and thread, which grows and is kept.
#pragma once
#include <cstdint>
#include <new>
#include <string>

/// Says how much the system did not give.
class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(size_t bytes) : message("no memory for " + std::to_string(bytes) + " bytes") {}
  const char *what() const noexcept override { return message.c_str(); }

 private:
  std::string message;
};

enum class Use { packedA, packedB, packedWeight, keys, scores, partials, logits, quantized };

/// At least n floats, aligned to 64 bytes. Holds what it held for as long as this thread asks for no more of it.
/// @throws OutOfMemory
float *scratch(Use use, int64_t n);
