#include <heed/plot/save.hpp>

#include <limits>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

namespace heed::save_test {

using namespace heed::testing;

namespace {

std::string content(const std::filesystem::path& path) {
  std::string text;
  for (const std::byte byte : read_file(path)) text += static_cast<char>(byte);
  return text;
}

const plot::Bars bars{.title = "Bars", .values = {1, 2}};

}  // namespace

TEST_CASE("a chart of each kind is saved as its SVG") {
  const TemporaryFolder folder;
  const plot::Lines lines{.title = "Lines", .series = {{"loss", {1, 2}}}};
  const plot::HeatMap map{.title = "Map", .values = {{1, 2}}};
  plot::save(folder / "a.svg", bars);
  CHECK(content(folder / "a.svg") == plot::svg(bars));
  plot::save(folder / "a.svg", lines);
  CHECK(content(folder / "a.svg") == plot::svg(lines));
  plot::save(folder / "a.svg", map, {.theme = plot::Theme::dark});
  CHECK(content(folder / "a.svg") == plot::svg(map, {.theme = plot::Theme::dark}));
  CHECK(folder.names() == std::vector<std::string>{"a.svg"});
}

TEST_CASE("a chart that cannot be drawn or written leaves the file that is there") {
  const TemporaryFolder folder;
  plot::save(folder / "a.svg", bars);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(plot::save(folder / "a.svg", plot::Bars{.values = {nan}}), DataError);
  CHECK(content(folder / "a.svg") == plot::svg(bars));
  CHECK(message<OptionError>([&] { plot::save("a.png", bars); }) ==
        "plot::save: expected a name that ends in .svg, got \"a.png\"");
  const auto missing = folder / "missing/a.svg";
  CHECK(message<FileError>([&] { plot::save(missing, bars); }) ==
        missing.string() + " cannot be written: No such file or directory");
  CHECK(folder.names() == std::vector<std::string>{"a.svg"});
}

}  // namespace heed::save_test
