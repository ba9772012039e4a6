#include <heed/tensor/shape.hpp>

#include <vector>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::shape_test {

using heed::testing::message;

TEST_CASE("A shape knows its axes, from the front and from the back") {
  const Shape shape{64, 10, 2};
  CHECK(shape.rank() == 3);
  CHECK(shape[0] == 64);
  CHECK(shape[2] == 2);
  CHECK(shape[-1] == 2);
  CHECK(shape[-3] == 64);
  CHECK(shape.front() == 64);
  CHECK(shape.back() == 2);
  CHECK(std::vector<Index>(shape.begin(), shape.end()) == std::vector<Index>{64, 10, 2});
}

TEST_CASE("A shape counts elements, of all axes or of some") {
  const Shape shape{4, 3, 2};
  CHECK(shape.size() == 24);
  CHECK(shape.product(1, 3) == 6);
  CHECK(shape.product(2, 2) == 1);
  CHECK(shape.leading() == 12);
  CHECK(Shape{5}.leading() == 1);
  CHECK(Shape{4, 0, 2}.size() == 0);
}

TEST_CASE("A shape without axes is that of one number") {
  const Shape shape;
  CHECK(shape.empty());
  CHECK(shape.rank() == 0);
  CHECK(shape.size() == 1);
  CHECK(shape.leading() == 1);
  CHECK(shape.sample() == Shape{});
  CHECK(to_text(shape) == "()");
}

TEST_CASE("Shapes are made from others") {
  const Shape shape{10, 2};
  CHECK(shape.with_last(32) == Shape{10, 32});
  CHECK(shape.with(0, 7) == Shape{7, 2});
  CHECK(shape.with(-2, 7) == Shape{7, 2});
  CHECK(shape.batch(64) == Shape{64, 10, 2});
  CHECK(shape.batch(64).sample() == shape);
  CHECK(Shape{3}.sample() == Shape{});
  CHECK(shape == Shape{10, 2});
  CHECK_FALSE(shape == Shape{2, 10});
  CHECK_FALSE(shape == Shape{10});
  CHECK_FALSE(shape == Shape{10, 2, 1});
}

TEST_CASE("A shape equals another whatever it was made from") {
  // What stood behind the last axis does not count.
  CHECK(Shape{1, 2, 3}.batch(5).sample() == Shape{1, 2, 3});
  CHECK(Shape{7, 8, 9}.sample().sample() == Shape{9});
}

TEST_CASE("A shape is written in brackets") {
  CHECK(to_text(Shape{64, 10, 2}) == "(64, 10, 2)");
  CHECK(to_text(Shape{64}) == "(64)");
  CHECK(join("expected ", Shape{1, 2}) == "expected (1, 2)");
}

TEST_CASE("A shape that cannot be is refused") {
  CHECK(message<ShapeError>([] { Shape{1, 2, 3, 4, 5, 6, 7}; }) ==
        "a shape has at most 6 axes, got 7");
  CHECK(message<ShapeError>([] {
          Shape({1, 2, 3, 4, 5, 6}).batch(7);
        }) == "a shape has at most 6 axes");
  CHECK(message<ShapeError>([] { Shape{2, -2}; }) == "a shape's axis cannot have the length -2");
  CHECK_FALSE(Shape{any, 2}.is_known());
  CHECK(Shape{any, 2}.size() == 2);
  CHECK(Shape{any, 2}.with(0, 5).is_known());
  CHECK(to_text(Shape{any, 2}) == "(any, 2)");
  CHECK(message<ShapeError>([] { Shape{2}.with_last(-3); }) ==
        "a shape's axis cannot have the length -3");
  CHECK(message<ShapeError>([] {
          Shape{4, std::numeric_limits<Index>::max() / 2};
        }) == join("a shape with an axis of ", std::numeric_limits<Index>::max() / 2,
                   " has more elements than can be counted"));
  CHECK(message<ShapeError>([] {
          Shape({2, 3, 4}).with(1, std::numeric_limits<Index>::max() / 4);
        }) == "a shape with an axis of 4 has more elements than can be counted");
  const Shape largest = Shape({2, 3}).with(1, std::numeric_limits<Index>::max() / 2);
  CHECK(largest.size() == std::numeric_limits<Index>::max() - 1);
  CHECK(largest.with(0, 0).size() == 0);
}

TEST_CASE("A shape's axes can be multiplied beside one of 0") {
  constexpr Index half = std::numeric_limits<Index>::max() / 2;
  CHECK(Shape{0, half, 2}.product(1, 3) == 2 * half);
  CHECK(Shape{half, 0, 2}.with(1, 1).size() == 2 * half);
  CHECK(message<ShapeError>([] {
          Shape{0, half, 3};
        }) == "a shape with an axis of 3 has more elements than can be counted");
  CHECK(message<ShapeError>([] {
          Shape{half, 0, 3};
        }) == "a shape with an axis of 3 has more elements than can be counted");
}

TEST_CASE("A shape multiplies two axes of whatever length without losing a bit") {
  constexpr Index most = std::numeric_limits<Index>::max();
  // The root of the largest Index is where the short way ends.
  const Index root = Index{1} << std::numeric_limits<Index>::digits / 2;
  for (const Index a : {root - 1, root, root + 1, 2 * root - 1, 2 * root, most / 3, most}) {
    for (const Index b : {a - 1, a, most / a, most / a + (most / a < most ? 1 : 0)}) {
      CAPTURE(a, b);
      if (b <= most / a) {
        CHECK(Shape{a, b}.size() == a * b);
      } else {
        CHECK_THROWS_AS((Shape{a, b}), ShapeError);
      }
    }
  }
}

TEST_CASE("The largest shape that can be counted is one") {
  CHECK(Shape{std::numeric_limits<Index>::max()}.size() == std::numeric_limits<Index>::max());
  CHECK(Shape({1, 2, 3, 4, 5, 6}).size() == 720);
}

TEST_CASE("Shapes never allocate") {
  const testing::Allocations allocations;
  const Shape shape = Shape{4, 3, 2}.batch(5).with_last(7).sample();
  const std::size_t count = allocations.count();
  CHECK(shape == Shape{4, 3, 7});
  CHECK(count == 0);
}

}  // namespace heed::shape_test
