#include <heed/layers/config.hpp>

#include <array>

#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::config_test {

enum class Mood { calm, wild };

}  // namespace heed::config_test

template <>
struct heed::Names<heed::config_test::Mood> {
  using Mood = config_test::Mood;
  static constexpr auto table = std::to_array<std::pair<std::string_view, Mood>>(
      {{"calm", Mood::calm}, {"wild", Mood::wild}});
};

namespace heed::config_test {

using heed::testing::message;

namespace {

/// One field of each kind.
struct Everything {
  Required<Index> units;
  Required<std::vector<Index>> dims;
  Required<Mood> mood;
  double rate = 0.5;
  bool flag = true;
  std::string label = "none";
  std::vector<Index> axes = {1};
  Mood other = Mood::calm;

  static constexpr std::string_view type = "Everything";
  static constexpr auto fields() {
    return std::tuple{field("units", &Everything::units), field("dims", &Everything::dims),
                      field("mood", &Everything::mood),   field("rate", &Everything::rate),
                      field("flag", &Everything::flag),   field("label", &Everything::label),
                      field("axes", &Everything::axes),   field("other", &Everything::other)};
  }
};

struct Nothing {
  static constexpr std::string_view type = "Nothing";
  static constexpr auto fields() { return std::tuple{}; }
};

const Config required{{"units", Index{3}}, {"dims", std::vector<Index>{2, 1}}, {"mood", "wild"}};

Config with(Config config, const std::string& name, ConfigValue value) {
  config.emplace_back(name, std::move(value));
  return config;
}

}  // namespace

TEST_CASE("A configuration lists the fields in the order of their declaration") {
  const Everything layer{.units = 3, .dims = {2, 1}, .mood = Mood::wild, .axes = {4, 5}};
  const Config expected{{"units", Index{3}},
                        {"dims", std::vector<Index>{2, 1}},
                        {"mood", "wild"},
                        {"rate", 0.5},
                        {"flag", true},
                        {"label", std::string("none")},
                        {"axes", std::vector<Index>{4, 5}},
                        {"other", "calm"}};
  CHECK(get_config(layer) == expected);
  CHECK(get_config(Nothing{}).empty());
}

TEST_CASE("A layer comes back from its configuration") {
  const Everything layer{.units = 7,
                         .dims = {5},
                         .mood = Mood::calm,
                         .rate = 0.1,
                         .flag = false,
                         .label = "a\nb",
                         .axes = {},
                         .other = Mood::wild};
  CHECK(get_config(from_config<Everything>(get_config(layer))) == get_config(layer));
  CHECK(get_config(from_config<Nothing>({})).empty());
}

TEST_CASE("Fields that a configuration does not name keep their defaults") {
  const auto layer = from_config<Everything>(required);
  CHECK(layer.units == 3);
  CHECK(layer.dims.value == std::vector<Index>{2, 1});
  CHECK(layer.mood.value == Mood::wild);
  CHECK(layer.rate == 0.5);
  CHECK(layer.flag);
  CHECK(layer.label == "none");
  CHECK(layer.axes == std::vector<Index>{1});
  CHECK(layer.other == Mood::calm);
}

TEST_CASE("The order of a configuration does not matter") {
  Config config = with(required, "flag", false);
  std::reverse(config.begin(), config.end());
  const auto layer = from_config<Everything>(config);
  CHECK(layer.units == 3);
  CHECK_FALSE(layer.flag);
}

TEST_CASE("A whole number will do where a field is real, and not the other way") {
  CHECK(from_config<Everything>(with(required, "rate", Index{1})).rate == 1);
  CHECK(
      message<OptionError>([] {
        from_config<Everything>({{"units", 3.0}, {"dims", std::vector<Index>{}}, {"mood", "wild"}});
      }) == "\"units\" has a value of the wrong type");
}

TEST_CASE("A configuration that does not fit is refused in a sentence") {
  const auto refusal = [](const Config& config) {
    return message<OptionError>([&] { from_config<Everything>(config); });
  };
  CHECK(refusal({}) == "Everything needs \"units\"");
  CHECK(refusal({required[0], required[1]}) == "Everything needs \"mood\"");
  CHECK(refusal(with(required, "unit", Index{1})) == "Everything has no field \"unit\"");
  CHECK(refusal(with(required, "flag", Index{1})) == "\"flag\" has a value of the wrong type");
  CHECK(refusal(with(required, "axes", true)) == "\"axes\" has a value of the wrong type");
  CHECK(refusal(with(required, "label", 1.5)) == "\"label\" has a value of the wrong type");
  CHECK(refusal(with(required, "other", "mild")) == "\"other\" cannot be \"mild\"");
  CHECK(refusal(with(required, "other", Index{0})) == "expected \"other\" to be a name");
}

TEST_CASE("A required field is given by its value and reads as it") {
  const Everything layer{.units = 3, .dims = {2, 1, 3}, .mood = Mood::wild};
  const Index units = layer.units;
  const std::vector<Index>& dims = layer.dims;
  CHECK(units == 3);
  CHECK(dims.size() == 3);
  CHECK(layer.mood == Mood::wild);
  CHECK(Required<Index>(3) == Required<Index>(3));
  CHECK_FALSE(Required<Index>(3) == 4);
  CHECK(layer.dims == Required<std::vector<Index>>{2, 1, 3});
  STATIC_REQUIRE(!std::is_default_constructible_v<Required<Index>>);
  STATIC_REQUIRE(!std::is_constructible_v<Everything>);
}

}  // namespace heed::config_test
