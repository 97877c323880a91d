#include "scratch.h"

#include <cstdlib>

namespace {

struct Block {
  float *data = nullptr;
  int64_t size = 0;
  ~Block() { free(data); }
};

thread_local Block blocks[8];

} // namespace

float *scratch(Use use, int64_t n) {
  Block &block = blocks[static_cast<int>(use)];
  if (block.size < n) {
    free(block.data);
    block.data = nullptr;
    block.size = 0;
    const int64_t size = (n + 15) / 16 * 16;
    const size_t bytes = static_cast<size_t>(size) * sizeof(float);
    void *memory = nullptr;
    if (posix_memalign(&memory, 64, bytes) != 0) throw OutOfMemory(bytes);
    block.data = static_cast<float *>(memory);
    block.size = size;
  }
  return block.data;
}
