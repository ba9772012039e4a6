#include <heed/io/safetensors.hpp>
#include <heed/tensor/tensor.hpp>

#include <limits>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

namespace heed::safetensors_test {

using heed::testing::message;
using heed::testing::TemporaryFolder;

namespace {

using Bytes = std::vector<std::byte>;

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// A file with this header, and zeros for data.
Bytes file_of(const std::string& header, std::size_t data = 0) {
  Bytes bytes(8);
  detail::to_little_endian(std::uint64_t{header.size()}, bytes.data());
  for (const char c : header) bytes.push_back(std::byte(c));
  bytes.resize(bytes.size() + data);
  return bytes;
}

/// The description of a tensor.
std::string described(const std::string& dtype, const std::string& shape,
                      const std::string& offsets) {
  return join("{\"dtype\":", dtype, ",\"shape\":", shape, ",\"data_offsets\":", offsets, "}");
}

std::string refusal(const std::string& header, std::size_t data = 0) {
  return message<FileError>([&] { parse_safetensors(file_of(header, data), "file"); });
}

/// What is said of a file with one tensor.
std::string tensor_refusal(const std::string& tensor, std::size_t data = 8) {
  return refusal("{\"a\":" + tensor + "}", data);
}

std::string tensor_refusal(const std::string& dtype, const std::string& shape,
                           const std::string& offsets) {
  return tensor_refusal(described(dtype, shape, offsets));
}

template <class Scalar>
std::vector<Scalar> values_of(const SafeTensor& tensor) {
  std::vector<Scalar> values(static_cast<std::size_t>(tensor.shape.size()));
  REQUIRE(decode<Scalar>(tensor.dtype, tensor.bytes, values));
  return values;
}

/// What Python's safetensors 0.8.0 made of six tensors.
std::string python_file() {
  const std::string header =
      "{\"__metadata__\":{\"format\":\"np\"},"
      "\"i\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]},"
      "\"d\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[16,24]},"
      "\"e\":{\"dtype\":\"F32\",\"shape\":[0,4],\"data_offsets\":[24,24]},"
      "\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[24,48]},"
      "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[48,52]},"
      "\"h\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[52,58]}}   ";
  const std::string hex =
      "0700000000000000ffffffffffffffff9a9999999999b93f0000803f000000c00000003f000040400000807f"
      "00000080c03f00c0003e00c00100";
  std::string file = std::string("\x70\1\0\0\0\0\0\0", 8) + header;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    file += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return file;
}

}  // namespace

TEST_CASE("A file of Python's safetensors is read") {
  const std::string bytes = python_file();
  const Safetensors file = parse_safetensors(as_bytes(bytes), "file");
  CHECK(file.metadata.size() == 1);
  CHECK(file.metadata.at("format") == "np");
  REQUIRE(file.tensors.size() == 6);
  CHECK(file.tensors.at("w").shape == Shape{2, 3});
  CHECK(values_of<float>(file.tensors.at("w")) ==
        std::vector<float>{1, -2, 0.5, 3, std::numeric_limits<float>::infinity(), -0.0f});
  CHECK(std::signbit(values_of<float>(file.tensors.at("w"))[5]));
  CHECK(file.tensors.at("d").shape == Shape{});
  CHECK(values_of<double>(file.tensors.at("d")) == std::vector{0.1});
  CHECK(file.tensors.at("e").shape == Shape{0, 4});
  CHECK(values_of<float>(file.tensors.at("e")).empty());
  CHECK(values_of<float>(file.tensors.at("b")) == std::vector<float>{1.5, -2});
  CHECK(values_of<double>(file.tensors.at("h")) == std::vector<double>{1.5, -2, 0x1p-24});
  CHECK(file.tensors.at("i").dtype == *find_dtype("I64"));
  float none = 0;
  CHECK(!decode(file.tensors.at("i").dtype, file.tensors.at("i").bytes, std::span(&none, 0)));
}

TEST_CASE("A file is written as the format says, byte by byte") {
  const Tensor<float> w(Shape{2, 1}, std::vector<float>{1, -2});
  const std::vector<NamedView<float>> tensors{{"a/w", w}};
  const Bytes bytes = format_safetensors<float>(tensors, {{"k", "v"}});
  const std::string header =
      "{\"__metadata__\":{\"k\":\"v\"},"
      "\"a/w\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]}}";
  REQUIRE(header.size() == 83);
  const std::string expected = std::string("\x58\0\0\0\0\0\0\0", 8) + header + "     " +
                               std::string("\0\0\x80\x3f\0\0\0\xc0", 8);
  CHECK(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()) == expected);
}

TEST_CASE("What is written is read again, in float and in double") {
  const TemporaryFolder folder;
  const Tensor<double> a(Shape{2, 3}, std::vector<double>{1, 2, 3, 4, 5, 0.1});
  const Tensor<double> scalar(Shape{}, std::vector<double>{7});
  const Tensor<double> none(Shape{0, 2});
  const std::vector<NamedView<double>> tensors{{"z", a}, {"größe \"\n", scalar}, {"", none}};
  write_safetensors<double>(folder / "file", tensors, {{"", "empty"}, {"text", "\"\\\n\x01ö"}});
  const Safetensors file = read_safetensors(folder / "file");
  CHECK(file.metadata.size() == 2);
  CHECK(file.metadata.at("") == "empty");
  CHECK(file.metadata.at("text") == "\"\\\n\x01ö");
  REQUIRE(file.tensors.size() == 3);
  for (const auto& [name, values] : tensors) {
    CAPTURE(name);
    const SafeTensor& tensor = file.tensors.at(name);
    CHECK(tensor.dtype == *find_dtype("F64"));
    CHECK(tensor.shape == values.shape());
    CHECK(values_of<double>(tensor) ==
          std::vector<double>(values.data(), values.data() + values.size()));
  }
  CHECK(values_of<float>(file.tensors.at("z"))[5] == 0.1f);
  const Safetensors copy = file;
  CHECK(copy.tensors.at("z").bytes.data() == file.tensors.at("z").bytes.data());
}

TEST_CASE("The numbers of a file begin at a multiple of 8 bytes, and the header ends in spaces") {
  const Tensor<float> w(Shape{1});
  for (std::size_t length = 1; length < 17; ++length) {
    const std::vector<NamedView<float>> tensors{{std::string(length, 'a'), w}};
    const Bytes bytes = format_safetensors<float>(tensors);
    CHECK((bytes.size() - 4) % 8 == 0);
    CHECK(parse_safetensors(bytes).tensors.size() == 1);
  }
}

TEST_CASE("A file without tensors is written and read") {
  const Bytes bytes = format_safetensors<float>({});
  CHECK(bytes.size() == 16);
  CHECK(parse_safetensors(bytes).tensors.empty());
}

TEST_CASE("Names that a file cannot hold are not written") {
  const Tensor<float> w(Shape{1});
  const auto written = [&](std::vector<NamedView<float>> tensors) {
    return message<FileError>([&] { format_safetensors<float>(tensors); });
  };
  CHECK(written({{"a", w}, {"a", w}}) == "the tensor name \"a\" is taken");
  CHECK(written({{"__metadata__", w}}) == "the tensor name \"__metadata__\" is taken");
  CHECK(written({{"\xff", w}}) ==
        "the header of a safetensors file contains text that is not UTF-8");
  const std::vector<NamedView<float>> none;
  CHECK(message<FileError>([&] {
          format_safetensors<float>(none, {{"a", "\xc3"}});
        }) == "the header of a safetensors file contains text that is not UTF-8");
}

TEST_CASE("Bytes that are no safetensors file are refused") {
  const auto said = [](const std::string& bytes) {
    return message<FileError>([&] { parse_safetensors(as_bytes(bytes), "file"); });
  };
  const std::string takes8 = " bytes, and the length of the header alone takes 8";
  CHECK(said("") == "file is empty");
  CHECK(said("1234567") == "file is not a safetensors file: it has 7" + takes8);
  const std::string cut = "file is not a safetensors file, or is cut off: a header of ";
  CHECK(said(std::string("\x03\0\0\0\0\0\0\0{}", 10)) ==
        cut + "3 bytes is announced, and 2 follow");
  CHECK(said(std::string(16, '\xff')) ==
        cut + "18446744073709551615 bytes is announced, and 8 follow");
  const std::string brace = "file is not a safetensors file: its header does not begin with \"{\"";
  CHECK(said(std::string(8, '\0')) == brace);
  CHECK(refusal("[]") == brace);
  CHECK(refusal(" {}") == brace);
  CHECK(refusal("{") == "file: the header is not JSON at byte 2");
  CHECK(refusal(std::string("{}\0", 3)) == "file: the header is not JSON at byte 3");
  CHECK(refusal("{\"a\":" + std::string(100000, '[')) ==
        "file: the header is nested deeper than 16 levels");
}

TEST_CASE("Spaces around a header's parts change nothing") {
  CHECK_NOTHROW(parse_safetensors(
      file_of("{ \"a\" :\t" + described("\"F32\"", "[ 2 ]", "[0,8]") + "\n} \t\n ", 8)));
}

TEST_CASE("Metadata is text by text") {
  CHECK(refusal(R"({"__metadata__":[]})") == "file: \"__metadata__\" is not an object");
  CHECK(refusal(R"({"__metadata__":null})") == "file: \"__metadata__\" is not an object");
  CHECK(refusal(R"({"__metadata__":{"a":"b","n":1}})") ==
        "file: \"n\" in \"__metadata__\" is not a text");
  CHECK(refusal(R"({"__metadata__":{"a":"b","a":"c"}})") == "file: the header says \"a\" twice");
}

TEST_CASE("A tensor that is not described rightly is refused by its name") {
  const std::string place = "file: tensor \"a\"";
  CHECK(tensor_refusal("3") == place + " is not described by an object");
  CHECK(tensor_refusal("{}") == place + " has no \"dtype\"");
  CHECK(tensor_refusal("{\"dtype\":\"F32\"}") == place + " has no list \"shape\"");
  CHECK(tensor_refusal("{\"dtype\":\"F32\",\"shape\":[2]}") ==
        place + " has no list \"data_offsets\"");
  CHECK(tensor_refusal("3", "[2]", "[0,8]") == place + " has no \"dtype\"");
  CHECK(tensor_refusal("\"F31\"", "[2]", "[0,8]") == place + " has the unknown dtype \"F31\"");
  CHECK(tensor_refusal("\"F32\"", "{}", "[0,8]") == place + " has no list \"shape\"");
  const std::string length = " that is not a length";
  for (const std::string dim : {"-2", "2.0", "\"2\"", "null", "true", "[2]", "-0", "1e1",
                                "9223372036854775808", "18446744073709551616"}) {
    CAPTURE(dim);
    CHECK(tensor_refusal("\"F32\"", "[" + dim + "]", "[0,8]") ==
          place + " has a value in \"shape\"" + length);
    CHECK(tensor_refusal("\"F32\"", "[2]", "[0," + dim + "]") ==
          place + " has a value in \"data_offsets\"" + length);
  }
  CHECK(tensor_refusal("\"F32\"", "[1,1,1,1,1,1,3]", "[0,8]") ==
        place + " has 3 numbers of 32 bits in 8 bytes");
  CHECK(tensor_refusal("\"F32\"", "[4294967296,4294967296,1,1,1,1,1]", "[0,8]") ==
        place + " has more numbers than can be counted");
  CHECK(tensor_refusal("\"F32\"", "[4294967296,4294967296]", "[0,8]") ==
        place + ": a shape with an axis of 4294967296 has more elements than can be counted");
  const std::string ends = " has \"data_offsets\" that are not a begin and an end";
  for (const std::string offsets : {"[]", "[8]", "[0,8,8]", "[8,0]"}) {
    CHECK(tensor_refusal("\"F32\"", "[2]", offsets) == place + ends);
  }
  CHECK(tensor_refusal("\"F32\"", "[2]", "[1,9]") ==
        place + " ends at byte 9 of the data, of which there are 8: the file is cut off");
  CHECK(refusal(R"({"a":{},"a":{}})") == "file: the header says \"a\" twice");
}

TEST_CASE("A tensor whose shape, dtype and bytes disagree is refused") {
  const std::string place = "file: tensor \"a\" has ";
  CHECK(tensor_refusal("\"F32\"", "[3]", "[0,8]") == place + "3 numbers of 32 bits in 8 bytes");
  CHECK(tensor_refusal("\"F64\"", "[2]", "[0,8]") == place + "2 numbers of 64 bits in 8 bytes");
  CHECK(tensor_refusal("\"F16\"", "[]", "[0,8]") == place + "1 numbers of 16 bits in 8 bytes");
  CHECK(tensor_refusal("\"F32\"", "[0]", "[0,8]") == place + "0 numbers of 32 bits in 8 bytes");
  CHECK(tensor_refusal("\"F4\"", "[15]", "[0,8]") == place + "15 numbers of 4 bits in 8 bytes");
  // 2^61 numbers of 64 bits are 2^67 bits, which would be 8 bytes if 2^64 bits were none.
  CHECK(tensor_refusal("\"F64\"", "[2305843009213693953]", "[0,8]") ==
        place + "2305843009213693953 numbers of 64 bits in 8 bytes");
  CHECK(tensor_refusal("\"F32\"", "[9223372036854775807]", "[0,0]") ==
        place + "9223372036854775807 numbers of 32 bits in 0 bytes");
  CHECK_NOTHROW(
      parse_safetensors(file_of("{\"a\":" + described("\"F4\"", "[16]", "[0,8]") + "}", 8)));
}

TEST_CASE("Tensors share the data out among them without gap or overlap, in any order") {
  const auto two = [](const std::string& a, const std::string& b, std::size_t data) {
    const std::string header = join("{\"a\":", described("\"F32\"", "[2]", a),
                                    ",\"b\":", described("\"F32\"", "[2]", b), "}");
    return message<FileError>([&] { parse_safetensors(file_of(header, data), "file"); });
  };
  const std::string good = "(nothing thrown)";
  CHECK(two("[0,8]", "[8,16]", 16) == good);
  CHECK(two("[8,16]", "[0,8]", 16) == good);
  CHECK(two("[0,8]", "[0,8]", 8) == "file: tensor \"b\" begins inside the previous one");
  CHECK(two("[4,12]", "[0,8]", 12) == "file: tensor \"a\" begins inside the previous one");
  CHECK(two("[0,8]", "[9,17]", 17) == "file: 1 bytes before tensor \"b\" belong to no tensor");
  CHECK(two("[8,16]", "[16,24]", 24) == "file: 8 bytes before tensor \"a\" belong to no tensor");
  CHECK(two("[0,8]", "[8,16]", 19) == "file: the last 3 bytes belong to no tensor");
  CHECK(two("[0,8]", "[8,16]", 15).ends_with("the file is cut off"));
  CHECK(refusal("{}", 1) == "file: the last 1 bytes belong to no tensor");
  const std::string empty_inside = join("{\"a\":", described("\"F32\"", "[2]", "[0,8]"),
                                        ",\"b\":", described("\"F32\"", "[0]", "[4,4]"), "}");
  CHECK(refusal(empty_inside, 8) == "file: tensor \"b\" begins inside the previous one");
  const std::string empty_between = join("{\"a\":", described("\"F32\"", "[2]", "[0,8]"),
                                         ",\"b\":", described("\"F32\"", "[0]", "[8,8]"), "}");
  CHECK(refusal(empty_between, 8) == good);
}

TEST_CASE("One tensor is read by its name, from every kind of floating-point number") {
  const std::string bytes = python_file();
  const Safetensors file = parse_safetensors(as_bytes(bytes));
  CHECK(read_tensor<double>(file, "h") ==
        Tensor<double>(Shape{3}, std::vector<double>{1.5, -2, 0x1p-24}));
  CHECK(read_tensor<float>(file, "b") == Tensor<float>(Shape{2}, std::vector<float>{1.5, -2}));
  CHECK(read_tensor<float>(file, "e").shape() == Shape{0, 4});
  CHECK(message<FileError>([&] { read_tensor<float>(file, "i", "f"); }) ==
        "f: tensor \"i\" is of I64; numbers can be F64, F32, F16 or BF16");
  CHECK(message<FileError>([&] { read_tensor<float>(file, "x", "f"); }) ==
        "f has no tensor \"x\"; it has \"b\", \"d\", \"e\", \"h\", \"i\", \"w\"");
  CHECK(message<FileError>([] { read_tensor<float>(Safetensors{}, "x"); }) ==
        "the file has no tensor \"x\"");
}

TEST_CASE("A file that is read is named in what is said of it") {
  const TemporaryFolder folder;
  write_file(folder / "m.safetensors", Bytes(3));
  CHECK(
      message<FileError>([&] { read_safetensors(folder / "m.safetensors"); }) ==
      (folder / "m.safetensors").string() +
          " is not a safetensors file: it has 3 bytes, and the length of the header alone takes 8");
}

}  // namespace heed::safetensors_test
