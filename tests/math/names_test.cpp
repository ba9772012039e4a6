#include <heed/math/names.hpp>

#include <array>

#include "support/catch.hpp"

namespace heed::names_test {

enum class Colour { red, green, nameless };

}  // namespace heed::names_test

template <>
struct heed::Names<heed::names_test::Colour> {
  using Colour = names_test::Colour;
  static constexpr auto table = std::to_array<std::pair<std::string_view, Colour>>(
      {{"red", Colour::red}, {"green", Colour::green}});
};

namespace heed::names_test {

TEST_CASE("A value of an enumeration has a name, and a name a value") {
  STATIC_REQUIRE(name_of(Colour::green) == "green");
  STATIC_REQUIRE(by_name<Colour>("red") == Colour::red);
  CHECK(to_text(Colour::red) == "red");
}

TEST_CASE("A name that is not known has no value, and a value without name a question mark") {
  CHECK_FALSE(by_name<Colour>("blue").has_value());
  CHECK_FALSE(by_name<Colour>("Red").has_value());
  CHECK_FALSE(by_name<Colour>("").has_value());
  CHECK(name_of(Colour::nameless) == "?");
}

TEST_CASE("Only enumerations with a table are named") {
  STATIC_REQUIRE(Named<Colour>);
  STATIC_REQUIRE(!Named<int>);
}

}  // namespace heed::names_test
