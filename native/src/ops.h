// The ops, by name: one table for each instruction set, filled in isa.cc and called from addon.cc. What each op does,
// and what it checks, stands with it in ops/.
#pragma once
#include <vector>

#include "spans.h"

struct Ops {
  const char *isa;
  void (*matMul)(Floats a, Floats b, Floats c, int64_t batch, int64_t m, int64_t n, int64_t k, int64_t strideA, int64_t strideB,
                 bool transposeA, bool transposeB);
  void (*linear)(Floats x, Floats weight, Floats bias, Floats y, int64_t rows, int64_t in, int64_t out);
  void (*linearGradient)(Floats dy, Floats x, Floats weight, Floats dx, Floats dWeight, Floats dBias, int64_t rows, int64_t in,
                         int64_t out);
  void (*packWeight)(Floats weight, Floats packed, int64_t in, int64_t out);
  double (*packedWeightSize)(int64_t in, int64_t out);
  void (*packedLinear)(Floats x, Floats packed, Floats bias, Floats y, int64_t rows, int64_t in, int64_t out, int64_t activation);
  void (*feedForwardInner)(Floats x, Floats weight, Floats bias, Floats h, Floats before, int64_t rows, int64_t width, int64_t inner,
                           int64_t activation, Dropout dropout);
  void (*feedForwardInnerGradient)(Floats dy, Floats weight, Floats kept, Floats dInner, int64_t rows, int64_t width, int64_t inner,
                                   int64_t activation, Dropout dropout);
  void (*residual)(Floats x, Floats f, Floats omega, Floats gate, Floats gain, Floats bias, Floats y, Floats normal, Floats inverse,
                   int64_t rows, int64_t width, double alpha, Dropout dropout);
  void (*residualGradient)(Floats dy, Floats x, Floats f, Floats omega, Floats gate, Floats gain, Floats normal, Floats inverse,
                           Floats dx, Floats df, Floats dOmega, Floats dGate, Floats dGain, Floats dBias, int64_t rows,
                           int64_t width, double alpha, Dropout dropout);
  void (*layerNorm)(Floats x, Floats gain, Floats bias, Floats y, Floats normal, Floats inverse, int64_t rows, int64_t width);
  void (*layerNormGradient)(Floats dy, Floats normal, Floats inverse, Floats gain, Floats dx, Floats dGain, Floats dBias,
                            int64_t rows, int64_t width);
  void (*attention)(Floats q, int64_t qColumn, int64_t qStride, Floats k, int64_t kColumn, int64_t kStride, Floats v,
                    int64_t vColumn, int64_t vStride, Ints queryOffsets, Ints keyOffsets, Floats out, Floats logPartition,
                    int64_t heads, int64_t headWidth, bool causal, Dropout dropout);
  void (*attentionGradient)(Floats q, int64_t qColumn, int64_t qStride, Floats k, int64_t kColumn, int64_t kStride, Floats v,
                            int64_t vColumn, int64_t vStride, Ints queryOffsets, Ints keyOffsets, Floats out, Floats logPartition,
                            Floats dOut, Floats dq, Floats dk, Floats dv, int64_t heads, int64_t headWidth, bool causal,
                            Dropout dropout);
  void (*embedding)(Ints tokens, Floats table, Ints places, Floats positions, Floats y, int64_t width, double scale, Dropout dropout);
  void (*embeddingGradient)(Ints tokens, Floats dy, Floats dTable, int64_t width, double scale, Dropout dropout);
  void (*crossEntropy)(Floats hidden, Floats weight, Ints targets, Floats losses, Floats dHidden, Floats dWeight, int64_t rows,
                       int64_t width, int64_t size, double epsilon);
  void (*adam)(Floats p, Floats gradient, Floats m, Floats v, Floats scale, double beta1, double beta2, double step, double epsilon,
               double decay);
  void (*movingAverage)(Floats average, Floats parameter, double share);
  double (*sumOfSquares)(Floats x);
  void (*storeRows)(Floats rows, int64_t column, int64_t stride, Floats stored, int64_t first, int64_t width);
  void (*cachedAttention)(Floats queries, int64_t column, int64_t stride, Floats keys, Floats values, Ints seen, Ints seenOffsets,
                          Floats out, int64_t width, int64_t heads);
  void (*topLogProbs)(Floats logits, Ints forbidden, Span<int32_t> ids, Floats logProbs, int64_t rows, int64_t size, int64_t k);
  void (*logPartitions)(Floats logits, Floats out, int64_t rows, int64_t size);
  void (*add)(Floats a, Floats b, Floats out);
  void (*subtract)(Floats a, Floats b, Floats out);
  void (*multiplyElements)(Floats a, Floats b, Floats out);
  void (*scaleBy)(Floats a, Floats factor, Floats out);
  void (*dropout)(Floats x, Floats out, Dropout key);
};

extern const Ops baseOps, avx2Ops, avx512Ops;

/// Those that this processor and its operating system have, the widest first.
std::vector<const Ops *> availableOps();

/// The one that `ADMIN_NMT_ISA` names, or the widest where it names none of them: whoever loads the addon compares.
const Ops &chooseOps();
