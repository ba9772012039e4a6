#pragma once

#include <cstddef>
#include <limits>
#include <span>

// Unpacks what is compressed by deflate, if the program is built with zlib: the CMake target
// heed::io defines HEED_ZLIB then. Nothing else in heed knows zlib.

#if defined(HEED_ZLIB)
#include <zlib.h>
#endif

namespace heed::detail {

/// How compressed bytes begin: with the head of zlib (RFC 1950) or at once (RFC 1951).
enum class Deflated { zlib, raw };

#if defined(HEED_ZLIB)

inline constexpr bool can_inflate = true;

/// Unpacks `packed` into `unpacked`. Returns false unless it is valid and exactly as long. Needs no
/// more time than in proportion to both.
inline bool inflate(std::span<const std::byte> packed, std::span<std::byte> unpacked,
                    Deflated form) {
  constexpr auto most = (std::numeric_limits<uInt>::max)();
  if (packed.size() > most || unpacked.size() > most) return false;
  z_stream stream{};
  if (::inflateInit2(&stream, form == Deflated::raw ? -MAX_WBITS : MAX_WBITS) != Z_OK) return false;
  // zlib does not change what it reads; its type says so only with a macro.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(unpacked.data());
  stream.avail_out = static_cast<uInt>(unpacked.size());
  const bool is_whole = ::inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0;
  ::inflateEnd(&stream);
  return is_whole;
}

#else

inline constexpr bool can_inflate = false;

inline bool inflate(std::span<const std::byte>, std::span<std::byte>, Deflated) { return false; }

#endif

/// The end of a sentence about a compressed part of a file that this program cannot unpack.
inline constexpr const char* no_inflate =
    " is compressed by deflate, and this program is built without zlib: with zlib installed, CMake "
    "builds heed with it";

/// How many bytes may be unpacked for each byte of a file. Weights compress to a half at best; more
/// than this is a file that is made to fill memory.
inline constexpr std::size_t most_inflation = 64;

}  // namespace heed::detail
