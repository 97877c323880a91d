// MPI as it is found on the machine: nothing of it is there when this is compiled.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// A communicator, a type or an operation: Open MPI has pointers, MPICH has ints, which are passed in the low half of the
/// same register.
using Handle = uintptr_t;

/// What a call that goes on in the background is known by: a pointer or an int in its first bytes.
struct Request {
  uintptr_t value = 0;
};

/// The calls that are used, and the constants that the two ABIs have for them.
struct Library {
  std::string file;
  Handle world, byte, sum, floats, doubles, returnErrors;
  void *inPlace, *noStatus;
  int anyone; // as the sender of what is received

  int (*initThread)(int *, char ***, int wanted, int *given);
  int (*finalize)();
  int (*abort)(Handle communicator, int code);
  int (*rank)(Handle communicator, int *);
  int (*size)(Handle communicator, int *);
  int (*setErrorHandler)(Handle communicator, Handle handler);
  int (*errorString)(int code, char *, int *length);
  int (*version)(char *, int *length);
  int (*send)(const void *, int count, Handle type, int to, int tag, Handle communicator, Request *);
  int (*receive)(void *, int count, Handle type, int from, int tag, Handle communicator, Request *);
  int (*test)(Request *, int *done, void *status);
  int (*sumOverAll)(const void *, void *, int count, Handle type, Handle operation, Handle communicator, Request *);
};

/// The first of these libraries that is there, of either ABI.
/// @throws std::runtime_error with what was looked for and what the system said
Library openLibrary(const std::vector<std::string> &files);
