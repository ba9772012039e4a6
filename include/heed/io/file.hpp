#pragma once

#include <algorithm>
#include <fstream>
#include <utility>
#include <vector>

#include <heed/io/temporary_file.hpp>
#include <heed/tensor/error.hpp>

namespace heed {

namespace detail {

/// Why the last call of the C library failed: `No space left on device`.
inline std::string last_error() { return std::generic_category().message(errno); }

/// The target of a path if it is a symbolic link, whether or not the target exists.
inline std::filesystem::path behind_links(std::filesystem::path path) {
  std::error_code ignored;
  for (int link = 0; link < 40 && std::filesystem::is_symlink(path, ignored); ++link) {
    path = path.parent_path() / std::filesystem::read_symlink(path, ignored);
  }
  return path;
}

/// Throws if the path exists but is not a regular file: a folder or a device, for example.
inline void check_regular_file(const std::filesystem::path& path, const std::string& complaint) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  check<FileError>(!is_directory(status), complaint, "it is a folder");
  check<FileError>(!exists(status) || is_regular_file(status), complaint, "it is not a file");
}

/// Throws unless the folder of a path exists.
inline void check_folder_of(const std::filesystem::path& path, const std::string& complaint) {
  std::error_code ignored;
  const auto folder = path.parent_path();
  check<FileError>(folder.empty() || std::filesystem::is_directory(folder, ignored), complaint,
                   folder.string(), " is not a folder");
}

}  // namespace detail

/// All bytes of a file. Throws `FileError` with the path and the reason.
inline std::vector<std::byte> read_file(const std::filesystem::path& path) {
  const std::string complaint = path.string() + " cannot be read: ";
  detail::check_regular_file(path, complaint);
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  check<FileError>(file.is_open(), complaint, detail::last_error());
  const std::streamoff size = file.tellg();
  check<FileError>(std::in_range<std::streamsize>(size), complaint, "it has ", size,
                   " bytes, more than this program can hold");
  std::vector<std::byte> bytes(static_cast<std::size_t>(std::max<std::streamoff>(size, 0)));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  check<FileError>(file.gcount() == size, complaint, "it ended after ", file.gcount(), " of ", size,
                   " bytes");
  return bytes;
}

/// Writes these bytes to a file, which may exist. They are written to a temporary file in the same
/// folder and flushed to the disk; then the temporary file is renamed. Other processes see either
/// the old file or the complete new one, whatever happens in between.
///
/// A symbolic link is kept, and its target is replaced. The new file has the permissions of the old
/// one, but not its owner or further hard links. A file without write permission is not replaced.
/// Throws `FileError` with the path and the reason. Nothing has changed then, and no temporary file
/// is left, unless the message says that the file was written but its folder was not. Only a
/// process that is killed leaves a file `.heed-….tmp` in the folder, until the target is written
/// again.
inline void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  const std::string complaint = path.string() + " cannot be written: ";
  const std::filesystem::path target = detail::behind_links(path);
  detail::check_regular_file(target, complaint);
  std::error_code error;
  check<FileError>(!std::filesystem::is_symlink(target, error), complaint,
                   "its symbolic links form a loop");
  const bool replaces = std::filesystem::exists(target, error);
  if (replaces) {
    const detail::FileHandle writable(std::fopen(target.string().c_str(), "r+b"));
    check<FileError>(writable != nullptr, complaint, detail::last_error());
  }

  detail::TemporaryFile temporary(target);
  check<FileError>(temporary.is_open(), complaint, detail::last_error());
  if (replaces) {
    const auto permissions = std::filesystem::status(target, error).permissions();
    if (!error) std::filesystem::permissions(temporary.path(), permissions, error);
    check<FileError>(!error, complaint, error.message());
  }
  const bool is_written = temporary.write(bytes);
  check<FileError>(is_written, complaint, detail::last_error());
  temporary.rename(target, error);
  check<FileError>(!error, complaint, error.message());
  const bool is_kept = detail::TemporaryFile::keep_name(target);
  check<FileError>(
      is_kept, path.string(),
      " is written, but a power failure may undo that, because its folder cannot be synchronised: ",
      detail::last_error());
}

}  // namespace heed
