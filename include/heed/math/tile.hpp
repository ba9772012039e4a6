#pragma once

#include <array>
#include <utility>

#include <heed/math/lanes.hpp>

namespace heed::detail {

/// A column of tiles of `c = start + a b`: `strips` tiles one below the other, each of which holds its
/// part of c in registers while k runs.
///
///     c, start: (strips · Rows, cols)    a: (strips · Rows, depth)    b: (depth, Packets · width)
///
/// Every element is the sum over k in ascending order, whatever the size of the tile, so that the
/// result for one sample does not depend on how many are computed with it.
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

/// The first `count` numbers of a packet, when no more can be read: all of it, some, or none.
template <class Scalar>
[[gnu::noinline]] Lanes<Scalar> load_part(const Scalar* from, Index count) {
  Scalar values[Lanes<Scalar>::width] = {};
  for (Index i = 0; i < std::min(count, Lanes<Scalar>::width); ++i) values[i] = from[i];
  return Lanes<Scalar>::load(values);
}

template <class Scalar>
[[gnu::noinline]] void store_part(Lanes<Scalar> value, Scalar* to, Index count) {
  Scalar values[Lanes<Scalar>::width];
  value.store(values);
  for (Index i = 0; i < std::min(count, Lanes<Scalar>::width); ++i) to[i] = values[i];
}

template <class Scalar, int Rows, int Packets>
void compute(const Tiles<Scalar>& tiles) {
  using Values = Lanes<Scalar>;
  using Packet = typename Values::Packet;
  constexpr Index W = Values::width;
  const bool whole = tiles.cols == Packets * W;
  const Index a_row_stride = tiles.a_row_stride;
  for (Index strip = 0; strip < tiles.strips; ++strip) {
    Packet sum[Rows][Packets];
    const auto set_sums = [&](const auto& value) {
      for (int r = 0; r < Rows; ++r) {
        for (int p = 0; p < Packets; ++p) sum[r][p] = value(r, p).packet;
      }
    };
    const Scalar* start = tiles.start + strip * Rows * tiles.start_row_stride;
    const auto start_at = [&](int r, int p) { return start + r * tiles.start_row_stride + p * W; };
    if (tiles.start == nullptr) {
      set_sums([](int, int) { return Values(Scalar{0}); });
    } else if (whole) {
      set_sums([&](int r, int p) { return Values::load(start_at(r, p)); });
    } else {
      set_sums([&](int r, int p) { return load_part(start_at(r, p), tiles.cols - p * W); });
    }

    const Scalar* a = tiles.a + strip * Rows * a_row_stride;
    const Scalar* b = tiles.b;
    for (Index k = 0; k < tiles.depth; ++k) {
      Packet b_k[Packets];
      for (int p = 0; p < Packets; ++p) b_k[p] = Values::load(b + p * W).packet;
      for (int r = 0; r < Rows; ++r) {
        const Values a_k(a[r * a_row_stride]);
        for (int p = 0; p < Packets; ++p) {
          sum[r][p] = fma(a_k, Values(b_k[p]), Values(sum[r][p])).packet;
        }
      }
      a += tiles.a_depth_stride;
      b += tiles.b_row_stride;
    }

    Scalar* c = tiles.c + strip * Rows * tiles.c_row_stride;
    for (int r = 0; r < Rows; ++r, c += tiles.c_row_stride) {
      for (int p = 0; p < Packets; ++p) {
        if (whole) {
          Values(sum[r][p]).store(c + p * W);
        } else {
          store_part(Values(sum[r][p]), c + p * W, tiles.cols - p * W);
        }
      }
    }
  }
}

/// The sizes of tiles, in rows × packets, that fit the registers: beside the sums a row of b and a
/// number of a have to find room.
template <class Scalar>
struct TileSizes {
  static constexpr bool many_registers = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32;
  static constexpr int rows = many_registers ? 8 : 6;
  static constexpr int packets = many_registers ? 3 : 2;
  /// A single row has enough sums to keep the multipliers busy only when it is wide.
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
