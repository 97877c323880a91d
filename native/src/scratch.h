// Working memory of an op: one block for each use and thread, which grows and is kept.
#pragma once
#include <cstdint>

enum class Use { packedA, packedB, keys, scores, partials, logits };

/// At least n floats, aligned to 64 bytes. Holds what it held for as long as this thread asks for no more of it.
float *scratch(Use use, int64_t n);
