#include <heed/layers/permute.hpp>

#include <numeric>

#include "support/layer_testing.hpp"

namespace heed::permute_test {

using namespace heed::testing;

TEST_CASE("Permute swaps steps and features") {
  LayerRun run(Permute{.dims = {2, 1}}, {{3, 2}}, 2);
  run.forward();
  CHECK(run.y.shape() == Shape{2, 2, 3});
  for (Index n = 0; n < 2; ++n) CHECK(run.y.slice(n) == run.x[0].slice(n).transpose());
}

TEST_CASE("Permute moves every element of up to five axes where its dims say") {
  const Index lengths[] = {2, 3, 1, 4, 2};
  for (Index rank = 1; rank <= 5; ++rank) {
    std::vector<Index> dims(static_cast<std::size_t>(rank));
    std::iota(dims.begin(), dims.end(), Index{1});
    const Shape sample(std::span(lengths, static_cast<std::size_t>(rank)));
    do {
      LayerRun run(Permute{.dims = dims}, {sample}, 2);
      run.forward();
      bool right = true;
      for (Index i = 0; i < run.y.size(); ++i) {
        const auto to = detail::position_of(i, run.y.shape());
        std::vector<Index> from(to.size());
        from[0] = to[0];
        for (std::size_t axis = 0; axis < dims.size(); ++axis) {
          from[static_cast<std::size_t>(dims[axis])] = to[axis + 1];
        }
        Index offset = 0;
        for (std::size_t axis = 0; axis < from.size(); ++axis) {
          offset = offset * run.x[0].dim(static_cast<Index>(axis)) + from[axis];
        }
        right &= run.y.data()[i] == run.x[0].data()[offset];
      }
      CAPTURE(to_text(std::span<const Index>(dims)));
      CHECK(right);

      // Backward takes every element back.
      run.dy = run.y;
      run.backward();
      CHECK(run.dx[0] == run.x[0]);
    } while (std::next_permutation(dims.begin(), dims.end()));
  }
}

TEST_CASE("Permute's gradients agree with differences") {
  check_layer(Permute{.dims = {2, 1}}, {{3, 2}});
  check_layer(Permute{.dims = {2, 1}}, {{1, 1}});
  check_layer(Permute{.dims = {2, 1}}, {{1, 5}});
  check_layer(Permute{.dims = {3, 1, 2}}, {{2, 3, 4}});
  check_layer(Permute{.dims = {4, 2, 1, 3}}, {{2, 3, 1, 2}});
  check_layer(Permute{.dims = {1}}, {{5}});
}

TEST_CASE("Permute survives the way through its configuration") {
  check_config(Permute{.dims = {3, 1, 2}}, {{"dims", std::vector<Index>{3, 1, 2}}});
}

TEST_CASE("Permute that does not fit is refused in a sentence") {
  CHECK(refusal<ShapeError>(Permute{.dims = {2, 1}}, {3}) ==
        "Permute \"layer\": expected an input of 2 axes for dims (2, 1), got (3)");
  CHECK(refusal<OptionError>(Permute{.dims = {1, 1}}, {3, 2}) ==
        "Permute \"layer\": expected dims that contain each of 1 to 2 once, got (1, 1)");
  CHECK(refusal<OptionError>(Permute{.dims = {0, 1}}, {3, 2}) ==
        "Permute \"layer\": expected dims that contain each of 1 to 2 once, got (0, 1)");
  CHECK(refusal<OptionError>(Permute{.dims = std::vector<Index>()}, {3, 2}) ==
        "Permute \"layer\": expected 1 to 5 dims, got 0");
  CHECK(refusal<OptionError>(Permute{.dims = {1, 2, 3, 4, 5, 6}}, {3, 2}) ==
        "Permute \"layer\": expected 1 to 5 dims, got 6");
}

}  // namespace heed::permute_test
