#include <heed/io/file.hpp>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/fsync.hpp"
#include "support/full_disk.hpp"
#include "support/temporary_folder.hpp"

namespace heed::file_test {

using heed::testing::FullDisk;
using heed::testing::message;
using heed::testing::ReadOnlyFolder;
using heed::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

using Bytes = std::vector<std::byte>;
using Names = std::vector<std::string>;

Bytes bytes_of(std::string_view text) {
  Bytes bytes;
  for (const char c : text) bytes.push_back(std::byte(c));
  return bytes;
}

const Bytes old_bytes = bytes_of("the old file");
const Bytes new_bytes = bytes_of("the new file, which is longer");

std::string write_message(const fs::path& path, const Bytes& bytes = new_bytes) {
  return message<FileError>([&] { write_file(path, bytes); });
}

std::string read_message(const fs::path& path) {
  return message<FileError>([&] { read_file(path); });
}

/// Takes what a call to the disk is answered away at the end of the scope.
struct OnFsync {
  explicit OnFsync(std::function<int(bool)> function) { testing::on_fsync = std::move(function); }
  ~OnFsync() { testing::on_fsync = {}; }
  OnFsync(const OnFsync&) = delete;
  OnFsync& operator=(const OnFsync&) = delete;
};

/// The name that a temporary file of this target has first.
std::string temporary_name(const fs::path& target) {
  const detail::TemporaryFile file(target);
  return file.path().filename().string();
}

}  // namespace

TEST_CASE("A file is read as it was written") {
  const TemporaryFolder folder;
  Bytes all;
  for (int i = 0; i < 100000; ++i) all.push_back(std::byte(i % 251));
  for (const Bytes& bytes : {Bytes{}, bytes_of(std::string("\0\r\n\xff", 4)), all}) {
    write_file(folder / "a", bytes);
    CHECK(read_file(folder / "a") == bytes);
  }
  CHECK(folder.names() == Names{"a"});
}

TEST_CASE("A path without a folder is one of the current folder") {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  write_file("a", new_bytes);
  const Bytes read = read_file("a");
  fs::current_path(before);
  CHECK(read == new_bytes);
  CHECK(folder.names() == Names{"a"});
}

TEST_CASE("A file whose name is as long as names can be is written") {
  const TemporaryFolder folder;
  const std::string name(255, 'a');
  write_file(folder / name, new_bytes);
  CHECK(read_file(folder / name) == new_bytes);
}

TEST_CASE("What cannot be read is said with its reason") {
  const TemporaryFolder folder;
  CHECK(read_message(folder / "a") ==
        (folder / "a").string() + " cannot be read: No such file or directory");
  CHECK(read_message(folder.path()) == folder.path().string() + " cannot be read: it is a folder");
  CHECK(read_message("/dev/null") == "/dev/null cannot be read: it is not a file");
}

TEST_CASE("What cannot be written is said with its reason") {
  const TemporaryFolder folder;
  CHECK(write_message(folder / "none/a") ==
        (folder / "none/a").string() + " cannot be written: No such file or directory");
  CHECK(write_message(folder.path()) ==
        folder.path().string() + " cannot be written: it is a folder");
  write_file(folder / "a", old_bytes);
  CHECK(write_message(folder / "a/b") ==
        (folder / "a/b").string() + " cannot be written: Not a directory");
  CHECK(write_message(folder / std::string(256, 'a')).find("File name too long") !=
        std::string::npos);
  CHECK(folder.names() == Names{"a"});
}

TEST_CASE("What is no file, such as a pipe or a device, is not replaced by one") {
  const TemporaryFolder folder;
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(write_message(folder / "pipe") ==
        (folder / "pipe").string() + " cannot be written: it is not a file");
  CHECK(fs::is_fifo(folder / "pipe"));
  CHECK(folder.names() == Names{"pipe"});
}

TEST_CASE("A disk that fills up leaves the old file whole and nothing beside it") {
  const TemporaryFolder folder;
  const fs::path path = folder / "model";
  write_file(path, old_bytes);
  // Less than a buffer, more than a buffer, and more than fits at once.
  for (const std::size_t size : {100u, 5000u, 1u << 20}) {
    CAPTURE(size);
    std::string text;
    std::string other;
    {
      const FullDisk disk(50);
      text = write_message(path, Bytes(size));
      other = write_message(folder / "other", Bytes(size));
    }
    CHECK(text == path.string() + " cannot be written: File too large");
    CHECK(other == (folder / "other").string() + " cannot be written: File too large");
    CHECK(read_file(path) == old_bytes);
    CHECK(folder.names() == Names{"model"});
  }
  write_file(path, new_bytes);
  CHECK(read_file(path) == new_bytes);
}

TEST_CASE("A rename that fails leaves nothing behind") {
  const TemporaryFolder folder;
  const fs::path path = folder / "model";
  {
    detail::TemporaryFile temporary(path);
    REQUIRE(temporary.is_open());
    REQUIRE(temporary.write(new_bytes));
    fs::create_directory(path);
    std::error_code error;
    temporary.rename(path, error);
    CHECK(error);
    CHECK(folder.names().size() == 2);
  }
  CHECK(folder.names() == Names{"model"});
  CHECK(fs::is_directory(path));
}

TEST_CASE("A symbolic link stays, and the file behind it is written") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "in");
  write_file(folder / "in/file", old_bytes);
  fs::create_symlink("in/file", folder / "link");
  fs::create_symlink(folder / "link", folder / "link to link");
  fs::create_symlink("in/later", folder / "dangling");

  write_file(folder / "link to link", new_bytes);
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(fs::is_symlink(folder / "link to link"));
  CHECK(read_file(folder / "in/file") == new_bytes);

  write_file(folder / "dangling", new_bytes);
  CHECK(fs::is_symlink(folder / "dangling"));
  CHECK(read_file(folder / "in/later") == new_bytes);

  fs::create_symlink("b", folder / "a");
  fs::create_symlink("a", folder / "b");
  CHECK(write_message(folder / "a") ==
        (folder / "a").string() + " cannot be written: its symbolic links form a loop");
  CHECK(fs::is_symlink(folder / "a"));
  CHECK(fs::is_symlink(folder / "b"));
  CHECK(folder.names() == Names{"a", "b", "dangling", "in", "link", "link to link"});
}

TEST_CASE("A new file has a new file's permissions, and a replaced one keeps its own") {
  const TemporaryFolder folder;
  const mode_t mask = umask(027);
  write_file(folder / "a", old_bytes);
  CHECK(fs::status(folder / "a").permissions() == fs::perms(0640));
  for (const fs::perms kept : {fs::perms(0600), fs::perms(0666), fs::perms(0755)}) {
    fs::permissions(folder / "a", kept);
    write_file(folder / "a", new_bytes);
    CHECK(fs::status(folder / "a").permissions() == kept);
  }
  umask(mask);
}

TEST_CASE("Whoever reads while a file is replaced finds the old one or the new one") {
  const TemporaryFolder folder;
  const fs::path path = folder / "model";
  const Bytes zeros(3000, std::byte(0));
  const Bytes ones(200000, std::byte(1));
  write_file(path, zeros);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 100; ++i) write_file(path, i % 2 ? zeros : ones);
    done = true;
  });
  int torn = 0;
  int reads = 0;
  for (; !done || reads == 0; ++reads) {
    const Bytes bytes = read_file(path);
    torn += bytes != zeros && bytes != ones;
  }
  writer.join();
  CAPTURE(reads);
  CHECK(torn == 0);
  CHECK(folder.names() == Names{"model"});
}

TEST_CASE("A folder that is protected keeps its files, and nothing comes into it") {
  const TemporaryFolder folder;
  const fs::path path = folder / "model";
  write_file(path, old_bytes);
  fs::permissions(path, fs::perms(0666));
  std::string text, other;
  {
    const ReadOnlyFolder protected_folder(folder.path());
    text = write_message(path);
    other = write_message(folder / "other");
  }
  CHECK(text == path.string() + " cannot be written: Permission denied");
  CHECK(other == (folder / "other").string() + " cannot be written: Permission denied");
  CHECK(read_file(path) == old_bytes);
  CHECK(folder.names() == Names{"model"});
}

#ifdef __linux__

TEST_CASE("The bytes reach the disk before the file has its name, and the name after it has") {
  const TemporaryFolder folder;
  const fs::path path = folder / "model";
  write_file(path, old_bytes);
  std::string order;
  {
    const OnFsync record([&](bool is_folder) {
      const bool is_new = read_file(path) == new_bytes;
      order += join(is_folder ? "folder" : "file", is_new ? " new; " : " old; ");
      return 0;
    });
    write_file(path, new_bytes);
  }
  CHECK(order == "file old; folder new; ");
}

TEST_CASE("A disk that says only at last that it is full leaves the old file whole") {
  const TemporaryFolder folder;
  const fs::path path = folder / "model";
  write_file(path, old_bytes);
  for (const auto& [error, text] :
       {std::pair(ENOSPC, "No space left on device"), std::pair(EIO, "Input/output error")}) {
    const OnFsync fail([code = error](bool is_folder) { return is_folder ? 0 : code; });
    CHECK(write_message(path) == path.string() + " cannot be written: " + text);
    CHECK(read_file(path) == old_bytes);
    CHECK(folder.names() == Names{"model"});
  }
}

TEST_CASE("A folder that does not come to the disk is an error that says so") {
  const TemporaryFolder folder;
  const fs::path path = folder / "model";
  write_file(path, old_bytes);
  const auto with = [&](int code) {
    const OnFsync fail([code](bool is_folder) { return is_folder ? code : 0; });
    return write_message(path);
  };
  CHECK(with(EIO) == path.string() +
                         " is written, but a power failure may undo that, because its folder "
                         "cannot be synchronised: Input/output error");
  CHECK(read_file(path) == new_bytes);
  CHECK(folder.names() == Names{"model"});
  // Some file systems have no such thing.
  CHECK(with(EINVAL) == "(nothing thrown)");
  CHECK(with(ENOTSUP) == "(nothing thrown)");
}

TEST_CASE("A file that is removed under its writer leaves the old file whole") {
  const TemporaryFolder folder;
  const fs::path path = folder / "model";
  write_file(path, old_bytes);
  const std::string name = temporary_name(path);
  {
    const OnFsync clean([&](bool) { return fs::remove(folder / name) ? 0 : EBADF; });
    CHECK(write_message(path) == path.string() + " cannot be written: No such file or directory");
  }
  CHECK(read_file(path) == old_bytes);
  {
    const OnFsync clean([&](bool) { return fs::remove_all(folder.path()) > 0 ? 0 : EBADF; });
    CHECK(write_message(path) == path.string() + " cannot be written: No such file or directory");
  }
  CHECK_FALSE(fs::exists(folder.path()));
}

TEST_CASE("What processes leave that are killed while they write does not pile up") {
  const TemporaryFolder folder;
  const fs::path path = folder / "model";
  write_file(path, old_bytes);
  for (int kill = 0; kill < 5; ++kill) {
    const pid_t child = fork();
    if (child == 0) {
      testing::on_fsync = [](bool) { return raise(SIGKILL); };
      write_file(path, new_bytes);
      _exit(1);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    CHECK(read_file(path) == old_bytes);
    CHECK(folder.names().size() == 2);
  }
  write_file(path, new_bytes);
  CHECK(read_file(path) == new_bytes);
  CHECK(folder.names() == Names{"model"});
}

#endif

TEST_CASE("Writers of one file at a time do not take each other's for one that was left") {
  const TemporaryFolder folder;
  const fs::path path = folder / "model";
  {
    const detail::TemporaryFile first(path);
    const detail::TemporaryFile second(path);
    REQUIRE(first.is_open());
    REQUIRE(second.is_open());
    CHECK(first.path() != second.path());
    CHECK(folder.names().size() == 2);
    CHECK(temporary_name(folder / "other") != first.path().filename());
  }
  CHECK(folder.names().empty());

  const Bytes zeros(3000, std::byte(0));
  const Bytes ones(200000, std::byte(1));
  std::vector<std::thread> writers;
  std::atomic<int> failures = 0;
  for (int thread = 0; thread < 4; ++thread) {
    writers.emplace_back([&, thread] {
      for (int i = 0; i < 50; ++i) {
        try {
          write_file(path, thread % 2 == 0 ? zeros : ones);
        } catch (const FileError&) {
          ++failures;
        }
      }
    });
  }
  for (auto& writer : writers) writer.join();
  CHECK(failures == 0);
  const Bytes last = read_file(path);
  CHECK((last == zeros || last == ones));
  CHECK(folder.names() == Names{"model"});
}

}  // namespace heed::file_test
