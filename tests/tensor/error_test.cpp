#include <heed/tensor/error.hpp>

#include <type_traits>

#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::error_test {

using heed::to_text;
using heed::testing::message;

namespace {

struct Piece {
  int* times_said;
};

std::string to_text(const Piece& piece) {
  ++*piece.times_said;
  return "a piece";
}

}  // namespace

TEST_CASE("Numbers are said as briefly as they can be") {
  CHECK(to_text(0.5) == "0.5");
  CHECK(to_text(64.0) == "64");
  CHECK(to_text(1e-7) == "1e-07");
  CHECK(to_text(-0.1) == "-0.1");
  CHECK(to_text(1.0 / 3) == "0.3333333333333333");
  CHECK(to_text(-42) == "-42");
  CHECK(to_text(std::uint64_t{18446744073709551615u}) == "18446744073709551615");
}

TEST_CASE("A text is said as it is") {
  const std::string_view text = "of (64, 10)";
  CHECK(to_text(text.substr(3)) == "(64, 10)");
}

TEST_CASE("Pieces of text and numbers join to one string") {
  CHECK(join() == "");
  CHECK(join("expected ", 3, " axes, got ", std::string("one"), ' ' - ' ') ==
        "expected 3 axes, got one0");
  CHECK(join(std::string_view("a"), 0.25, "b") == "a0.25b");
}

TEST_CASE("A check that holds does nothing, not even put its message together") {
  int times_said = 0;
  check<ShapeError>(true, Piece{&times_said});
  CHECK(times_said == 0);
}

TEST_CASE("A check that fails throws its error with the joined pieces") {
  int times_said = 0;
  CHECK(message<OptionError>([&] {
          check<OptionError>(false, "got ", Piece{&times_said}, ", ", 2);
        }) == "got a piece, 2");
  CHECK(times_said == 1);
}

TEST_CASE("Every error is a heed::Error, which is a std::runtime_error") {
  CHECK_THROWS_AS(check<ShapeError>(false, "x"), Error);
  CHECK_THROWS_AS(check<ModelError>(false, "x"), Error);
  CHECK_THROWS_AS(check<OptionError>(false, "x"), Error);
  CHECK_THROWS_AS(check<DataError>(false, "x"), Error);
  CHECK_THROWS_AS(check<FileError>(false, "x"), std::runtime_error);
  STATIC_REQUIRE(!std::is_base_of_v<ShapeError, ModelError>);
}

}  // namespace heed::error_test
