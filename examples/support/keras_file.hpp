#pragma once

#include <cstddef>
#include <span>
#include <string_view>

/// Whether a file comes from Keras: HDF5 (`.h5`) or a zip archive (`.keras`).
inline bool is_of_keras(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.starts_with("\x89HDF\r\n\x1a\n") || text.starts_with("PK\x03\x04");
}
