// Open MPI and MPICH (Intel MPI, MVAPICH and Cray's have the ABI of MPICH) differ in a handful of constants; the calls that
// are used here have the same names and the same arguments. So no header of theirs is needed, and no compiler wrapper.
#include "library.h"

#include <dlfcn.h>

#include <stdexcept>

namespace {

void *symbol(void *library, const std::string &file, const char *name) {
  void *found = dlsym(library, name);
  if (found == nullptr) throw std::runtime_error(file + " has no " + name);
  return found;
}

/// Constants of Open MPI: the addresses of its objects.
void openMpi(Library &to, void *library) {
  const auto object = [&](const char *name) { return reinterpret_cast<Handle>(symbol(library, to.file, name)); };
  to.world = object("ompi_mpi_comm_world");
  to.byte = object("ompi_mpi_byte");
  to.floats = object("ompi_mpi_float");
  to.doubles = object("ompi_mpi_double");
  to.sum = object("ompi_mpi_op_sum");
  to.returnErrors = object("ompi_mpi_errors_return");
  to.inPlace = reinterpret_cast<void *>(1);
  to.noStatus = nullptr;
  to.anyone = -1;
}

/// Constants of the common ABI of MPICH, since 2014 (https://www.mpich.org/abi/).
void mpich(Library &to) {
  to.world = 0x44000000;
  to.byte = 0x4c00010d;
  to.floats = 0x4c00040a;
  to.doubles = 0x4c00080b;
  to.sum = 0x58000003;
  to.returnErrors = 0x54000001;
  to.inPlace = reinterpret_cast<void *>(-1);
  to.noStatus = reinterpret_cast<void *>(1);
  to.anyone = -2;
}

template <class F> void find(F &to, void *library, const std::string &file, const char *name) {
  to = reinterpret_cast<F>(symbol(library, file, name));
}

Library callsOf(void *library, const std::string &file) {
  Library to{};
  to.file = file;
  if (dlsym(library, "ompi_mpi_comm_world") != nullptr) openMpi(to, library);
  else mpich(to);
  find(to.initThread, library, file, "MPI_Init_thread");
  find(to.finalize, library, file, "MPI_Finalize");
  find(to.abort, library, file, "MPI_Abort");
  find(to.rank, library, file, "MPI_Comm_rank");
  find(to.size, library, file, "MPI_Comm_size");
  find(to.setErrorHandler, library, file, "MPI_Comm_set_errhandler");
  find(to.errorString, library, file, "MPI_Error_string");
  find(to.version, library, file, "MPI_Get_library_version");
  find(to.send, library, file, "MPI_Isend");
  find(to.receive, library, file, "MPI_Irecv");
  find(to.test, library, file, "MPI_Test");
  find(to.sumOverAll, library, file, "MPI_Iallreduce");
  return to;
}

} // namespace

Library openLibrary(const std::vector<std::string> &files) {
  std::string said;
  for (const std::string &file : files) {
    // Its plug-ins look for its symbols among the global ones.
    void *library = dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (library != nullptr) return callsOf(library, file);
    said += (said.empty() ? "" : "; ") + std::string(dlerror());
  }
  throw std::runtime_error(said);
}
