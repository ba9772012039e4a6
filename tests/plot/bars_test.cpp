#include <heed/math/random.hpp>
#include <heed/plot/bars.hpp>

#include <limits>
#include <locale>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "xml.hpp"

namespace heed::bars_test {

using namespace heed::testing;
using plot::Bars;

namespace {

const Bars attention{.title = "Attention",
                     .legend = "attention (%)",
                     .x_label = "step",
                     .values = {1.4, 1.5, 58.2, 30.4, 7.1, 1.4}};

std::vector<const Xml*> texts_at(const Xml& svg, std::string_view anchor) {
  std::vector<const Xml*> found;
  for (const Xml* text : svg.all("text")) {
    if (text->has("text-anchor") && (*text)["text-anchor"] == anchor) found.push_back(text);
  }
  return found;
}

/// The values that the bars reach, read off the axis: M left base V … Q left y ….
std::vector<double> drawn_values(const Xml& svg) {
  const ReadAxis axis(svg);
  std::vector<double> values;
  for (const Xml* path : svg.all("path")) {
    const std::string& d = (*path)["d"];
    const std::size_t y = d.find(' ', d.find('Q')) + 1;
    values.push_back(axis(std::stod(d.substr(y))));
  }
  return values;
}

void check_drawn(const Bars& bars) {
  INFO(bars.title);
  const std::string file = plot::svg(bars);
  const Xml svg = XmlReader::read(file);
  CHECK(has_both_themes(svg));
  CHECK(texts_fit(svg));
  const std::vector<double> drawn = drawn_values(svg);
  const double precision = ReadAxis(svg).precision();
  REQUIRE(drawn.size() == bars.values.size());
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    CHECK(std::abs(drawn[i] - bars.values[i]) <= precision);
  }
}

std::string data_error(const Bars& bars) {
  return message<DataError>([&] { plot::svg(bars); });
}

}  // namespace

TEST_CASE("a bar reaches its value on the axis") {
  check_drawn(attention);
  check_drawn({.title = "one", .values = {5}});
  check_drawn({.title = "equal", .values = {0.25, 0.25, 0.25}});
  check_drawn({.title = "zeros", .values = {0, 0}});
  check_drawn({.title = "both signs", .values = {-3, 4.5, 0, -0.01, 2}});
  check_drawn({.title = "negative", .values = {-3, -4.5, -1e-3}});
  check_drawn({.title = "small", .values = {3e-200, 1e-201}});
  check_drawn({.title = "large", .values = {-1e300, 1e300}});
  check_drawn({.title = "smallest", .values = {5e-324, 0}});
  Random random(1);
  Bars many{.title = "as many as have a bar each"};
  for (int i = 0; i < 400; ++i) many.values.push_back(random.normal());
  check_drawn(many);
}

TEST_CASE("a bar is between zero and its value, also where it is rounded") {
  const Xml svg = XmlReader::read(plot::svg(Bars{.values = {-3, 4.5, -0.01, 0.01, 2}}));
  for (const Xml* path : svg.all("path")) {
    const std::string& d = (*path)["d"];
    const auto number_behind = [&](std::size_t place) { return std::stod(d.substr(place + 1)); };
    const double base = number_behind(d.find(' '));
    const double y = number_behind(d.find(' ', d.find('Q')));
    for (std::size_t v = d.find('V'); v != std::string::npos; v = d.find('V', v + 1)) {
      CHECK(number_behind(v) <= std::max(base, y));
      CHECK(number_behind(v) >= std::min(base, y));
    }
  }
}

TEST_CASE("a bar says its value when it is pointed at, and above it where there is room") {
  const Xml svg = XmlReader::read(plot::svg(attention));
  const auto bars = svg.all("path");
  CHECK(bars[2]->first("title").text == "step 2: 58.2");
  CHECK(bars[5]->first("title").text == "step 5: 1.4");
  std::vector<std::string> words;
  for (const Xml* text : texts_at(svg, "middle")) words.push_back(text->text);
  CHECK(words == std::vector<std::string>{"step", "1.4", "1.5", "58.2", "30.4", "7.1", "1.4", "0",
                                          "1", "2", "3", "4", "5"});
}

TEST_CASE("the largest bar has a colour of its own, unless several are as large") {
  const auto fills = [](const Bars& bars) {
    const Xml svg = XmlReader::read(plot::svg(bars, {.theme = plot::Theme::light}));
    std::string result;
    for (const Xml* path : svg.all("path")) result += (*path)["fill"] == "#c2410c" ? 'L' : '.';
    return result;
  };
  CHECK(fills(attention) == "..L...");
  CHECK(fills({.values = {1, 3, 3}}) == "...");
  CHECK(fills({.values = {-1, -3}}) == "L.");
  CHECK(fills({.values = {7}}) == ".");
}

TEST_CASE("a picture says to those who cannot see it what it shows") {
  const Xml svg = XmlReader::read(plot::svg(attention));
  CHECK(svg["role"] == "img");
  CHECK(svg.first("title").text == "Attention");
  CHECK(svg.first("desc").text ==
        "Bar chart of 6 values: attention (%), by step. They go from 1.4 to 58.2, the largest for "
        "2.");
}

TEST_CASE("labels and titles are text, whatever they hold") {
  const std::string hostile = "</text><script>\"&'\x1b\xff\n日本";
  const std::string harmless = "</text><script>\"&'\xef\xbf\xbd\xef\xbf\xbd 日本";
  const Xml svg = XmlReader::read(plot::svg(Bars{.title = hostile,
                                                 .legend = hostile,
                                                 .x_label = hostile,
                                                 .labels = {hostile, "b"},
                                                 .values = {1, 2}}));
  CHECK(svg.all("script").empty());
  CHECK(svg.first("title").text == harmless);
  int seen = 0;
  for (const Xml* text : svg.all("text")) seen += text->text == harmless;
  CHECK(seen == 4);  // the heading, the legend, the name of the axis, a label
}

TEST_CASE("names that do not fit side by side are turned, shortened and stay on the card") {
  Bars bars{.title = std::string(200, 'T'),
            .legend = std::string(300, 'l'),
            .x_label = std::string(300, 'x')};
  for (int i = 0; i < 30; ++i) {
    bars.labels.push_back("a name that is far too long, number " + std::to_string(i));
    bars.values.push_back(i % 7 - 3);
  }
  check_drawn(bars);
  const Xml svg = XmlReader::read(plot::svg(bars));
  int turned = 0;
  for (const Xml* text : svg.all("text")) turned += text->has("transform");
  CHECK(turned == 30);
}

TEST_CASE("of many bars those beside each other share one, and the file stays small") {
  Bars bars{.title = "Many", .legend = "loss", .x_label = "batch"};
  for (int i = 0; i < 1'000'000; ++i) bars.values.push_back(i == 654'321 ? 900 : i % 10);
  bars.values[123'456] = -5;
  const std::string file = plot::svg(bars);
  CHECK(file.size() < 150'000);
  const Xml svg = XmlReader::read(file);
  CHECK(texts_fit(svg));
  const auto paths = svg.all("path");
  CHECK(paths.size() == 400);
  CHECK(paths[654'321 / 2500]->first("title").text == "batch 652500: 900");
  CHECK(paths[123'456 / 2500]->first("title").text == "batch 122500: 9");
  int said = 0;
  for (const Xml* text : svg.all("text")) said += text->text == "loss, the largest of each 2500";
  CHECK(said == 1);
}

TEST_CASE("a theme is the picture's own or the viewer's") {
  const auto svg = [](plot::Theme theme) { return plot::svg(attention, {.theme = theme}); };
  const Xml light = XmlReader::read(svg(plot::Theme::light));
  const Xml dark = XmlReader::read(svg(plot::Theme::dark));
  const Xml automatic = XmlReader::read(svg(plot::Theme::automatic));
  CHECK(light.all("style").empty());
  CHECK(dark.all("style").empty());
  CHECK(light.first("rect")["fill"] == "#ffffff");
  CHECK(dark.first("rect")["fill"] == "#12171f");

  // What the style gives each class for a dark viewer is what the dark picture has.
  const std::string& style = automatic.first("style").text;
  const auto of_light = light.all(""), of_dark = dark.all("");
  auto of_both = automatic.all("");
  std::erase_if(of_both, [](const Xml* element) { return element->name == "style"; });
  REQUIRE(of_both.size() == of_light.size());
  REQUIRE(of_both.size() == of_dark.size());
  for (std::size_t i = 0; i < of_both.size(); ++i) {
    for (const std::string property : {"fill", "stroke"}) {
      if (!of_both[i]->has(property)) continue;
      CHECK((*of_both[i])[property] == (*of_light[i])[property]);
      const std::string& classes = (*of_both[i])["class"];
      const std::size_t begin = classes.find("heed-" + property);
      const std::string name = classes.substr(begin, classes.find(' ', begin) - begin);
      CHECK(style.find("." + name + "{" + property + ":" + (*of_dark[i])[property] + "}") !=
            std::string::npos);
    }
  }
}

TEST_CASE("a picture is the same every time and in every locale") {
  struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };
  const std::string before = plot::svg(attention);
  const std::locale old = std::locale::global(std::locale(std::locale(), new Comma));
  const std::string after = plot::svg(attention);
  std::locale::global(old);
  CHECK(before == after);
}

TEST_CASE("bars that cannot be drawn are refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(data_error({.title = "A"}) == "Bars \"A\": there are no values to draw");
  CHECK(data_error({.title = "A", .values = {1, nan}}) ==
        "Bars \"A\": expected numbers of at most 1e300, got nan as value 1");
  CHECK(data_error({.title = "A", .values = {-inf}}) ==
        "Bars \"A\": expected numbers of at most 1e300, got -inf as value 0");
  CHECK(data_error({.values = {1e301}}) ==
        "Bars \"\": expected numbers of at most 1e300, got 1e+301 as value 0");
  CHECK(data_error({.title = "A", .labels = {"a", "b"}, .values = {1, 2, 3}}) ==
        "Bars \"A\": expected one label for each of 3 values, got 2 labels");
}

}  // namespace heed::bars_test
