#include <heed/math/random.hpp>
#include <heed/plot/lines.hpp>

#include <limits>
#include <numeric>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "xml.hpp"

namespace heed::lines_test {

using namespace heed::testing;
using plot::Lines;

namespace {

const double nan = std::numeric_limits<double>::quiet_NaN();

/// The pieces of the curve that is the k-th path: the values, read off the axis, between two M.
std::vector<std::vector<double>> curve(const Xml& svg, std::size_t k) {
  const ReadAxis axis(svg);
  const std::string& d = (*svg.all("path").at(k))["d"];
  std::vector<std::vector<double>> pieces;
  for (std::size_t i = 0; i < d.size(); i = std::min(d.find_first_of("ML", i + 1), d.size())) {
    if (d[i] == 'M') pieces.emplace_back();
    pieces.back().push_back(axis(std::stod(d.substr(d.find(' ', i)))));
  }
  return pieces;
}

void check_drawn(const std::vector<double>& values) {
  const Xml svg = XmlReader::read(plot::svg(Lines{.series = {{"a", values}}}));
  CHECK(has_both_themes(svg));
  CHECK(texts_fit(svg));
  const auto pieces = curve(svg, 0);
  REQUIRE(pieces.size() == 1);
  REQUIRE(pieces[0].size() == values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CHECK(std::abs(pieces[0][i] - values[i]) <= ReadAxis(svg).precision());
  }
}

}  // namespace

TEST_CASE("a curve goes through its values") {
  check_drawn({0.7, 0.4, 0.35, 0.2});
  check_drawn({0.25});
  check_drawn({3, 3, 3});
  check_drawn({0, 0});
  check_drawn({-1e20, -3e19, 4e19});
  check_drawn({-5, -4.9, -4.95});
  check_drawn({1e6, 1e6 + 0.25, 1e6 + 0.125});
  check_drawn({1e-250, 3e-250});
  check_drawn({-1e300, 1e300});
  Random random(1);
  std::vector<double> many;
  for (int i = 0; i < 800; ++i) many.push_back(random.normal());
  check_drawn(many);
}

TEST_CASE("points stand at their numbers below the axis") {
  const Xml svg = XmlReader::read(
      plot::svg(Lines{.x_label = "step", .first = -1, .series = {{"a", {5, 6, 7, 8}}}}));
  std::map<std::string, double> numbers;
  for (const Xml* text : svg.all("text")) {
    if (text->has("text-anchor") && (*text)["text-anchor"] == "middle" && text->text != "step") {
      numbers[text->text] = text->number("x");
    }
  }
  CHECK(numbers.size() == 4);
  const auto dots = svg.all("circle");
  REQUIRE(dots.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    const std::string number = std::to_string(static_cast<int>(i) - 1);
    CHECK(std::abs(dots[i]->number("cx") - numbers.at(number)) < 0.01);
    CHECK(dots[i]->first("title").text == "a, step " + number + ": " + std::to_string(5 + i));
  }
}

TEST_CASE("a curve is broken where a value is not finite") {
  const double inf = std::numeric_limits<double>::infinity();
  const Lines lines{
      .series = {{"a", {4, 3, nan, 2, -inf, 1, 1.5}}, {"none", {nan, nan}}, {"b", {2, 1}}}};
  const Xml svg = XmlReader::read(plot::svg(lines));
  const auto pieces = curve(svg, 0);
  REQUIRE(pieces.size() == 3);
  CHECK(pieces[0].size() == 2);
  CHECK(pieces[1].size() == 1);
  CHECK(pieces[2].size() == 2);
  CHECK(curve(svg, 1).size() == 1);  // that of b
  CHECK(svg.all("path").size() == 2);
}

TEST_CASE("a point without neighbours is seen also where the others have no dots") {
  std::vector<double> values(300, nan);
  values[100] = 5;
  values[200] = 6;
  values[201] = 7;
  const Xml svg = XmlReader::read(plot::svg(Lines{.series = {{"a", values}}}));
  const auto dots = svg.all("circle");
  REQUIRE(dots.size() == 1);
  CHECK(dots[0]->first("title").text == "a,  101: 5");
}

TEST_CASE("also of many points a curve is broken where a value is not finite") {
  std::vector<double> values(1000);
  std::iota(values.begin(), values.end(), 0.0);
  values[500] = nan;
  const Xml svg = XmlReader::read(plot::svg(Lines{.series = {{"a", values}}}));
  const auto pieces = curve(svg, 0);
  REQUIRE(pieces.size() == 2);
  CHECK(std::abs(pieces[0].back() - 499) < 0.01);
  CHECK(std::abs(pieces[1].front() - 501) < 0.01);
}

TEST_CASE("of many points the least and the most of neighbours are drawn, in a small file") {
  Lines lines{.x_label = "step", .series = {{"a", {}}, {"b", {}}}};
  Random random(1);
  for (int i = 0; i < 1'000'000; ++i) {
    lines.series[0].values.push_back(random.uniform());
    lines.series[1].values.push_back(i / 1e6);
  }
  lines.series[0].values[345'678] = 5;
  lines.series[0].values[456'789] = -5;
  lines.series[1].values[500'500] = nan;
  lines.series[0].values[346'000] = -std::numeric_limits<double>::infinity();  // beside the most
  const std::string file = plot::svg(lines);
  CHECK(file.size() < 80'000);
  const Xml svg = XmlReader::read(file);
  CHECK(texts_fit(svg));
  const auto a = curve(svg, 0);
  REQUIRE(a.size() == 2);
  CHECK(a[0].size() + a[1].size() == 1600);
  CHECK(std::abs(*std::max_element(a[0].begin(), a[0].end()) - 5) < 0.01);
  CHECK(std::abs(*std::min_element(a[0].begin(), a[0].end()) - 0) < 0.01);
  CHECK(std::abs(*std::min_element(a[1].begin(), a[1].end()) + 5) < 0.01);
  const auto b = curve(svg, 1);
  REQUIRE(b.size() == 2);  // also one missing value is seen
  CHECK(std::is_sorted(b[0].begin(), b[0].end(), std::less<>()));
}

TEST_CASE("series differ in colour and in dashes, and the legend names them") {
  Lines lines{.title = "Ten"};
  for (int k = 0; k < 10; ++k)
    lines.series.push_back({"series " + std::to_string(k), {1.0 * k, 2}});
  const Xml svg = XmlReader::read(plot::svg(lines));
  CHECK(texts_fit(svg));
  std::set<std::string> pens;
  for (const Xml* path : svg.all("path")) {
    pens.insert((*path)["stroke"] +
                (path->has("stroke-dasharray") ? (*path)["stroke-dasharray"] : ""));
  }
  CHECK(pens.size() == 10);
  int named = 0;
  for (const Xml* text : svg.all("text")) named += text->text.starts_with("series ");
  CHECK(named == 10);
}

TEST_CASE("a legend that is too long says how many series it leaves out") {
  Lines lines{.title = "Hundred"};
  for (int k = 0; k < 100; ++k) lines.series.push_back({"a series with a long name", {1, 2}});
  const Xml svg = XmlReader::read(plot::svg(lines));
  CHECK(texts_fit(svg));
  int named = 0;
  std::string rest;
  for (const Xml* text : svg.all("text")) {
    named += text->text.starts_with("a series");
    if (text->text.starts_with("and ")) rest = text->text;
  }
  CHECK(rest == "and " + std::to_string(100 - named) + " more");
}

TEST_CASE("a history is drawn by epoch, with its validation") {
  History history;
  history.append({{"loss", 0.7}, {"accuracy", 0.5}, {"val_loss", 0.8}});
  history.append({{"loss", 0.4}, {"accuracy", 0.6}, {"val_loss", 0.5}});
  const Lines loss = plot::history(history);
  CHECK(loss.title == "loss by epoch");
  CHECK(loss.x_label == "epoch");
  CHECK(loss.first == 1);
  REQUIRE(loss.series.size() == 2);
  CHECK(loss.series[0].name == "loss");
  CHECK(loss.series[0].values == std::vector{0.7, 0.4});
  CHECK(loss.series[1].name == "val_loss");
  CHECK(loss.series[1].values == std::vector{0.8, 0.5});
  const Lines accuracy = plot::history(history, "accuracy");
  REQUIRE(accuracy.series.size() == 1);
  CHECK(accuracy.series[0].values == std::vector{0.5, 0.6});
  CHECK(message<OptionError>([&] {
          plot::history(history, "f1");
        }).starts_with("the history has no \"f1\" among \"loss\""));
}

TEST_CASE("curves that cannot be drawn are refused") {
  const auto error = [](const Lines& lines) {
    return message<DataError>([&] { plot::svg(lines); });
  };
  CHECK(error({.title = "A"}) == "Lines \"A\": there is no finite value to draw");
  CHECK(error({.title = "A", .series = {{"a", {nan, nan}}}}) ==
        "Lines \"A\": there is no finite value to draw");
  CHECK(error({.title = "A", .series = {{"a", {1, -2e300}}}}) ==
        "Lines \"A\": expected numbers of at most 1e300, got -2e+300 in \"a\"");
}

TEST_CASE("a logarithmic axis has powers of ten, and leaves out what is not above zero") {
  using Texts = std::vector<std::string>;
  CHECK(plot::detail::Ticks::logarithmic(0.0004, 40).labels ==
        Texts{"1e-4", "0.001", "0.01", "0.1", "1", "10", "100"});
  CHECK(plot::detail::Ticks::logarithmic(1.1, 3).labels == Texts{"1", "2", "5"});
  CHECK(plot::detail::Ticks::logarithmic(5, 5).labels == Texts{"5", "10"});
  CHECK(plot::detail::Ticks::logarithmic(1e-300, 1e300).labels.size() <= 8);
  const auto ticks = plot::detail::Ticks::logarithmic(0.01, 1);
  CHECK(ticks.part(0.01) == Approx(0));
  CHECK(ticks.part(0.1) == Approx(0.5));
  CHECK(ticks.part(1) == Approx(1));

  const plot::Lines lines{
      .y_label = "error", .logarithmic = true, .series = {{"loss", {10, 0, 1, 0.1}}}};
  const std::string picture = plot::svg(lines);
  CHECK(picture.find(">error</text>") != std::string::npos);
  CHECK(picture.find("loss,  1: 10") != std::string::npos);
  CHECK(picture.find("loss,  2: 0") == std::string::npos);  // the curve is broken there
  CHECK(message<DataError>([] {
          plot::svg(plot::Lines{.logarithmic = true, .series = {{"loss", {0, -1}}}});
        }) == "Lines \"\": there is no finite value above zero to draw");
}

}  // namespace heed::lines_test
