#pragma once

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sched.h>
#include <sys/mount.h>
#endif

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "support/temporary_folder.hpp"

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

/// Mounts a disk of so many bytes where nobody else sees it, and which is gone with this process. Root
/// may do that; others where they may be root of a namespace of their own. False where neither is so.
inline bool mount_small_disk(const std::filesystem::path& folder, std::size_t bytes) {
#ifdef __linux__
  const auto user = std::to_string(getuid()), group = std::to_string(getgid());
  if (unshare(CLONE_NEWNS) != 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << "0 " + user + " 1";
    std::ofstream("/proc/self/gid_map") << "0 " + group + " 1";
  }
  const auto options = "size=" + std::to_string(bytes);
  return mount("none", "/", "none", MS_REC | MS_PRIVATE, "") == 0 &&
         mount("tmpfs", folder.c_str(), "tmpfs", 0, options.c_str()) == 0;
#else
  return false;
#endif
}

/// Runs `run(folder)` in a process of its own where a disk of so many bytes is mounted, and returns the
/// text that it returns; nothing where none can be mounted.
template <class Run>
std::optional<std::string> on_small_disk(std::size_t bytes, const Run& run) {
  enum Status { done, not_mounted, failed };
  const TemporaryFolder folder;
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) return std::nullopt;
  const pid_t child = fork();
  if (child == 0) {
    if (!mount_small_disk(folder.path(), bytes)) _exit(not_mounted);
    std::string text;
    try {
      text = run(folder.path());
    } catch (const std::exception& error) {
      text = error.what();
    }
    const auto size = static_cast<ssize_t>(text.size());
    _exit(write(pipe[1], text.data(), text.size()) == size ? done : failed);
  }
  close(pipe[1]);
  std::string text;
  std::array<char, 1024> piece{};
  for (ssize_t count = 0; (count = read(pipe[0], piece.data(), piece.size())) > 0;) {
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  close(pipe[0]);
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return "a process that was killed";
  if (WEXITSTATUS(status) == not_mounted) return std::nullopt;
  return WEXITSTATUS(status) == done ? text : "a process that failed";
}

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
