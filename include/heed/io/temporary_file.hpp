#pragma once

#include <heed/version.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <system_error>

#if __has_include(<sys/file.h>) && __has_include(<sys/stat.h>) && __has_include(<unistd.h>)
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#define HEED_POSIX_FILES
#endif

namespace heed::detail {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FileHandle = std::unique_ptr<std::FILE, CloseFile>;

/// A temporary file in the folder of a target. It is removed at the end of the scope unless it was
/// renamed to the target.
///
/// Its writer holds a lock on it, which ends with the process. A file without a lock was left by a
/// process that was killed. It is removed, so the number of such files for a target never exceeds
/// the number of processes that wrote to it at the same time. On systems without such locks, names
/// are random, and files left behind are not removed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target) {
    for (unsigned attempt = 0; attempt < 1000 && !exists_; ++attempt) {
      path_ = target.parent_path() / name(target, attempt);
      remove_left();
      file_.reset(std::fopen(path_.string().c_str(), "wbx"));  // x: fails if the name is taken
      if (!file_ && errno != EEXIST) return;
      exists_ = file_ != nullptr && lock();
    }
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    std::error_code ignored;
    if (exists_) std::filesystem::remove(path_, ignored);
  }

  bool is_open() const { return exists_; }
  const std::filesystem::path& path() const { return path_; }

  /// Writes and flushes all bytes to the disk. Returns false, with the reason in `errno`, on
  /// failure.
  bool write(std::span<const std::byte> bytes) {
    const bool good = bytes.empty() ||  // std::fwrite takes no null pointer
                      std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) == bytes.size();
    if (!good || std::fflush(file_.get()) != 0) return false;
#ifdef HEED_POSIX_FILES
    return fsync(fileno(file_.get())) == 0;  // stays open, and so locked, until it is renamed
#else
    return std::fclose(file_.release()) == 0;
#endif
  }

  /// Renames the file to the target.
  void rename(const std::filesystem::path& target, std::error_code& error) {
    std::filesystem::rename(path_, target, error);
    exists_ = static_cast<bool>(error);
  }

  /// Flushes the target's folder to the disk if the system supports it: after a power failure, a
  /// file can only be found if its name is on the disk too. Returns false, with the reason in
  /// `errno`, on failure.
  static bool keep_name(const std::filesystem::path& target) {
#ifdef HEED_POSIX_FILES
    const auto folder = target.has_parent_path() ? target.parent_path() : ".";
    const FileHandle handle(std::fopen(folder.c_str(), "rb"));
    if (!handle) return true;  // the folder may be writable but not readable
    if (fsync(fileno(handle.get())) != 0) return errno == EINVAL || errno == ENOTSUP;
#endif
    return true;
  }

 private:
#ifdef HEED_POSIX_FILES
  /// `.heed-<FNV-1a of the target's name>-0.tmp`. The hash is short even if the target's name has
  /// the longest possible length.
  static std::string name(const std::filesystem::path& target, unsigned attempt) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : target.filename().string()) {
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
    std::array<char, 48> name{};
    std::snprintf(name.data(), name.size(), ".heed-%016llx-%u.tmp",
                  static_cast<unsigned long long>(hash), attempt);
    return name.data();
  }

  /// Removes the file unless a running process has locked it.
  void remove_left() const {
    const int left = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (left < 0) return;
    const bool is_locked = flock(left, LOCK_EX | LOCK_NB) != 0;
    // Its writer may have renamed it after it was opened here, and another file may now have its
    // name.
    struct stat opened {
    }, named{};
    const bool is_same = fstat(left, &opened) == 0 && lstat(path_.c_str(), &named) == 0 &&
                         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
    std::error_code ignored;
    if (!is_locked && is_same) std::filesystem::remove(path_, ignored);
    close(left);
  }

  /// Returns false if another process removed or locked the file before it was locked here.
  bool lock() const {
    const int file = fileno(file_.get());
    const bool is_taken = flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    struct stat status {};
    return !is_taken && fstat(file, &status) == 0 && status.st_nlink > 0;
  }
#else
  static std::string name(const std::filesystem::path&, unsigned) {
    std::random_device random;
    std::array<char, 32> name{};
    std::snprintf(name.data(), name.size(), ".heed-%08x%08x.tmp", random(), random());
    return name.data();
  }
  static void remove_left() {}
  static bool lock() { return true; }
#endif

  std::filesystem::path path_;
  FileHandle file_;
  bool exists_ = false;
};

}  // namespace heed::detail

#undef HEED_POSIX_FILES
