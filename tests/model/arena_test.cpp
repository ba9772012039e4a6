#include <heed/model/arena.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::arena_test {

using heed::testing::message;

TEST_CASE("A layout places weights one behind the other, in the order of the layers") {
  Layout layout;
  CHECK(layout.size() == 0);
  CHECK(layout.append("lstm", {{"kernel", {2, 4}}, {"bias", {4}, Initializer::ones}}) == 0);
  CHECK(layout.append("flatten", {}) == 2);
  CHECK(layout.append("dense", {{"kernel", {3, 1}}}) == 2);
  CHECK(layout.size() == 15);
  REQUIRE(layout.all_slots().size() == 3);
  const Slot& bias = layout.all_slots()[1];
  CHECK(bias.name == "lstm/bias");
  CHECK(bias.shape == Shape{4});
  CHECK(bias.offset == 8);
  CHECK(bias.initializer == Initializer::ones);
  CHECK(layout.all_slots()[2].name == "dense/kernel");
  CHECK(layout.all_slots()[2].offset == 12);
}

TEST_CASE("A layout finds weights by their names") {
  Layout layout;
  layout.append("a", {{"kernel", {2}}});
  layout.append("b", {{"kernel", {3}}});
  REQUIRE(layout.find("b/kernel") != nullptr);
  CHECK(layout.find("b/kernel")->offset == 2);
  CHECK(layout.find("kernel") == nullptr);
  CHECK(layout.find("") == nullptr);
}

TEST_CASE("A layout refuses more weights than can be counted") {
  const Index half = std::numeric_limits<Index>::max() / 2 + 1;
  Layout layout;
  layout.append("a", {{"kernel", {half}}});
  CHECK(message<ShapeError>([&] {
          layout.append("b", {{"kernel", {half}}});
        }) == join("with a kernel of (", half, ") the model has more weights than can be counted"));
  // Nothing of a layer is taken whose last weight is one too many.
  CHECK_THROWS_AS(layout.append("b", {{"kernel", {2}}, {"bias", {half - 2}}}), ShapeError);
  CHECK(layout.size() == half);
  CHECK(layout.all_slots().size() == 1);
  layout.append("b", {{"kernel", {2}}, {"bias", {half - 3}}});
  CHECK(layout.all_slots().size() == 3);
}

}  // namespace heed::arena_test
