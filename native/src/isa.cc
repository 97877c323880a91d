// All ops for one instruction set: compiled with -DISA=base, avx2 or another of native/build.mjs and the flags that belong to it.
#include <iterator>

#include "ops.h"
#include "ops/attention.h"
#include "ops/cross-entropy.h"
#include "ops/decoding.h"
#include "ops/elementwise.h"
#include "ops/embedding.h"
#include "ops/feed-forward.h"
#include "ops/linear.h"
#include "ops/optimizer.h"
#include "ops/packed.h"
#include "ops/residual.h"

#define OP(name) Calls<&ISA::name>::op(#name)
#define JOIN(a, b) a##b
#define SET(isa) JOIN(isa, Set)
#define TEXT(a) #a
#define NAME(isa) TEXT(isa)

namespace {

/// The list of all ops: what stands here is exported to JavaScript under its name.
// clang-format off
constexpr Op OPS[] = {
    OP(matMul),
    OP(linear),
    OP(linearGradient),
    OP(packWeight),
    OP(packedWeightSize),
    OP(packedLinear),
    OP(feedForwardInner),
    OP(feedForwardInnerGradient),
    OP(residual),
    OP(residualGradient),
    OP(layerNorm),
    OP(layerNormGradient),
    OP(attention),
    OP(attentionGradient),
    OP(embedding),
    OP(embeddingGradient),
    OP(crossEntropy),
    OP(adam),
    OP(movingAverage),
    OP(sumOfSquares),
    OP(storeRows),
    OP(cachedAttention),
    OP(pickColumns),
    OP(topLogProbs),
    OP(add),
    OP(subtract),
    OP(multiplyElements),
    OP(scaleBy),
    OP(dropout),
};
// clang-format on

} // namespace

// Sums go by the width of vectors.
#if LANES == 16
#define BITS "avx512"
#elif LANES == 8
#define BITS "avx2"
#else
#define BITS NAME(ISA)
#endif

extern const InstructionSet SET(ISA) = {NAME(ISA), BITS, {OPS, std::size(OPS)}};
