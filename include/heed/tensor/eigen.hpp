#pragma once

// Eigen, as all of heed includes it, and what keeps apart files that see different Eigens.

#include <heed/version.hpp>

// g++ 12 finds that its own AVX-512 functions, which Eigen calls, read what was never written. It asks where
// the text of those calls stands, so that this silences them wherever Eigen is first included by heed.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <Eigen/Core>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

// Two files of a program that are compiled for vectors of different sizes, one with -march=native and one
// without, have functions of Eigen and heed that go by one name and agree neither on where memory begins
// nor on how it is laid out. A linker keeps one of each, and the program would crash. So each file refers to
// another name of a function, with its sizes in it. A linker keeps one of the functions of all files, and with
// it its other name: a file whose own name is not that one does not link. Where all files are put together
// before they are assembled (-flto), the assembler says it. The other name is a label in the function: an
// alias gets lost when clang++ takes the function from a precompiled header.
//
// HEED_ALLOW_MIXED_VECTORS takes this away, for programs that keep such files apart themselves.
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
// NOLINTNEXTLINE(misc-definitions-in-headers): each file has to have it.
HEED_DETAIL_EXPAND(HEED_DETAIL_SAME_VECTORS,
                   HEED_DETAIL_EXPAND(HEED_DETAIL_OTHER_NAME, HEED_DETAIL_VECTOR_BITS,
                                      EIGEN_MAX_ALIGN_BYTES));
}  // namespace heed::detail
#undef HEED_DETAIL_VECTOR_BITS
#undef HEED_DETAIL_OTHER_NAME
#undef HEED_DETAIL_SAME_VECTORS
#undef HEED_DETAIL_EXPAND
#endif
