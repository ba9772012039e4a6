#include "../../examples/support/time_series.hpp"

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

namespace heed::time_series_test {

using heed::testing::message;
using heed::testing::TemporaryFolder;

namespace {

const std::string header =
    "# made by hand\n@problemName two\n@timeStamps false\n@classLabel true a b\n@data\n";

struct File {
  explicit File(std::string_view text) { write_file(path, std::as_bytes(std::span(text))); }
  TimeSeries read() const { return read_time_series(path); }

  TemporaryFolder folder;
  std::filesystem::path path = folder / "two.ts";
};

/// What is wrong with a file, without the folder that it is in.
std::string complaint(const std::string& text) {
  const File file(text);
  const std::string sentence = message<FileError>([&] { file.read(); });
  const std::string before = file.folder.path().string() + "/";
  return sentence.starts_with(before) ? sentence.substr(before.size()) : sentence;
}

}  // namespace

TEST_CASE("A .ts file is read as samples of their own lengths, each with its class") {
  const TimeSeries series =
      File(header + "1,2,3:-0.5,0.25,1e-1:b\r\n\n# between\n 4 : 5 : a \n").read();
  REQUIRE(series.x.samples() == 2);
  CHECK(series.x.step_shape() == Shape{2});
  CHECK(series.x[0] == Tensor<float, 2>{{1, -0.5f}, {2, 0.25f}, {3, 0.1f}});
  CHECK(series.x[1] == Tensor<float, 2>{{4, 5}});
  CHECK(series.classes == std::vector<Index>{1, 0});
  CHECK(series.names == std::vector<std::string>{"a", "b"});
}

TEST_CASE(
    "The keywords of a .ts file may be written in any case, and its last line without an end") {
  const TimeSeries series = File("@CLASSLABEL true a b\n@Data\n1:2:a").read();
  CHECK(series.classes == std::vector<Index>{0});
}

TEST_CASE("What is not a .ts file is refused with a sentence that says what it lacks") {
  CHECK(complaint("") == "two.ts has no line @data: it is not a .ts file");
  CHECK(complaint("@classLabel true a b\n") == "two.ts has no line @data: it is not a .ts file");
  CHECK(complaint("x;y\n1;2\n") ==
        "two.ts, line 1: expected a line that begins with @ before the line @data; is it a .ts "
        "file?");
  CHECK(complaint(header) == "two.ts has no samples after @data");
  CHECK(complaint("@timeStamps true\n@classLabel true a\n@data\n") ==
        "two.ts, line 1: expected values without time stamps");
  const std::string no_classes = "expected samples with classes, as in @classLabel true 1 2 3";
  CHECK(complaint("@classLabel false\n@data\n1:2\n") == "two.ts, line 1: " + no_classes);
  CHECK(complaint("@classLabel\n@data\n1:2\n") == "two.ts, line 1: " + no_classes);
  CHECK(complaint("@problemName two\n@data\n1:2\n") ==
        "two.ts, line 2: expected a line such as @classLabel true 1 2 3 before @data");
  CHECK(message<FileError>([] { read_time_series("none.ts"); }) ==
        "none.ts cannot be read: No such file or directory");
}

TEST_CASE("A sample of a .ts file that does not fit is refused with its line") {
  CHECK(complaint(header + "1,2:3,4:c\n") ==
        "two.ts, line 6: expected one of the classes of @classLabel at the end, got \"c\"");
  CHECK(complaint(header + "1,2:3,4\n") ==
        "two.ts, line 6: expected one of the classes of @classLabel at the end, got \"3,4\"");
  CHECK(complaint(header + "a\n") ==
        "two.ts, line 6: expected at least one dimension before the class");
  CHECK(complaint(header + "1:2:a\n\n1:2:3:a\n") ==
        "two.ts, line 8: expected 2 dimensions before the class, as in the first sample, got 3");
  CHECK(complaint(header + "1,2:3:a\n") ==
        "two.ts, line 6: dimension 1 has 1 value, and dimension 0 has 2");
  for (const std::string wrong : {"", "?", "x", "1x", "1 2", "nan", "inf", "1e999"}) {
    CAPTURE(wrong);
    CHECK(complaint(header + "1,2:3," + wrong + ":a\n") ==
          "two.ts, line 6: expected a number in dimension 1, got \"" + wrong + "\"");
  }
}

}  // namespace heed::time_series_test
