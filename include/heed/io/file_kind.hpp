#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <heed/io/dtype.hpp>

namespace heed::detail {

inline std::string_view bytes_as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline constexpr std::string_view hdf5_signature = "\x89HDF\r\n\x1a\n";
inline constexpr std::string_view zip_file_signature = "PK\3\4";

/// The position of the signature of an HDF5 file: at the beginning, or after a user block of 512,
/// 1024, 2048, … bytes. The number of bytes if there is no signature.
inline std::size_t find_hdf5(std::span<const std::byte> bytes) {
  const auto text = bytes_as_text(bytes);
  for (std::size_t at = 0; at < bytes.size(); at = at == 0 ? 512 : 2 * at) {
    if (text.substr(at).starts_with(hdf5_signature)) return at;
  }
  return bytes.size();
}

inline bool is_safetensors(std::span<const std::byte> bytes) {
  return bytes.size() > 8 && bytes[8] == std::byte{'{'} &&
         from_little_endian<std::uint64_t>(bytes.data()) <= bytes.size() - 8;
}

/// The kind of a file that cannot be read, as the end of a sentence that begins with its name, with
/// advice; empty if it is unknown. Users pass the wrong file far more often than a damaged one.
inline std::string file_kind(std::span<const std::byte> bytes) {
  using namespace std::string_view_literals;
  const auto text = bytes_as_text(bytes);
  if (text.empty()) return " is empty";
  if (is_safetensors(bytes)) {
    return " is a safetensors file, as heed saves models: heed::load_model and heed::load_weights "
           "read it, and heed::pytorch::load_weights for one of PyTorch";
  }
  if (find_hdf5(bytes) < bytes.size()) {
    return " is an HDF5 file, as Keras saves .h5: heed::keras::load_model and "
           "heed::keras::load_weights read it";
  }
  if (text.starts_with(zip_file_signature)) {
    const auto first = text.substr(std::min<std::size_t>(text.size(), 30), 300);
    return first.find("data.pkl") != std::string_view::npos
               ? " is an archive of torch.save, which holds Python code: save the state_dict with "
                 "safetensors.torch.save_file, which heed::pytorch::load_weights reads"
               : " is an archive, as Keras saves .keras: heed::keras::load_model reads it";
  }
  const auto front = text.substr(0, 4096);
  if (front.starts_with('{') && front.find("\"class_name\"") != std::string_view::npos) {
    return " describes a model without its weights, as model.to_json() of Keras does: "
           "heed::keras::load_model(\"model.json\", \"weights.h5\") reads it with a file of "
           "weights";
  }
  static constexpr auto others = std::to_array<std::pair<std::string_view, std::string_view>>({
      {"version https://git-lfs"sv,
       " is a Git LFS pointer to a file that was not fetched: run git lfs pull"sv},
      {"\x1f\x8b"sv, " is compressed by gzip: unpack it first, with gunzip"sv},
      {"BZh"sv, " is compressed by bzip2: unpack it first, with bunzip2"sv},
      {"\xfd"
       "7zXZ"sv,
       " is compressed by xz: unpack it first, with unxz"sv},
      {"\x28\xb5\x2f\xfd"sv, " is compressed by zstd: unpack it first, with unzstd"sv},
      {"<!DOCTYPE"sv, " is a web page, not a model: the download went wrong"sv},
      {"<!doctype"sv, " is a web page, not a model: the download went wrong"sv},
      {"<html"sv, " is a web page, not a model: the download went wrong"sv},
      {"GGUF"sv, " is a GGUF file, which heed does not read"sv},
      {"\x80\x02"sv,
       " is a pickle of Python: save the state_dict with safetensors.torch.save_file, which "
       "heed::pytorch::load_weights reads"sv},
  });
  for (const auto& [begin, kind] : others) {
    if (text.starts_with(begin)) return std::string(kind);
  }
  if (text.substr(std::min<std::size_t>(text.size(), 4)).starts_with("TFL3")) {
    return " is a TensorFlow Lite model, which heed does not read: load the Keras model that it "
           "was "
           "made from";
  }
  return {};
}

}  // namespace heed::detail
