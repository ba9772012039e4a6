#include <heed/math/random.hpp>
#include <heed/plot/numbers.hpp>

#include <limits>
#include <set>

#include "support/catch.hpp"

namespace heed::numbers_test {

using namespace heed::plot::detail;
using Words = std::vector<std::string>;

namespace {

Words written(const std::vector<double>& values) {
  const NumberFormat format = format_of(values);
  Words words;
  for (const double value : values) words.push_back(format(value));
  return words;
}

double read(std::string text) {
  std::erase(text, ',');
  return std::stod(text);
}

}  // namespace

TEST_CASE(
    "numbers that stand together are written alike, with three or four digits of the largest") {
  CHECK(written({1.4321, 58.213}) == Words{"1.4", "58.2"});
  CHECK(written({0.014321, 0.58213}) == Words{"0.014", "0.582"});
  CHECK(written({3, 4, 120}) == Words{"3", "4", "120"});
  CHECK(written({0.5, 0.25}) == Words{"0.50", "0.25"});
  CHECK(written({1234567, 25121}) == Words{"1,234,567", "25,121"});
  CHECK(written({-12345, 9999}) == Words{"-12,345", "9999"});
  CHECK(written({2.341e-7, -5e-8, 0}) == Words{"2.34e-7", "-5.00e-8", "0"});
  CHECK(written({100, 12.54}) == Words{"100.0", "12.5"});
  CHECK(written({2e30, 5e29}) == Words{"2.0e30", "5.0e29"});
  CHECK(written({0, 0}) == Words{"0", "0"});
  CHECK(written({-0.001, 4.51}) == Words{"0", "4.51"});
  CHECK(written({5e-324}) == Words{"0"});
  CHECK(written({1e300}) == Words{"1e300"});
}

TEST_CASE("a number alone is written with six digits at most") {
  CHECK(brief(58.2) == "58.2");
  CHECK(brief(0.5821428571) == "0.582143");
  CHECK(brief(1e-7) == "1e-07");
}

TEST_CASE("an axis has a few round numbers around its values, and each label says its number") {
  Random random(1);
  for (int i = 0; i < 2'000; ++i) {
    const double size = std::pow(10, random.uniform(-299, 300));
    double a = size * random.uniform(-1, 1);
    double b = random.bernoulli(0.5) ? size * random.uniform(-1, 1)
                                     : a * (1 + std::pow(10, random.uniform(-8, 0)));
    if (std::abs(b) > most_drawable) b = a / 2;
    const double low = std::min(a, b), high = std::max(a, b);
    const Ticks ticks(low, high);
    INFO(low << " " << high);
    const double step = ticks.values[1] - ticks.values[0];
    REQUIRE(ticks.values.size() >= 2);
    REQUIRE(ticks.values.size() <= 12);
    REQUIRE(ticks.low() <= low + 1e-6 * step);
    REQUIRE(ticks.high() >= high - 1e-6 * step);
    REQUIRE(std::set<std::string>(ticks.labels.begin(), ticks.labels.end()).size() ==
            ticks.values.size());
    for (std::size_t k = 0; k < ticks.values.size(); ++k) {
      REQUIRE(std::abs(read(ticks.labels[k]) - ticks.values[k]) <= 1e-3 * step);
      REQUIRE(ticks.labels[k].size() <= 20);
    }
  }
}

TEST_CASE("the numbers of an axis are those that one would choose") {
  CHECK(Ticks(0, 58.2).labels == Words{"0", "20", "40", "60"});
  CHECK(Ticks(0, 1).labels == Words{"0", "0.2", "0.4", "0.6", "0.8", "1.0"});
  CHECK(Ticks(-3, 7).labels == Words{"-4", "-2", "0", "2", "4", "6", "8"});
  CHECK(Ticks(0, 1.2e-6).labels ==
        Words{"0", "2.50e-7", "5.00e-7", "7.50e-7", "1.00e-6", "1.25e-6"});
  CHECK(Ticks(1e8, 1e8 + 0.9).labels.front() == "100,000,000.0");
}

TEST_CASE("an axis of equal numbers goes to zero, and one of zeros to 1") {
  CHECK(Ticks(5, 5).labels == Words{"0", "1", "2", "3", "4", "5"});
  CHECK(Ticks(-5, -5).low() == -5);
  CHECK(Ticks(-5, -5).high() == 0);
  CHECK(Ticks(0, 0).high() == 1);
  CHECK(Ticks(0, 5e-324).high() == 1);
  const double next = std::nextafter(1e10, 2e10);
  CHECK(Ticks(1e10, next).low() == 0);
  CHECK(Ticks(-most_drawable, most_drawable).values.size() >= 4);
}

TEST_CASE("labels that do not fit are drawn at every second, fifth, tenth, …") {
  CHECK(every_nth(0.3) == 1);
  CHECK(every_nth(1) == 1);
  CHECK(every_nth(1.1) == 2);
  CHECK(every_nth(2.1) == 5);
  CHECK(every_nth(12) == 20);
  CHECK(every_nth(201) == 500);
}

TEST_CASE("neighbours share a place when there are too many") {
  CHECK(group_size(400, 400) == 1);
  CHECK(group_size(401, 400) == 2);
  CHECK(group_size(801, 400) == 3);
  CHECK(group_size(0, 400) == 1);
  CHECK(farther(1, -2) == -2);
  CHECK(farther(-2, 2) == -2);
}

}  // namespace heed::numbers_test
