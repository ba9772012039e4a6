#pragma once

#include <array>
#include <utility>

#include <heed/math/lanes.hpp>

namespace heed::detail {

/// A column of tiles of `c = start + a b`: `strips` tiles, one below the other. Each keeps its part
/// of c in registers during the loop over k.
///
///     c, start: (strips · Rows, cols)    a: (strips · Rows, depth)    b: (depth, Packets · width)
///
/// Every element is summed over k in ascending order, whatever the size of the tile, so that the
/// result for one sample does not depend on how many samples are computed together.
template <class Scalar>
struct Tiles {
  Scalar* c;
  Index c_row_stride, cols;
  const Scalar* start;  ///< null for zeros
  Index start_row_stride;
  const Scalar* a;
  Index a_row_stride, a_depth_stride;
  const Scalar* b;
  Index b_row_stride;
  Index depth, strips;
};

template <class Scalar>
[[gnu::noinline]] void copy_block(Index rows, Index cols, const Scalar* from, Index from_stride,
                                  Scalar* to, Index to_stride) {
  for (Index i = 0; i < rows; ++i) std::copy_n(from + i * from_stride, cols, to + i * to_stride);
}

template <class Use, int... I>
[[gnu::always_inline]] inline void unroll(const Use& use, std::integer_sequence<int, I...>) {
  (use(std::integral_constant<int, I>{}), ...);
}

/// Calls `use` with the constants 0, 1, …, Count − 1, without a loop: compilers keep an array in
/// registers only if every index is a constant.
template <int Count, class Use>
[[gnu::always_inline]] inline void unroll(const Use& use) {
  unroll(use, std::make_integer_sequence<int, Count>{});
}

template <class Scalar, int Rows, int Packets>
void compute(const Tiles<Scalar>& tiles) {
  using Values = Lanes<Scalar>;
  using Packet = typename Values::Packet;
  constexpr Index W = Values::width;
  constexpr int count = Rows * Packets;  // sum i belongs to row i / Packets, packet i % Packets
  const Index a_row_stride = tiles.a_row_stride;
  // Packets that extend beyond the last column go through this buffer.
  alignas(64) Scalar block[std::size_t{count * W}];
  const bool whole = tiles.cols == Packets * W;
  const Index c_row_stride = whole ? tiles.c_row_stride : Packets * W;
  const Index start_row_stride = whole ? tiles.start_row_stride : Packets * W;
  for (Index strip = 0; strip < tiles.strips; ++strip) {
    Packet sum[std::size_t{count}];
    if (tiles.start == nullptr) {
      unroll<count>([&](auto i) { sum[i] = Values(Scalar{0}).packet; });
    } else {
      const Scalar* start = tiles.start + strip * Rows * tiles.start_row_stride;
      if (!whole) {
        std::fill_n(block, count * W, Scalar{0});
        copy_block(Rows, tiles.cols, start, tiles.start_row_stride, block, start_row_stride);
        start = block;
      }
      unroll<count>([&](auto i) {
        sum[i] = Values::load(start + i / Packets * start_row_stride + i % Packets * W).packet;
      });
    }

    const Scalar* a = tiles.a + strip * Rows * a_row_stride;
    const Scalar* b = tiles.b;
    for (Index k = 0; k < tiles.depth; ++k) {
      Packet b_k[std::size_t{Packets}];
      unroll<Packets>([&](auto p) { b_k[p] = Values::load(b + p * W).packet; });
      unroll<Rows>([&](auto r) {
        const Values a_k(a[r * a_row_stride]);
        unroll<Packets>([&](auto p) {
          Packet& sum_i = sum[r * Packets + p];
          sum_i = fma(a_k, Values(b_k[p]), Values(sum_i)).packet;
        });
      });
      a += tiles.a_depth_stride;
      b += tiles.b_row_stride;
    }

    Scalar* const c = tiles.c + strip * Rows * tiles.c_row_stride;
    Scalar* const to = whole ? c : block;
    unroll<count>(
        [&](auto i) { Values(sum[i]).store(to + i / Packets * c_row_stride + i % Packets * W); });
    if (!whole) copy_block(Rows, tiles.cols, block, c_row_stride, c, tiles.c_row_stride);
  }
}

/// The tile sizes, in rows × packets, that fit in the registers together with a row of b and a
/// number of a.
template <class Scalar>
struct TileSizes {
  static constexpr bool many_registers = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32;
  static constexpr int rows = many_registers ? 8 : 6;
  static constexpr int packets = many_registers ? 3 : 2;
  /// A single row needs many packets to have enough independent sums for the multiplier units.
  static constexpr int row_packets = 8;

  static constexpr Index width = Lanes<Scalar>::width;
  static constexpr Index cols = packets * width;
  static constexpr Index row_cols = row_packets * width;

  using Compute = void (*)(const Tiles<Scalar>&);

  /// The function for tiles of `r` rows and `p` packets.
  static Compute tile(Index r, Index p) {
    static constexpr auto functions = []<int... I>(std::integer_sequence<int, I...>) {
      return std::array<Compute, sizeof...(I)>{
          compute<Scalar, I / packets + 1, I % packets + 1>...};
    }
    (std::make_integer_sequence<int, rows * packets>());
    return functions[static_cast<std::size_t>((r - 1) * packets + p - 1)];
  }

  /// The function for a single row of `p` packets.
  static Compute row(Index p) {
    static constexpr auto functions = []<int... I>(std::integer_sequence<int, I...>) {
      return std::array<Compute, sizeof...(I)>{compute<Scalar, 1, I + 1>...};
    }
    (std::make_integer_sequence<int, row_packets>());
    return functions[static_cast<std::size_t>(p - 1)];
  }
};

}  // namespace heed::detail
