#pragma once

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace heed::testing {

/// Writing beyond the first bytes of any file fails while this lives.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    signal_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit_);
    rlimit small = limit_;
    small.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, signal_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit limit_{};
  void (*signal_)(int) = SIG_DFL;
};

/// Nothing can be made, replaced or removed in a folder while this lives; root, whom permissions do not
/// stop, is somebody else meanwhile.
class ReadOnlyFolder {
 public:
  explicit ReadOnlyFolder(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::permissions(folder_, std::filesystem::perms(0555));
    if (user_ == 0) is_dropped_ = seteuid(65534) == 0;
  }
  ~ReadOnlyFolder() {
    if (is_dropped_ && seteuid(user_) != 0) std::abort();
    std::filesystem::permissions(folder_, std::filesystem::perms(0755));
  }
  ReadOnlyFolder(const ReadOnlyFolder&) = delete;
  ReadOnlyFolder& operator=(const ReadOnlyFolder&) = delete;

 private:
  std::filesystem::path folder_;
  uid_t user_ = geteuid();
  bool is_dropped_ = false;
};

}  // namespace heed::testing
