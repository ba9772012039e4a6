#include <heed/plot/text.hpp>

#include <limits>
#include <sstream>

#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::text_test {

using namespace heed::testing;
using heed::plot::detail::columns;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

const plot::Bars bars{
    .title = "Größe", .legend = "weight (%)", .x_label = "step", .values = {12.5, 100, 0, 51}};

}  // namespace

TEST_CASE("a bar of text is as long as its value, to an eighth of a column") {
  CHECK(plot::text(bars, {.width = 34}) ==
        "Größe\n"
        "\n"
        "step  weight (%)\n"
        "   0        12.5  ██\n"
        "   1       100.0  ████████████████\n"
        "   2           0\n"
        "   3        51.0  ████████▏\n");
}

TEST_CASE("bars below zero go to the left") {
  CHECK(plot::text(plot::Bars{.x_label = "x", .labels = {"a", "b", "c"}, .values = {-2, 6, -1}},
                   {.width = 23}) ==
        "x\n"
        "a  -2  ████\n"
        "b   6      ████████████\n"
        "c  -1    ██\n");
}

TEST_CASE("in ASCII there is nothing else") {
  CHECK(plot::text(bars, {.width = 34, .unicode = false}) ==
        "Gr??e\n"
        "\n"
        "step  weight (%)\n"
        "   0        12.5  ##\n"
        "   1       100.0  ################\n"
        "   2           0\n"
        "   3        51.0  ########\n");
}

TEST_CASE("curves of text go through their values") {
  const plot::Lines lines{.title = "loss by epoch",
                          .x_label = "epoch",
                          .series = {{"loss", {4, 2, 1, 0}}, {"val_loss", {4, 3, 3, 2}}}};
  CHECK(plot::text(lines, {.width = 20, .height = 5}) ==
        "loss by epoch\n"
        "\n"
        "4 │**o\n"
        "3 │  **oooooooooo\n"
        "2 │    ****      ooo\n"
        "1 │        ******\n"
        "0 │              ***\n"
        "  └─────────────────\n"
        "   1  epoch        4\n"
        "* loss   o val_loss\n");
}

TEST_CASE("a curve of text has gaps where values are not finite") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string text = plot::text(plot::Lines{.series = {{"a", {1, 1, nan, 1, 1}}}},
                                      {.width = 25, .unicode = false});
  CHECK(lines_of(text).front() == "1.0 |*****          *****");
  CHECK_THROWS_AS(plot::text(plot::Lines{.series = {{"a", {nan}}}}), DataError);
}

TEST_CASE("a map of text has a shade for each value") {
  const plot::HeatMap map{.title = "Attention",
                          .legend = "attention (%)",
                          .x_label = "step",
                          .y_label = "sample",
                          .values = {{100, 50, 0}, {25, 75, 12}}};
  CHECK(plot::text(map, {.width = 20}) ==
        "Attention\n"
        "\n"
        "sample  step\n"
        "        0   1   2\n"
        "     0  ████▒▒▒▒\n"
        "     1  ░░░░▓▓▓▓\n"
        "\n"
        "[ ] 0   [░] 25\n"
        "[▒] 50   [▓] 75\n"
        "[█] 100\n"
        "attention (%)\n");
  CHECK(lines_of(plot::text(map, {.width = 20, .unicode = false}))[5] == "     1  ::::####....");
}

TEST_CASE("the shades of a map with values below zero begin at the least") {
  const std::string text = plot::text(plot::HeatMap{.values = {{-1, 0, 1}}}, {.width = 20});
  CHECK(text.find("0       ▒▒▒▒▒█████\n") != std::string::npos);
  CHECK(text.find("[ ] -1") != std::string::npos);
  CHECK(text.find("[█] 1") != std::string::npos);
}

TEST_CASE(
    "no line is wider than it may be, no chart higher, and nothing reaches the terminal raw") {
  const std::string hostile = "a very long\x1b[31m label\n日本日本日本日本 of 1";
  plot::Bars wide_bars{.title = hostile + hostile, .legend = hostile, .x_label = hostile};
  plot::Lines wide_lines{.title = hostile + hostile, .x_label = hostile};
  plot::HeatMap map{.title = hostile + hostile,
                    .legend = hostile,
                    .x_label = hostile,
                    .y_label = hostile,
                    .values = Tensor<double, 2>(Shape{90, 200})};
  for (int i = 0; i < 100; ++i) {
    wide_bars.labels.push_back(hostile);
    wide_bars.values.push_back((i % 9 - 4) * 1.2345e-7);
    wide_lines.series.push_back({hostile, {1.0 * i, 1e100, -1e99}});
    map.column_labels.insert(map.column_labels.end(), {hostile, "b"});
  }
  map.values(3, 4) = -1e300;
  map.values(5, 6) = 1e300;
  for (const int width : {20, 21, 40, 80, 133}) {
    for (const bool unicode : {true, false}) {
      const plot::TextOptions options{.width = width, .height = 7, .unicode = unicode};
      for (const std::string& text : {plot::text(wide_bars, options),
                                      plot::text(wide_lines, options), plot::text(map, options)}) {
        for (const std::string& line : lines_of(text)) {
          REQUIRE(columns(line) <= static_cast<std::size_t>(width));
          REQUIRE((line.empty() || line.back() != ' '));
          REQUIRE(line == plot::detail::clean(line));
          for (const char c : line) REQUIRE((unicode || (c >= ' ' && c <= '~')));
        }
        CHECK(text.size() < 40'000);
      }
      const auto lines = lines_of(plot::text(wide_bars, options));
      CHECK(lines.size() == 3 + 7 + 1);  // title, heading; what shares a bar
    }
  }
}

TEST_CASE("bars, maps and options that cannot be drawn are refused") {
  CHECK(message<OptionError>([] { plot::text(bars, {.width = 19}); }) ==
        "plot::text: expected a width of at least 20, got 19");
  CHECK(message<OptionError>([] { plot::text(bars, {.height = 1}); }) ==
        "plot::text: expected a height of at least 2, got 1");
  CHECK_THROWS_AS(plot::text(plot::Bars{}), DataError);
  CHECK_THROWS_AS(plot::text(plot::HeatMap{}), DataError);
}

TEST_CASE("a curve of more values than columns shows its peaks") {
  plot::Lines lines{.series = {{"loss", std::vector<double>(1000, 1.0)}}};
  lines.series[0].values[501] = 10;
  const auto drawing = lines_of(plot::text(lines, {.width = 40}));
  CHECK(std::count(drawing[0].begin(), drawing[0].end(), '*') == 1);
}

TEST_CASE("columns stand below their labels, also when a long label of a row is not shown") {
  plot::HeatMap map{.values = Tensor<double, 2>(Shape{100, 5})};
  for (Index i = 0; i < 100; ++i) map.row_labels.push_back(i == 1 ? "a rather long label" : "r");
  map.values.array().setConstant(1);
  const auto lines = lines_of(plot::text(map, {.height = 40, .unicode = false}));
  const auto row = std::find_if(lines.begin(), lines.end(),
                                [](const auto& line) { return line.find('@') != line.npos; });
  REQUIRE(row != lines.end());
  CHECK((row - 1)->find_first_not_of(' ') == row->find('@'));
}

TEST_CASE("text of a map has numbers on request, where they fit") {
  plot::HeatMap map{.legend = "%",
                    .x_label = "to",
                    .y_label = "from",
                    .values = Tensor<double, 2>{{0, 50}, {100, 7}}};
  map.numbers = true;
  CHECK(plot::text(map) ==
        "from  to\n"
        "        0    1\n"
        "   0    0   50\n"
        "   1  100    7\n"
        "\n"
        "%\n");
  map.values = Tensor<double, 2>(Shape{2, 60});
  CHECK(plot::text(map).find("[") != std::string::npos);  // shades, with what they mean
}

TEST_CASE("text says what the y axis is") {
  CHECK(plot::text(plot::Bars{.y_label = "share", .values = {1}}).starts_with("   share\n"));
  CHECK(plot::text(plot::Lines{.y_label = "error", .series = {{"a", {1, 2}}}})
            .starts_with("error\n"));
}

}  // namespace heed::text_test
