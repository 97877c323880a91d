// What an op is to whoever calls it by name. The one list of all ops is the table in isa.cc; what each of them does, and
// what it checks, stands with it in ops/.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "spans.h"

/// The arguments of a call, as the caller has them: each is read as what the op takes at its place, or throws.
class Arguments {
 public:
  virtual void read(int place, Floats &to) const = 0;
  virtual void read(int place, Ints &to) const = 0;
  virtual void read(int place, Span<int32_t> &to) const = 0;
  virtual void read(int place, double &to) const = 0;
  virtual void read(int place, int64_t &to) const = 0;
  virtual void read(int place, bool &to) const = 0;
  virtual void read(int place, Dropout &to) const = 0;

 protected:
  ~Arguments() = default;
};

/// A function with the name that it is called by.
struct Op {
  const char *name;
  int arguments;
  bool returnsNumber;
  /// What it returns; 0 where it returns nothing.
  double (*run)(const Arguments &arguments);
};

template <auto function> struct Calls;
template <class R, class... A, R (*function)(A...)> struct Calls<function> {
  static constexpr Op op(const char *name) {
    return {name, sizeof...(A), !std::is_void_v<R>,
            [](const Arguments &given) { return run(given, std::index_sequence_for<A...>{}); }};
  }

  template <class T> static T at(const Arguments &given, int place) {
    T value;
    given.read(place, value);
    return value;
  }

  template <size_t... I> static double run(const Arguments &given, std::index_sequence<I...>) {
    if constexpr (std::is_void_v<R>) return function(at<A>(given, I)...), 0;
    else return function(at<A>(given, I)...);
  }
};

/// All ops, compiled for one instruction set.
struct InstructionSet {
  const char *name;
  /// The first of the sets that compute the same bits.
  const char *bits;
  Span<const Op> ops;
};

/// Those that the addon holds, and this processor and its operating system have, the widest first.
std::vector<const InstructionSet *> availableSets();

/// The one that `ADMIN_NMT_ISA` names, or the widest where it names none of them: whoever loads the addon compares.
const InstructionSet &chooseSet();
