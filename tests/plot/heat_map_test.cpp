#include <heed/math/random.hpp>
#include <heed/plot/heat_map.hpp>

#include <limits>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "xml.hpp"

namespace heed::heat_map_test {

using namespace heed::testing;
using plot::HeatMap;

namespace {

/// The numbers in a text, whatever is between them.
std::vector<double> numbers(const std::string& text) {
  std::vector<double> result;
  for (std::size_t i = 0; (i = text.find_first_of("-0123456789", i)) != std::string::npos;) {
    std::size_t size = 0;
    result.push_back(std::stod(text.substr(i), &size));
    i += size;
  }
  return result;
}

/// What stands on the scale beside the map: its largest number.
double scale_end(const Xml& svg) {
  double most = 0;
  for (const Xml* text : svg.all("text")) {
    if (text->has("text-anchor") || text->number("x") < 800) continue;
    std::string digits = text->text;
    std::erase(digits, ',');
    most = std::max(most, std::stod(digits));
  }
  return most;
}

/// The values read off the drawing: where a dash lies says which cells it is, its colour what they are.
Tensor<double, 2> drawn_values(const Xml& svg, Index rows, Index columns) {
  std::map<std::string, double> values;
  for (int level = -32; level <= 32; ++level) {
    values["#" + plot::detail::hex(plot::detail::shade(level / 32.0).light)] = level / 32.0;
  }
  struct Dash {
    double x, y, wide, value;
  };
  std::vector<Dash> dashes;
  double left = 1e9, right = 0, top = 1e9, bottom = 0;
  for (const Xml* group : svg.all("g")) {
    for (const Xml* path : group->all("path")) {
      const std::vector<double> d = numbers((*path)["d"]);
      for (std::size_t i = 0; i < d.size(); i += 3) {
        const double half = group->number("stroke-width") / 2;
        dashes.push_back({d[i], d[i + 1], d[i + 2], values.at((*group)["stroke"])});
        left = std::min(left, d[i]);
        right = std::max(right, d[i] + d[i + 2]);
        top = std::min(top, d[i + 1] - half);
        bottom = std::max(bottom, d[i + 1] + half);
      }
    }
  }
  Tensor<double, 2> result(Shape{rows, columns});
  Tensor<double, 2> covered(Shape{rows, columns});
  const double wide = (right - left) / static_cast<double>(columns);
  const double high = (bottom - top) / static_cast<double>(rows);
  for (const Dash& dash : dashes) {
    const auto row = static_cast<Index>((dash.y - top) / high);
    const auto first = static_cast<Index>(std::lround((dash.x - left) / wide));
    const auto end = static_cast<Index>(std::lround((dash.x + dash.wide - left) / wide));
    for (Index column = first; column < end; ++column) {
      result(row, column) = dash.value * scale_end(svg);
      covered(row, column) += 1;
    }
  }
  CHECK((covered.array() == 1).all());
  return result;
}

void check_drawn(const HeatMap& map) {
  INFO(map.values.shape().front() << " x " << map.values.shape().back());
  const Xml svg = XmlReader::read(plot::svg(map));
  CHECK(has_both_themes(svg));
  CHECK(texts_fit(svg));
  const auto drawn = drawn_values(svg, map.values.dim(0), map.values.dim(1));
  CHECK((drawn.array() - map.values.array()).abs().maxCoeff() <= scale_end(svg) / 63.9);
}

Tensor<double, 2> random_values(Index rows, Index columns, double low, double high) {
  Random random(1);
  Tensor<double, 2> values(Shape{rows, columns});
  for (double& value : values.values()) value = random.uniform(low, high);
  return values;
}

}  // namespace

TEST_CASE("a cell stands at its row and column and has its value's colour") {
  check_drawn({.values = random_values(5, 7, 0, 1)});
  check_drawn({.values = random_values(32, 32, 0, 1e-9)});
  check_drawn({.values = random_values(3, 4, -2, 1)});
  check_drawn({.values = random_values(3, 4, -2, -1)});
  check_drawn({.values = random_values(1, 1, 0.3, 0.3)});
  check_drawn({.values = random_values(1, 300, 0, 1)});
  check_drawn({.values = random_values(150, 1, 0, 1)});
  check_drawn({.values = random_values(150, 300, 0, 1e6)});
  check_drawn({.values = random_values(100, 200, -1e300, 1e300)});
  check_drawn({.values = Tensor<double, 2>(Shape{4, 4})});
}

TEST_CASE("cells with the same colour that touch are one dash") {
  Tensor<double, 2> values(Shape{100, 200});
  values(50, 100) = 1;
  const std::string file = plot::svg(HeatMap{.values = values});
  CHECK(file.size() < 15'000);
  check_drawn({.values = values});
}

TEST_CASE("a cell says its value when it is pointed at") {
  const Xml svg = XmlReader::read(plot::svg(HeatMap{.x_label = "gate",
                                                    .y_label = "feature",
                                                    .column_labels = {"input", "output"},
                                                    .row_labels = {"a & b", "c"},
                                                    .values = {{0.25, 0}, {1, 0.125}}}));
  std::set<std::string> said;
  for (const Xml* path : svg.all("path")) said.insert(path->first("title").text);
  CHECK(said == std::set<std::string>{"feature a & b, gate input: 0.25",
                                      "feature a & b, gate output: 0", "feature c, gate input: 1",
                                      "feature c, gate output: 0.125"});
}

TEST_CASE("of many cells neighbours share one, and the file stays small") {
  HeatMap map{.title = "Big", .legend = "w", .values = random_values(2000, 3000, 0, 1)};
  map.values(1234, 2345) = 7;
  map.values(555, 666) = -8;
  const std::string file = plot::svg(map);
  CHECK(file.size() < 900'000);
  const Xml svg = XmlReader::read(file);
  CHECK(texts_fit(svg));
  const auto drawn = drawn_values(svg, 143, 300);  // 14 rows and 10 columns each
  CHECK(std::abs(drawn(1234 / 14, 234) - 7) < 0.2);
  CHECK(std::abs(drawn(555 / 14, 66) + 8) < 0.2);
  CHECK(drawn(0, 0) < 1.2);
  int said = 0;
  for (const Xml* text : svg.all("text")) said += text->text == "w, the largest of each 14 by 10";
  CHECK(said == 1);
}

TEST_CASE("the last of the shared cells may have fewer neighbours, and keeps the labels") {
  HeatMap map{.values = Tensor<double, 2>(Shape{3, 5})};
  for (Index i = 0; i < 15; ++i) map.values.values()[static_cast<std::size_t>(i)] = double(i);
  const HeatMap half = plot::detail::grouped(map, 2, 3);
  CHECK(half.values == Tensor<double, 2>{{6, 8, 9}, {11, 13, 14}});
  CHECK(half.row_labels == std::vector<std::string>{"0", "2"});
  CHECK(half.column_labels == std::vector<std::string>{"0", "2", "4"});
  map.column_labels = {"a", "b", "c", "d", "e"};
  CHECK(plot::detail::grouped(map, 3, 3).column_labels == std::vector<std::string>{"a", "c", "e"});
}

TEST_CASE("more is darker in a light picture and lighter in a dark one, on both sides of zero") {
  const auto lightness = [](std::uint32_t rgb) {
    return 0.2126 * ((rgb >> 16) & 255u) + 0.7152 * ((rgb >> 8) & 255u) + 0.0722 * (rgb & 255u);
  };
  for (const double sign : {-1.0, 1.0}) {
    for (int level = 0; level < 32; ++level) {
      const auto less = plot::detail::shade(sign * level / 32);
      const auto more = plot::detail::shade(sign * (level + 1) / 32);
      CHECK(lightness(more.light) < lightness(less.light));
      CHECK(lightness(more.dark) > lightness(less.dark));
    }
  }
  // Orange below zero, blue above.
  const auto is_blue = [](std::uint32_t rgb) { return (rgb & 255u) > (rgb >> 16); };
  for (int level = 4; level <= 28; ++level) {
    const auto below = plot::detail::shade(-level / 32.0),
               above = plot::detail::shade(level / 32.0);
    CHECK((is_blue(above.light) && is_blue(above.dark)));
    CHECK((!is_blue(below.light) && !is_blue(below.dark)));
  }
}

TEST_CASE("long labels and many of them stay on the card") {
  HeatMap map{.title = std::string(150, 'T'),
              .legend = std::string(150, 'l'),
              .x_label = std::string(150, 'x'),
              .y_label = std::string(150, 'y'),
              .values = random_values(20, 25, -1, 1)};
  for (int i = 0; i < 20; ++i)
    map.row_labels.push_back("a row with a long name " + std::to_string(i));
  for (int i = 0; i < 25; ++i) map.column_labels.push_back("a long name " + std::to_string(i));
  check_drawn(map);
  map.values = random_values(20, 25, 1e8, 1.00001e8);
  check_drawn(map);
}

TEST_CASE("maps that cannot be drawn are refused") {
  const auto error = [](const HeatMap& map) { return message<DataError>([&] { plot::svg(map); }); };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(error({.title = "A"}) == "HeatMap \"A\": there are no values to draw");
  CHECK(error({.title = "A", .values = Tensor<double, 2>(Shape{0, 3})}) ==
        "HeatMap \"A\": there are no values to draw");
  CHECK(error({.title = "A", .values = {{1, 2}, {3, nan}}}) ==
        "HeatMap \"A\": expected numbers of at most 1e300, got nan in row 1, column 1");
  CHECK(error({.title = "A", .row_labels = {"a"}, .values = {{1}, {2}}}) ==
        "HeatMap \"A\": expected one label for each of 2 rows, got 1 labels");
  CHECK(error({.title = "A", .column_labels = {"a"}, .values = {{1, 2}}}) ==
        "HeatMap \"A\": expected one label for each of 2 columns, got 1 labels");
}

TEST_CASE("numbers stand in the cells on request, in an ink that reads on their colour") {
  plot::HeatMap map{.values = Tensor<double, 2>{{0, 12.5}, {50, 100}}};
  const auto has = [](const std::string& picture, std::string_view words) {
    return picture.find(words) != std::string::npos;
  };
  CHECK_FALSE(has(plot::svg(map, {.theme = plot::Theme::light}), ">12.5</text>"));
  map.numbers = true;
  const std::string picture = plot::svg(map, {.theme = plot::Theme::light});
  CHECK(has(picture, "fill=\"#16202e\" text-anchor=\"middle\">12.5</text>"));
  CHECK(has(picture, "fill=\"#ffffff\" text-anchor=\"middle\">100.0</text>"));
  const std::string dark = plot::svg(map, {.theme = plot::Theme::dark});
  CHECK(has(dark, "fill=\"#ffffff\" text-anchor=\"middle\">12.5</text>"));
  CHECK(has(dark, "fill=\"#16202e\" text-anchor=\"middle\">100.0</text>"));
  map.values = Tensor<double, 2>(Shape{4, 100});  // cells too narrow for any number
  map.values(0, 0) = 12.3;
  CHECK_FALSE(has(plot::svg(map), ">12.3</text>"));
}

}  // namespace heed::heat_map_test
