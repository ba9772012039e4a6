#pragma once

#include <cstddef>
#include <span>
#include <string_view>

/// Whether a file is Keras's: HDF5, or an archive in zip, as `.h5` and `.keras` are.
inline bool is_of_keras(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.starts_with("\x89HDF\r\n\x1a\n") || text.starts_with("PK\x03\x04");
}
