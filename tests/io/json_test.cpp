#include <heed/io/json.hpp>

#include <limits>

#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::json_test {

using heed::testing::message;
using nlohmann::json;

namespace {

std::string refusal(const std::string& text) {
  return message<FileError>([&] { parse_json(text, "file"); });
}

std::string config_refusal(const std::string& text) {
  return message<OptionError>([&] { config_from_json(parse_json(text, "file")); });
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("JSON is read as nlohmann's own parser reads it") {
  for (const std::string text :
       {"null", "true", "-1", "18446744073709551615", "-9223372036854775808", "0.1", "1e-300",
        "\"a\\u00e9\\n\\\"\"", "[]", "{}", "[1,[2,{\"a\":[]}],\"x\"]", " {\"b\" : 1,\n\"a\" : {}} ",
        "{\"a\":{\"b\":{\"c\":[1,2]},\"d\":null},\"e\":[{},{\"a\":1}]}"}) {
    CAPTURE(text);
    const json value = parse_json(text, "file");
    CHECK(value == json::parse(text));
    CHECK(value.type() == json::parse(text).type());
  }
}

TEST_CASE("A text that is not JSON is refused with the place in it") {
  CHECK(refusal("") == "file is not JSON at byte 1");
  CHECK(refusal("[1,2") == "file is not JSON at byte 5");
  CHECK(refusal("{\"a\":1,}") == "file is not JSON at byte 8");
  for (const std::string text :
       {"{", "[1 2]", "nul", "1e400", "'a'", "{} {}", "[1]x", "{\"a\"}", "{1:2}", "/**/1", "\"\n\"",
        "\"\xff\"", "\"\xc0\x80\"", "\"\\ud800\"", "NaN", "+1", "01"}) {
    CAPTURE(text);
    CHECK(refusal(text).starts_with("file is not JSON at byte "));
  }
}

TEST_CASE("A zero byte does not end a text") {
  CHECK(refusal(std::string("{}\0", 3)) == "file is not JSON at byte 3");
  CHECK(refusal(std::string("{}\0 more", 8)) == "file is not JSON at byte 3");
}

TEST_CASE("A key that stands twice in an object is refused") {
  CHECK(refusal(R"({"a":1,"b":2,"a":1})") == "file says \"a\" twice");
  CHECK(refusal(R"([{"x":{"a":[],"a":[]}}])") == "file says \"a\" twice");
  CHECK(refusal("{\"\\u0061\":1,\"a\":2}") == "file says \"a\" twice");
  CHECK_NOTHROW(parse_json(R"({"a":{"a":{"a":1}},"b":{"a":1}})", "file"));
}

TEST_CASE("Nesting is followed to 16 levels and no further") {
  CHECK(parse_json(nested(16), "file").is_array());
  CHECK(refusal(nested(17)) == "file is nested deeper than 16 levels");
  CHECK(refusal(std::string(1000000, '[')) == "file is nested deeper than 16 levels");
  std::string objects;
  for (int i = 0; i < 1000000; ++i) objects += "{\"a\":";
  CHECK(refusal(objects) == "file is nested deeper than 16 levels");
}

TEST_CASE("A name in a message is short and has no control characters") {
  CHECK(detail::in_quotes("a\x1b[31m\nb\x7f") == "\"a?[31m?b?\"");
  CHECK(detail::in_quotes("größe") == "\"größe\"");
  CHECK(detail::in_quotes(std::string(80, 'a')) == "\"" + std::string(80, 'a') + "\"");
  CHECK(detail::in_quotes(std::string(81, 'a')) == "\"" + std::string(80, 'a') + "…\"");
  CHECK(detail::in_quotes(std::string(79, 'a') + "ö") == "\"" + std::string(79, 'a') + "…\"");
}

TEST_CASE("Every value that a field can have survives the way through JSON") {
  using limits = std::numeric_limits<Index>;
  const Config config{{"no", false},
                      {"yes", true},
                      {"whole", Index{3}},
                      {"least", limits::min()},
                      {"most", limits::max()},
                      {"tenth", 0.1},
                      {"one", 1.0},
                      {"negative zero", -0.0},
                      {"large", std::numeric_limits<double>::max()},
                      {"tiny", std::numeric_limits<double>::denorm_min()},
                      {"third", 1.0 / 3},
                      {"empty", std::string()},
                      {"text", std::string("größe \"\\\n\t\x01")},
                      {"no lengths", std::vector<Index>{}},
                      {"lengths", std::vector<Index>{-1, 0, limits::max()}}};
  const std::string text = print_json(config_to_json(config), "config");
  const Config again = config_from_json(parse_json(text, "config"));
  REQUIRE(again.size() == config.size());
  for (const auto& [name, value] : config) {
    CAPTURE(name);
    const auto found = std::find_if(again.begin(), again.end(),
                                    [&, &key = name](auto& e) { return e.first == key; });
    REQUIRE(found != again.end());
    CHECK(found->second == value);
  }
  const json parsed = parse_json(text, "config");
  CHECK(std::signbit(parsed["negative zero"].get<double>()));
}

TEST_CASE("Fields are written in their order") {
  const Config config{{"z", Index{1}}, {"a", Index{2}}};
  CHECK(config_to_json(config).dump() == R"({"z":1,"a":2})");
  CHECK(config_to_json({}).dump() == "{}");
}

TEST_CASE("What JSON cannot say is refused") {
  const auto refused = [](double value) {
    return message<OptionError>([&] { config_to_json({{"slope", value}}); });
  };
  CHECK(refused(std::numeric_limits<double>::infinity()) ==
        "\"slope\" is inf, which JSON cannot represent");
  CHECK(refused(std::nan("")) == "\"slope\" is nan, which JSON cannot represent");
  CHECK(message<FileError>([] {
          print_json(config_to_json({{"text", std::string("\xff")}}), "the layer");
        }) == "the layer contains text that is not UTF-8");
}

TEST_CASE("What no field can be is refused by its name") {
  const std::string wants =
      "expected \"a\" to be a truth value, a number, a text, a list of numbers or a layer, got ";
  const std::string wrong_number = "\"a\" contains a number that is not whole or is too large";
  CHECK(config_refusal("[]") == "expected \"config\" to be an object, got array");
  CHECK(config_refusal(R"({"a":null})") == wants + "null");
  CHECK(config_refusal(R"({"a":{}})") ==
        "expected \"a\" to be a layer, with a \"type\" and a \"config\"");
  CHECK(config_refusal(R"({"a":9223372036854775808})") == wrong_number);
  CHECK(config_refusal(R"({"a":[1,2.5]})") == wrong_number);
  CHECK(config_refusal(R"({"a":[[1]]})") == wrong_number);
  CHECK(config_refusal(R"({"a":[true]})") == wrong_number);
  CHECK(config_refusal(R"({"a":["1"]})") == wrong_number);
}

}  // namespace heed::json_test
