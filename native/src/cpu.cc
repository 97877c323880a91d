// Which of the instruction sets that the engine was compiled for this processor has. Compiled with -DSETS(X)=X(base) X(avx2) …:
// those sets, the narrowest first; native/build.mjs leaves out what its compiler does not know.
#include <cstdlib>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "ops.h"

/// Whether the processor, and the operating system where it saves the registers, have a set.
namespace has {

bool base() { return true; }

#if defined(__x86_64__)
bool avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

bool avx512() {
  return avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

/// A bit of CPUID's leaf 7. (Older compilers know the others, and not the names of those that are read by this.)
bool leaf7(unsigned subleaf, int word, int bit) {
  unsigned words[4]; // EAX, EBX, ECX, EDX
  return __get_cpuid_count(7, subleaf, &words[0], &words[1], &words[2], &words[3]) != 0 && (words[word] >> bit & 1) != 0;
}

bool avx2vnni() { return avx2() && leaf7(1, 0, 4); }
bool avx512vnni() { return avx512() && leaf7(0, 2, 11); }
bool avx512bf16() { return avx512vnni() && leaf7(1, 0, 5); }
#endif

} // namespace has

#define DECLARE(isa) extern const InstructionSet isa##Set;
SETS(DECLARE)

std::vector<const InstructionSet *> availableSets() {
#if defined(__x86_64__)
  __builtin_cpu_init();
#endif
  std::vector<const InstructionSet *> found;
#define ADD(isa) \
  if (has::isa()) found.insert(found.begin(), &isa##Set);
  SETS(ADD)
  return found;
}

const InstructionSet &chooseSet() {
  const std::vector<const InstructionSet *> available = availableSets();
  const char *asked = std::getenv("ADMIN_NMT_ISA");
  for (const InstructionSet *set : available)
    if (asked != nullptr && std::strcmp(asked, set->name) == 0) return *set;
  return *available.front();
}
