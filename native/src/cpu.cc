#include <cstdlib>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "ops.h"

#if defined(__x86_64__)
namespace {

/// (Compilers know its name since GCC 13 alone.)
bool hasAvxVnni() {
  unsigned a, b, c, d;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & 1u << 4) != 0;
}

} // namespace
#endif

std::vector<const InstructionSet *> availableSets() {
  std::vector<const InstructionSet *> found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  const bool vnni = avx512 && __builtin_cpu_supports("avx512vnni");
  if (vnni && __builtin_cpu_supports("avx512bf16")) found.push_back(&avx512bf16Set);
  if (vnni) found.push_back(&avx512vnniSet);
  if (avx512) found.push_back(&avx512Set);
  if (avx2 && hasAvxVnni()) found.push_back(&avx2vnniSet);
  if (avx2) found.push_back(&avx2Set);
#endif
  found.push_back(&baseSet);
  return found;
}

const InstructionSet &chooseSet() {
  const std::vector<const InstructionSet *> available = availableSets();
  const char *asked = std::getenv("ADMIN_NMT_ISA");
  for (const InstructionSet *set : available)
    if (asked != nullptr && std::strcmp(asked, set->name) == 0) return *set;
  return *available.front();
}
