#pragma once

// The one place where heed includes Eigen, and a link-time check against mixed vector sizes.

#include <heed/version.hpp>

// g++ 12 falsely reports that its own AVX-512 functions, which Eigen calls, read uninitialised
// values. The warning depends on where those calls are in the source, so this suppresses it
// wherever heed is the first to include Eigen.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <Eigen/Core>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

// If two files of a program are compiled for different vector sizes (one with -march=native, one
// without), they contain functions of Eigen and heed with the same names but different alignment
// and memory layout. The linker keeps only one of each, and the program can crash. Therefore each
// file refers to a function whose name contains its vector sizes. The linker keeps the function of
// only one file, together with its name; a file that refers to another name does not link. With
// -flto, the assembler reports the error instead. The second name is a label inside the function:
// clang++ loses an alias if it takes the function from a precompiled header.
//
// HEED_ALLOW_MIXED_VECTORS turns this check off, for programs that keep such files apart
// themselves.
#if defined(__ELF__) && defined(__GNUC__) && !defined(HEED_ALLOW_MIXED_VECTORS)
#if defined(EIGEN_VECTORIZE_AVX512)
#define HEED_DETAIL_VECTOR_BITS 512
#elif defined(EIGEN_VECTORIZE_AVX)
#define HEED_DETAIL_VECTOR_BITS 256
#elif defined(EIGEN_VECTORIZE)
#define HEED_DETAIL_VECTOR_BITS 128
#else
#define HEED_DETAIL_VECTOR_BITS 0
#endif
#define HEED_DETAIL_OTHER_NAME(bits, bytes) \
  heed_needs_the_same_march_in_all_files_and_here_vectors_have_##bits##_bits_at_##bytes##_bytes
#define HEED_DETAIL_SAME_VECTORS(name)                                             \
  extern "C" [[gnu::used, gnu::visibility("hidden")]] inline void heed_vectors() { \
    asm volatile(".globl " #name "\n.hidden " #name "\n" #name ":");               \
  }                                                                                \
  asm(".ifndef heed_is_known_" #name "\n.ifdef heed_is_known\n.error \"" #name     \
      "\"\n.endif\n"                                                               \
      ".set heed_is_known, 1\n.set heed_is_known_" #name                           \
      ", 1\n"                                                                      \
      ".pushsection .data.rel.ro.heed,\"awR\",%progbits\n.dc.a " #name "\n.popsection\n.endif")
#define HEED_DETAIL_EXPAND(macro, ...) macro(__VA_ARGS__)
namespace heed::detail {
// NOLINTNEXTLINE(misc-definitions-in-headers): every file needs its own definition.
HEED_DETAIL_EXPAND(HEED_DETAIL_SAME_VECTORS,
                   HEED_DETAIL_EXPAND(HEED_DETAIL_OTHER_NAME, HEED_DETAIL_VECTOR_BITS,
                                      EIGEN_MAX_ALIGN_BYTES));
}  // namespace heed::detail
#undef HEED_DETAIL_VECTOR_BITS
#undef HEED_DETAIL_OTHER_NAME
#undef HEED_DETAIL_SAME_VECTORS
#undef HEED_DETAIL_EXPAND
#endif
