#include <heed/math/tile.hpp>

#include "support/catch.hpp"
#include "support/random_tensor.hpp"

namespace heed::tile_test {

using heed::testing::random_tensor;

TEMPLATE_TEST_CASE("Tiles of every size are the sums that they should be", "", float, double) {
  using S = TestType;
  using Sizes = detail::TileSizes<S>;
  constexpr Index depth = 5, strips = 2, wide = Sizes::row_cols + 1;
  const auto a = random_tensor<S>({strips * Sizes::rows, depth}, 1);
  const auto b = random_tensor<S>({depth, wide}, 2);
  const auto start = random_tensor<S>({strips * Sizes::rows, wide}, 4);
  const auto check_tile = [&](auto compute, Index rows, Index packets, Index cols,
                              bool from_zeros) {
    CAPTURE(rows, packets, cols, from_zeros);
    auto c = random_tensor<S>({strips * rows, wide}, 3);
    const auto before = c;
    compute({.c = c.data(),
             .c_row_stride = wide,
             .cols = cols,
             .start = from_zeros ? nullptr : start.data(),
             .start_row_stride = wide,
             .a = a.data(),
             .a_row_stride = depth,
             .a_depth_stride = 1,
             .b = b.data(),
             .b_row_stride = wide,
             .depth = depth,
             .strips = strips});
    for (Index i = 0; i < strips * rows; ++i) {
      for (Index j = 0; j < wide; ++j) {
        if (j >= cols) {
          CHECK(c(i, j) == before(i, j));
          continue;
        }
        double expected = from_zeros ? 0.0 : static_cast<double>(start(i, j));
        for (Index k = 0; k < depth; ++k) expected += double(a(i, k)) * double(b(k, j));
        CHECK(std::abs(static_cast<double>(c(i, j)) - expected) < 1e-5);
      }
    }
  };
  for (const bool from_zeros : {false, true}) {
    for (Index packets = 1; packets <= Sizes::packets; ++packets) {
      for (Index rows = 1; rows <= Sizes::rows; ++rows) {
        const auto compute = Sizes::tile(rows, packets);
        for (const Index less : {Index{0}, Sizes::width - 1}) {
          check_tile(compute, rows, packets, packets * Sizes::width - less, from_zeros);
        }
      }
    }
    for (Index packets = 1; packets <= Sizes::row_packets; ++packets) {
      check_tile(Sizes::row(packets), 1, packets, packets * Sizes::width, from_zeros);
    }
  }
}

}  // namespace heed::tile_test
