#include <cstdlib>
#include <cstring>

#include "ops.h"

std::vector<const Ops *> availableOps() {
  std::vector<const Ops *> found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  if (avx512) found.push_back(&avx512Ops);
  if (avx2) found.push_back(&avx2Ops);
#endif
  found.push_back(&baseOps);
  return found;
}

const Ops &chooseOps() {
  const std::vector<const Ops *> available = availableOps();
  const char *asked = std::getenv("ADMIN_NMT_ISA");
  for (const Ops *set : available)
    if (asked != nullptr && std::strcmp(asked, set->isa) == 0) return *set;
  return *available.front();
}
