// All ops for one instruction set: compiled with -DISA=base, avx2 or avx512 and the flags that belong to it.
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

#define JOIN(a, b) a##b
#define TABLE(isa) JOIN(isa, Ops)
#define TEXT(a) #a
#define NAME(isa) TEXT(isa)

extern const Ops TABLE(ISA) = {
    NAME(ISA),
    ISA::matMul,
    ISA::linear,
    ISA::linearGradient,
    ISA::packWeight,
    ISA::packedWeightSize,
    ISA::packedLinear,
    ISA::feedForwardInner,
    ISA::feedForwardInnerGradient,
    ISA::residual,
    ISA::residualGradient,
    ISA::layerNorm,
    ISA::layerNormGradient,
    ISA::attention,
    ISA::attentionGradient,
    ISA::embedding,
    ISA::embeddingGradient,
    ISA::crossEntropy,
    ISA::adam,
    ISA::movingAverage,
    ISA::sumOfSquares,
    ISA::storeRows,
    ISA::cachedAttention,
    ISA::topLogProbs,
    ISA::logPartitions,
    ISA::add,
    ISA::subtract,
    ISA::multiplyElements,
    ISA::scaleBy,
    ISA::dropout,
};
