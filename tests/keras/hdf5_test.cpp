#include <heed/io/file.hpp>
#include <heed/io/hdf5_dataset.hpp>
#include <heed/io/hdf5_writer.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::hdf5_test {

using namespace detail;
using testing::message;

namespace {

using Bytes = std::vector<std::byte>;

const Dtype& dtype(std::string_view name) { return *find_dtype(name); }

/// One group in a group with attributes and a dataset of four bytes in each.
Hdf5Group sample(std::span<const std::byte> numbers) {
  Hdf5Group inner;
  inner.attributes = {{"names", {"a", "größe", ""}, true}, {"none", {}, true}};
  inner.datasets["numbers"] = {dtype("F32"), {1}, numbers};
  Hdf5Group root;
  root.attributes = {{"version", {"3.0.0"}}, {"long", {std::string(200'000, 'x')}}};
  root.groups["inner"].groups["most"] = inner;
  return root;
}

const Bytes four{std::byte{0}, std::byte{0}, std::byte{0x80}, std::byte{0x3f}};

Bytes sample_file() { return Hdf5Writer::write(sample(four)); }

std::size_t find(const Bytes& bytes, std::string_view text) {
  const auto all = hdf5_text(bytes);
  REQUIRE(all.find(text) != std::string_view::npos);
  return all.find(text);
}

/// What is said when the sample is read, with bytes from a position on changed.
std::string refusal(std::size_t position, const std::vector<int>& changed,
                    const std::string& path = "inner/most") {
  Bytes bytes = sample_file();
  for (std::size_t i = 0; i < changed.size(); ++i) {
    bytes.at(position + i) = static_cast<std::byte>(changed[i]);
  }
  return message<FileError>([&] {
    Hdf5File file(bytes, "f.h5");
    const Hdf5Object root(file);
    root.texts("long");
    const auto object = root.open(path);
    check<FileError>(object.has_value(), "not found");
    object->texts("names");
    hdf5_dataset(object->open("numbers").value());
  });
}

const std::vector<int> nowhere(8, 0xff);

}  // namespace

TEST_CASE("What is written to an HDF5 file is read from it") {
  const Bytes bytes = sample_file();
  Hdf5File file(bytes, "f.h5");
  const Hdf5Object root(file);
  CHECK(root.place() == "f.h5: \"/\"");
  CHECK(root.texts("version") == std::vector<std::string_view>{"3.0.0"});
  CHECK(root.texts("long")->at(0) == std::string(200'000, 'x'));
  CHECK_FALSE(root.texts("other").has_value());
  CHECK(root.has_attribute("version"));
  CHECK_FALSE(root.has_attribute("versio"));

  const auto inner = root.open("inner/most");
  REQUIRE(inner.has_value());
  CHECK(inner->place() == "f.h5: \"/inner/most\"");
  CHECK(inner->texts("names") == std::vector<std::string_view>{"a", "größe", ""});
  CHECK(inner->texts("none") == std::vector<std::string_view>{});
  CHECK_FALSE(inner->open("number").has_value());
  CHECK_FALSE(inner->open("").has_value());
  CHECK_FALSE(root.open("inner/least/numbers").has_value());

  const Hdf5Dataset numbers = hdf5_dataset(*inner->open("numbers"));
  CHECK(numbers.dtype == dtype("F32"));
  CHECK(numbers.shape == Shape{1});
  CHECK(std::equal(numbers.bytes.begin(), numbers.bytes.end(), four.begin(), four.end()));
}

TEST_CASE("A dataset has any shape and any of three formats") {
  const Bytes bytes(240, std::byte{7});
  Hdf5Group root;
  for (const char* format : {"F16", "F32", "F64"}) {
    const auto size = static_cast<std::size_t>(dtype(format).bits / 8);
    const std::span numbers(bytes);
    root.datasets[join(format, " scalar")] = {dtype(format), {}, numbers.first(size)};
    root.datasets[join(format, " empty")] = {dtype(format), {0, 4}, numbers.first(0)};
    root.datasets[join(format, " deep")] = {
        dtype(format), {1, 2, 3, 1, 5, 1}, numbers.first(30 * size)};
  }
  const Bytes written = Hdf5Writer::write(root);
  Hdf5File file(written, "f.h5");
  const Hdf5Object object(file);
  for (const auto& [name, dataset] : root.datasets) {
    CAPTURE(name);
    const Hdf5Dataset read = hdf5_dataset(object.open(name).value());
    CHECK(read.dtype == dataset.dtype);
    CHECK(read.shape == dataset.shape);
    CHECK(read.bytes.size() == dataset.bytes.size());
  }
}

TEST_CASE("A group has any number of names") {
  // 8 in a leaf and 32 branches: one leaf, two, a full node, two levels, three levels.
  for (const int count : {0, 1, 8, 9, 256, 257, 8193}) {
    CAPTURE(count);
    Hdf5Group root;
    for (int i = 0; i < count; ++i) root.datasets[join("n", i)] = {dtype("F32"), {i % 7, 0}, {}};
    const Bytes bytes = Hdf5Writer::write(root);
    Hdf5File file(bytes, "f.h5");
    const Hdf5Object object(file);
    int wrong = 0;
    for (int i = 0; i < count; ++i) {
      const auto child = object.open(join("n", i));
      wrong += !child || hdf5_dataset(*child).shape != Shape{i % 7, 0} ? 1 : 0;
    }
    CHECK(wrong == 0);
    for (const char* absent : {"m", "n", "n0 ", "n00", "n99999", "z"}) {
      CHECK_FALSE(object.open(absent).has_value());
    }
  }
}

TEST_CASE("What h5py keeps in heaps of several levels is read, and each part of it is read once") {
  const auto path = std::filesystem::path(HEED_TEST_DATA) / "keras" / "h5py_many.h5";
  const Bytes bytes = read_file(path);
  Hdf5File file(bytes, "many.h5");
  const Hdf5Object root(file);
  CHECK(root.names().size() == 150);
  int right = 0;
  for (int i = 0; i < 150; ++i) {
    float value = -1;
    const auto dataset = hdf5_dataset(root.open(join("größe ", i)).value());
    right += decode<float>(dataset, {&value, 1}) && value == static_cast<float>(i);
  }
  CHECK(right == 150);
  for (int i = 0; i < 100; ++i) CHECK(root.texts(join("text ", i))->at(0) == join(i));
  // A path is no name.
  Bytes path_as_name = bytes;
  path_as_name[find(bytes, "größe 7") + 7] = std::byte{'/'};
  Hdf5File unnamed(path_as_name, "many.h5");
  CHECK(message<FileError>([&] { Hdf5Object(unnamed).names(); }) ==
        "many.h5: \"/\" is damaged: expected names that are not empty and have no \"/\", got "
        "\"größe/70\"");
  // Two records of a tree do not mean one name.
  Bytes twice = bytes;
  const auto leaf = find(twice, "BTLF") + 6;
  std::copy_n(twice.begin() + static_cast<Index>(leaf), 11,
              twice.begin() + static_cast<Index>(leaf) + 11);
  Hdf5File other(twice, "many.h5");
  const Hdf5Object again(other);
  CHECK(message<FileError>([&] {
          again.names();
          again.texts("text 0");
        }).starts_with("many.h5: \"/\" is damaged: "));
}

TEST_CASE("A list of texts goes beyond one collection of a file") {
  Hdf5Group root;
  for (int part = 0; part < 17; ++part) {
    std::vector<std::string> texts;
    for (int i = 0; i < 4000; ++i) texts.push_back(join(part, " ", i));
    root.attributes.push_back({join("a", part), texts, true});
  }
  const Bytes bytes = Hdf5Writer::write(root);
  Hdf5File file(bytes, "f.h5");
  const Hdf5Object object(file);
  for (const auto& attribute : root.attributes) {
    const auto texts = object.texts(attribute.name).value();
    CHECK(std::equal(texts.begin(), texts.end(), attribute.texts.begin(), attribute.texts.end()));
  }
}

TEST_CASE("What is no HDF5 file is refused") {
  const auto open = [](std::span<const std::byte> bytes) {
    return message<FileError>([&] { Hdf5File(bytes, "f.h5"); });
  };
  CHECK(open({}) == "f.h5 is empty");
  CHECK(open(four) == "f.h5 is not an HDF5 file");
  const Bytes bytes = sample_file();
  CHECK(open(std::span(bytes).first(8)) == "f.h5 is damaged: 1 bytes are announced, and 0 follow");
  CHECK(open(std::span(bytes).first(1000)) ==
        join("f.h5 is cut off: it has 1000 of ", bytes.size(), " bytes"));
  CHECK(refusal(0, {0x88}) == "f.h5 is not an HDF5 file");
  CHECK(refusal(8, {4}) ==
        "f.h5 is an HDF5 file of a newer form (superblock 4) than Keras and h5py write");
  CHECK(refusal(13, {4}) == "f.h5 has addresses of 4 and lengths of 8 bytes; expected 8");
  CHECK(refusal(24, {1}) ==
        "f.h5 has a superblock that contradicts its position: its base address is 1, but HDF5 "
        "begins at byte 0");
}

TEST_CASE("Addresses that lead nowhere are errors") {
  const Bytes bytes = sample_file();
  CHECK(refusal(64, nowhere) ==
        join("f.h5: \"/\" is damaged: it refers to byte 18446744073709551615 of ", bytes.size()));
  const std::size_t tree = find(bytes, "TREE"), heap = find(bytes, "HEAP");
  const std::size_t leaf = find(bytes, "SNOD");
  CHECK(refusal(tree, {'t'}) ==
        "f.h5: \"/inner/most\" is damaged: \"TREE\" is not where it should be");
  CHECK(refusal(heap, {'h'}) ==
        "f.h5: \"/inner/most\" is damaged: \"HEAP\" is not where it should be");
  CHECK(refusal(leaf, {'s'}) ==
        "f.h5: \"/inner/most\" is damaged: \"SNOD\" is not where it should be");
  CHECK(refusal(find(bytes, "GCOL"), {'g'}) ==
        "f.h5: \"/\" is damaged: \"GCOL\" is not where it should be");
  CHECK(refusal(tree + 4, {1}) == "f.h5: \"/inner/most\" is damaged: its tree is not one of names");
  CHECK(refusal(tree + 5, {2}).find("\"TREE\" is not where it should be") != std::string::npos);
  CHECK(refusal(leaf + 8, nowhere) ==
        "f.h5: \"/inner/most\" is damaged: a name is not where it should be");
  CHECK(refusal(leaf + 24, {2}) ==
        "f.h5: \"/inner/most\" has a link under \"numbers\"; links are not followed");
}

TEST_CASE("One object does not stand under two names") {
  Hdf5Group root;
  root.datasets["a"] = root.datasets["b"] = {dtype("F32"), {1}, four};
  Bytes bytes = Hdf5Writer::write(root);
  const std::size_t leaf = find(bytes, "SNOD") + 8;
  std::copy_n(bytes.begin() + static_cast<Index>(leaf) + 8, 8,
              bytes.begin() + static_cast<Index>(leaf) + 40 + 8);
  Hdf5File file(bytes, "f.h5");
  const Hdf5Object object(file);
  CHECK(object.open("b").has_value());
  CHECK(object.open("b").has_value());
  CHECK(message<FileError>([&] { object.open("a"); }) ==
        "f.h5: \"/a\" is damaged: it is \"/b\" as well");
}

TEST_CASE("Each byte of a file belongs to one part of it") {
  const Bytes bytes = sample_file();
  Hdf5File file(bytes, "f.h5");
  const std::string a = "a", b = "b";
  const std::span all(bytes);
  file.claim(all.subspan(200, 20), "its one part", a);
  const auto refused = [&](std::size_t begin, std::size_t size) {
    return message<FileError>([&] { file.claim(all.subspan(begin, size), "its other part", b); });
  };
  CHECK(refused(219, 1) ==
        "b is damaged: it has its other part in bytes 219 to 220, where a has its one part");
  for (const auto& [begin, size] :
       {std::pair{100u, 101u}, {190, 40}, {200, 20}, {210, 5}, {219, 9}}) {
    CHECK(refused(begin, size).starts_with("b is damaged"));
  }
  for (const auto& [begin, size] : {std::pair{100u, 100u}, {220, 20}, {205, 0}}) {
    CHECK(refused(begin, size) == "(nothing thrown)");
  }
  CHECK(refused(90, 6) ==
        "b is damaged: it has its other part in bytes 90 to 96, where f.h5 has its superblock");
}

TEST_CASE("A dataset shares no byte with another one, nor with anything else of a file") {
  const Bytes numbers(64, std::byte{7});
  Hdf5Group root;
  root.attributes = {{"text", {"a text"}}};
  root.datasets["a"] = root.datasets["b"] = {dtype("F32"), {16}, numbers};
  const Bytes whole = Hdf5Writer::write(root);
  const auto layout = find(whole, std::string_view("\x03\x01", 2));
  const auto read = [&](std::uint64_t address) {
    Bytes bytes = whole;
    to_little_endian(address, bytes.data() + layout + 2);
    Hdf5File file(bytes, "f.h5");
    const Hdf5Object object(file);
    object.texts("text");
    hdf5_dataset(*object.open("a"));
    hdf5_dataset(*object.open("b"));
    hdf5_dataset(*object.open("b"));  // may be read again
  };
  const auto own = from_little_endian<std::uint64_t>(whole.data() + layout + 2);
  CHECK_NOTHROW(read(own));
  std::size_t accepted = 0;
  for (std::uint64_t address = 0; address + 64 <= whole.size(); address += 8) {
    accepted += message<FileError>([&] { read(address); }) == "(nothing thrown)" ? 1 : 0;
  }
  // Where it was, and the free space of the group's tree.
  CHECK(accepted < 100);
  for (const char* part : {"SNOD", "TREE", "HEAP", "GCOL"}) {
    CAPTURE(part);
    CHECK(message<FileError>([&] { read(find(whole, part)); }).find(", where f.h5: ") !=
          std::string::npos);
  }
  CHECK(message<FileError>([&] { read(0); }) ==
        "f.h5: \"/a\" is damaged: it has its numbers in bytes 0 to 64, where f.h5 has its "
        "superblock");
}

TEST_CASE("A text belongs to one attribute") {
  Hdf5Group root;
  root.attributes = {{"a", {"one text"}}, {"b", {"two text"}}};
  Bytes bytes = Hdf5Writer::write(root);
  const auto reference = [&](const std::string& name) {
    return hdf5_text(bytes).rfind(name + std::string(7, '\0')) + 8 + 24 + 8;
  };
  std::copy_n(bytes.begin() + static_cast<Index>(reference("a")), 16,
              bytes.begin() + static_cast<Index>(reference("b")));
  Hdf5File file(bytes, "f.h5");
  const Hdf5Object object(file);
  CHECK(object.texts("a")->at(0) == "one text");
  CHECK(object.texts("a")->at(0) == "one text");
  CHECK(message<FileError>([&] { object.texts("b"); }) ==
        "f.h5: \"/\" is damaged: two attributes share one text");
}

TEST_CASE("A tree is not deeper than one that h5py writes") {
  const Bytes bytes = sample_file();
  const std::size_t tree = hdf5_text(bytes).rfind("TREE"), leaf = hdf5_text(bytes).rfind("SNOD");
  CHECK(refusal(tree + 5, {16}) == "f.h5: \"/\" is damaged: its tree has 16 levels");
  CHECK(refusal(tree + 6, {0, 5}).starts_with("f.h5: \"/\" is damaged: "));
  CHECK(refusal(leaf + 6, {0, 5}).starts_with("f.h5: \"/\" is damaged: "));
}

TEST_CASE("A tree that turns back on itself is an error") {
  // Its one child is the node itself, on the level of its parent.
  const Bytes bytes = sample_file();
  const std::size_t tree = find(bytes, "TREE");
  Bytes itself = bytes;
  to_little_endian(std::uint64_t{tree}, itself.data() + tree + 32);
  itself[tree + 5] = std::byte{1};
  CHECK(message<FileError>([&] {
          Hdf5File file(itself, "f.h5");
          Hdf5Object(file).open("inner/most").value().open("numbers");
        }) == join("f.h5: \"/inner/most\" is damaged: its tree has a node on the wrong level"));
}

TEST_CASE("A header that goes on in itself is an error") {
  Hdf5Group root;
  root.attributes = {{"a", {"text"}}, {"b", {"text"}}, {"c", {"text"}}};
  Bytes bytes = Hdf5Writer::write(root);
  const auto address = static_cast<std::size_t>(Hdf5File(bytes, "f.h5").root());
  bytes[address + 2] = bytes[address + 3] = std::byte{0xff};  // that many messages
  bytes[address + 16] = std::byte{0x10};                      // the first: the header goes on
  to_little_endian(std::uint64_t{address + 16}, bytes.data() + address + 24);
  to_little_endian(std::uint64_t{24}, bytes.data() + address + 32);
  CHECK(message<FileError>([&] {
          Hdf5File file(bytes, "f.h5");
          Hdf5Object{file};
        }) == join("f.h5: \"/\" is damaged: it has its header in bytes ", address + 16, " to ",
                   address + 40, ", where f.h5: \"/\" has its header"));
}

TEST_CASE("A group is no dataset, and a dataset no group") {
  const Bytes bytes = sample_file();
  Hdf5File file(bytes, "f.h5");
  const Hdf5Object root(file);
  CHECK(message<FileError>([&] { hdf5_dataset(root); }) == "f.h5: \"/\" is not a dataset");
  CHECK(message<FileError>([&] { root.open("inner/most/numbers/more"); }) ==
        "f.h5: \"/inner/most/numbers\" is not a group");
  CHECK(message<FileError>([&] { root.open(std::string(1000, '/')); }) ==
        "f.h5: \"/\" has a path of 1001 groups");
}

TEST_CASE("A dataset that is not as Keras writes it is an error") {
  const Bytes bytes = sample_file();
  const auto type = find(bytes, std::string_view("\x11\x20\x1f\0", 4));
  const auto layout = find(bytes, std::string_view("\x03\x01", 2));
  const auto length = type - 16;  // of the one axis, in the message in front
  const std::string place = "f.h5: \"/inner/most/numbers\"";
  CHECK(refusal(type, {0x10}) ==
        place + " does not contain numbers of the type float16, bfloat16, float32 or float64");
  CHECK(refusal(type + 1, {0x60}) ==
        place + " does not contain numbers of the type float16, bfloat16, float32 or float64");
  CHECK(refusal(layout + 1, {3}) == place +
                                        " is stored in pieces of a kind that heed does not read; "
                                        "Keras writes plain datasets, and h5repack -l CONTI "
                                        "old.h5 new.h5 makes them of others");
  CHECK(refusal(layout, {1}) ==
        place +
            " is stored in pieces of a kind that heed does not read; Keras writes plain datasets, "
            "and h5repack -l CONTI old.h5 new.h5 makes them of others");
  CHECK(refusal(layout + 2, nowhere) == place + " has no numbers");
  CHECK(refusal(layout + 10, {5}) == place + " has 5 bytes for numbers of (1), which take 4");
  CHECK(refusal(layout - 8, {0xB}) == place +
                                          " is compressed; Keras writes plain datasets, and "
                                          "h5repack -l CONTI -f NONE old.h5 new.h5 makes them "
                                          "of others");
  CHECK(refusal(layout - 8, {7}) == place + " is stored in another file, which heed does not read");
  CHECK(refusal(layout - 8, {0x42}) == place + " is not a dataset");
  CHECK(refusal(type - 4, {2}) == place + " shares a message with another object");
  CHECK(std::to_integer<int>(bytes[length]) == 1);
  CHECK(refusal(length, {0, 0, 0, 0, 0, 0, 0, 0x80}) ==
        place + " is damaged: more elements than bytes");
}

}  // namespace heed::hdf5_test
