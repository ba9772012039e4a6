#include "support/fsync.hpp"

#ifdef __linux__

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

/// In place of the C library's.
extern "C" int fsync(int file) {
  if (heed::testing::on_fsync) {
    struct stat status {};
    const bool is_folder = fstat(file, &status) == 0 && S_ISDIR(status.st_mode);
    if (const int error = heed::testing::on_fsync(is_folder)) {
      errno = error;
      return -1;
    }
  }
  return static_cast<int>(syscall(SYS_fsync, file));
}

#endif
