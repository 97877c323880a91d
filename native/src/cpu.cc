#include <cstdlib>
#include <cstring>

#include "ops.h"

const Ops &chooseOps() {
#if defined(__x86_64__)
  const char *asked = std::getenv("ADMIN_NMT_ISA");
  const auto allowed = [&](const char *name) {
    if (asked == nullptr) return true;
    if (std::strcmp(asked, "base") == 0) return false;
    return std::strcmp(asked, "avx2") != 0 || std::strcmp(name, "avx2") == 0;
  };
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  if (avx512 && allowed("avx512")) return avx512Ops;
  if (avx2 && allowed("avx2")) return avx2Ops;
#endif
  return baseOps;
}
