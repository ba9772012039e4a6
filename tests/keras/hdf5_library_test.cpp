// What heed's own reading and writing of HDF5 has to agree with: the HDF5 library. Built where it is found.
#include <hdf5.h>

#include "keras/files.hpp"
#include "support/temporary_folder.hpp"

namespace heed::hdf5_library_test {

using namespace detail;
using namespace testing;

namespace {

/// An identifier of the library's, of whatever kind; making one that fails ends the test.
class Handle {
 public:
  explicit Handle(hid_t id) : id_(id) { REQUIRE(id >= 0); }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0) H5Idec_ref(id_);
  }
  operator hid_t() const { return id_; }  // NOLINT(google-explicit-constructor)

 private:
  hid_t id_;
};

/// Every group and dataset of a file as the library sees it, in its order.
std::vector<std::string> library_names(hid_t file) {
  std::vector<std::string> names;
  const auto visit = [](hid_t, const char* name, const H5O_info_t*, void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
#if H5_VERSION_GE(1, 12, 0)
  const auto visit_2 = [](hid_t, const char* name, const H5O_info2_t*, void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  REQUIRE(H5Ovisit3(file, H5_INDEX_NAME, H5_ITER_INC, visit_2, &names, H5O_INFO_BASIC) >= 0);
#else
  REQUIRE(H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, visit, &names) >= 0);
#endif
  return names;
}

std::vector<std::string> library_texts(hid_t object, const std::string& name) {
  const Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT));
  const Handle type(H5Aget_type(attribute)), space(H5Aget_space(attribute));
  REQUIRE(H5Tis_variable_str(type) > 0);
  std::vector<char*> pointers(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
  if (pointers.empty()) return {};
  REQUIRE(H5Aread(attribute, type, pointers.data()) >= 0);
  std::vector<std::string> texts;
  for (const char* pointer : pointers) texts.emplace_back(pointer == nullptr ? "" : pointer);
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, pointers.data());
  return texts;
}

/// The same as the names of a group that is to be written, depth first.
void append_names(const Hdf5Group& group, const std::string& path,
                  std::vector<std::string>& names) {
  std::map<std::string, const Hdf5Group*> children;
  for (const auto& [name, child] : group.groups) children[name] = &child;
  for (const auto& [name, child] : group.datasets) children[name] = nullptr;
  for (const auto& [name, child] : children) {
    names.push_back(path + name);
    if (child != nullptr) append_names(*child, path + name + "/", names);
  }
}

void check_attributes(hid_t object, const Hdf5Group& group) {
  for (const auto& attribute : group.attributes) {
    CHECK(library_texts(object, attribute.name) == attribute.texts);
  }
  for (const auto& [name, child] : group.groups) {
    check_attributes(Handle(H5Gopen2(object, name.c_str(), H5P_DEFAULT)), child);
  }
  for (const auto& [name, dataset] : group.datasets) {
    const Handle id(H5Dopen2(object, name.c_str(), H5P_DEFAULT));
    const Handle space(H5Dget_space(id));
    std::vector<double> seen(static_cast<std::size_t>(dataset.shape.size()));
    std::vector<double> written(seen.size());
    REQUIRE(H5Sget_simple_extent_npoints(space) == dataset.shape.size());
    if (!seen.empty()) {
      REQUIRE(H5Dread(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, seen.data()) >= 0);
    }
    REQUIRE(decode<double>(dataset.dtype, dataset.bytes, written));
    CHECK(seen == written);
  }
}

/// A file in a folder of its own, made by the library.
class LibraryFile {
 public:
  LibraryFile() : file_(H5Fcreate(path().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}

  hid_t id() const { return file_; }
  std::string path() const { return (folder_ / "f.h5").string(); }

  /// A dataset of six numbers, (2, 3).
  Handle add_dataset(const char* name, hid_t type, hid_t properties = H5P_DEFAULT) {
    const hsize_t dims[] = {2, 3};
    const float values[] = {1, -2, 0.5, 4, 0, 65504};
    const Handle space(H5Screate_simple(2, dims, nullptr));
    Handle id(H5Dcreate2(file_, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT));
    REQUIRE(H5Dwrite(id, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    return id;
  }

  Bytes bytes() {
    REQUIRE(H5Fflush(file_, H5F_SCOPE_GLOBAL) >= 0);
    return read_file(path());
  }

 private:
  TemporaryFolder folder_;
  Handle file_;
};

std::string refusal(const Bytes& bytes, const std::string& path) {
  return message<FileError>([&] {
    Hdf5File file(bytes, "f.h5");
    hdf5_dataset(Hdf5Object(file).open(path).value());
  });
}

}  // namespace

TEST_CASE("The HDF5 library reads all that heed writes") {
  const Bytes numbers(600, std::byte{0x3c});
  Hdf5Group root;
  root.attributes = {{"long", {std::string(200'000, 'x')}}, {"none", {}, true}};
  for (const int count : {0, 1, 8, 9, 300}) {
    Hdf5Group& group = root.groups[join("g", count)];
    std::vector<std::string> texts;
    for (int i = 0; i < count; ++i) {
      texts.push_back(join("größe ", i));
      group.groups[join("child", i)].attributes = {{"text", {join(i)}}};
    }
    group.attributes = {{"texts", texts, true}};
    group.datasets["F16"] = {*find_dtype("F16"),
                             {count, 1},
                             std::span(numbers).first(static_cast<std::size_t>(2 * count))};
    group.datasets["F32"] = {*find_dtype("F32"), {}, std::span(numbers).first(4)};
    group.datasets["F64"] = {*find_dtype("F64"), {1, 5, 1, 2}, std::span(numbers).first(80)};
  }
  const TemporaryFolder folder;
  const auto path = folder / "f.h5";
  write_file(path, Hdf5Writer::write(root));
  const Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  std::vector<std::string> expected{"."};
  append_names(root, "", expected);
  CHECK(library_names(file) == expected);
  check_attributes(Handle(H5Gopen2(file, "/", H5P_DEFAULT)), root);
}

TEST_CASE("The HDF5 library adds to a file that heed has written") {
  const TemporaryFolder folder;
  const auto path = folder / "f.h5";
  write_file(path, keras::save_model(small_model()));
  {
    const Handle file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    const Handle weights(H5Gopen2(file, "model_weights", H5P_DEFAULT));
    for (int i = 0; i < 100; ++i) {
      Handle(H5Gcreate2(weights, join("more", i).c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    }
  }
  CHECK(keras::load_model<float>(path).weights() == small_model().weights());
}

TEST_CASE("heed reads what the HDF5 library writes by default") {
  LibraryFile library;
  library.add_dataset("float", H5T_IEEE_F32LE);
  library.add_dataset("double", H5T_IEEE_F64LE);
  const Handle compact(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_layout(compact, H5D_COMPACT);
  library.add_dataset("compact", H5T_IEEE_F32LE, compact);
  const Handle half(H5Tcopy(H5T_IEEE_F32LE));
  H5Tset_fields(half, 15, 10, 5, 0, 10);
  H5Tset_precision(half, 16);
  H5Tset_ebias(half, 15);
  H5Tset_size(half, 2);
  library.add_dataset("half", half);
  for (int i = 0; i < 5000; ++i) {
    Handle(H5Gcreate2(library.id(), join("g", i).c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  }
  const Bytes bytes = library.bytes();
  const Tensor<float> expected(Shape{2, 3}, std::vector<float>{1, -2, 0.5, 4, 0, 65504});
  for (const char* name : {"float", "double", "compact", "half"}) {
    CAPTURE(name);
    CHECK(dataset(bytes, name) == expected);
  }
  Hdf5File file(bytes, "f.h5");
  const Hdf5Object root(file);
  int found = 0;
  for (int i = 0; i < 5000; ++i) found += root.open(join("g", i)) ? 1 : 0;
  CHECK(found == 5000);
  CHECK_FALSE(root.open("g5000"));
}

TEST_CASE("Texts of fixed length are read") {
  LibraryFile library;
  const Handle type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type, 4);
  const hsize_t count[] = {3};
  const Handle space(H5Screate_simple(1, count, nullptr));
  const Handle attribute(H5Acreate2(library.id(), "names", type, space, H5P_DEFAULT, H5P_DEFAULT));
  H5Awrite(attribute, type, "ab\0\0abcd\0\0\0\0");
  const Handle number(
      H5Acreate2(library.id(), "number", H5T_NATIVE_INT, space, H5P_DEFAULT, H5P_DEFAULT));
  const int numbers[] = {1, 2, 3};
  H5Awrite(number, H5T_NATIVE_INT, numbers);
  const Bytes bytes = library.bytes();
  CHECK(texts(bytes, "", "names") == std::vector<std::string>{"ab", "abcd", ""});
  CHECK(message<FileError>([&] { texts(bytes, "", "number"); }) ==
        "file: \"/\": attribute \"number\" is not text");
}

TEST_CASE("What leads out of a file is refused, and what needs no unusual filter is read") {
  LibraryFile library;
  const hsize_t chunk[] = {1, 3};
  const Handle chunked(H5Pcreate(H5P_DATASET_CREATE)), checked(H5Pcreate(H5P_DATASET_CREATE)),
      external(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_chunk(chunked, 2, chunk);
  H5Pset_chunk(checked, 2, chunk);
  H5Pset_fletcher32(checked);
  H5Pset_external(external, library.path().append(".other").c_str(), 0, 24);
  library.add_dataset("chunked", H5T_IEEE_F32LE, chunked);
  library.add_dataset("checked", H5T_IEEE_F32LE, checked);
  library.add_dataset("external", H5T_IEEE_F32LE, external);
  library.add_dataset("big", H5T_IEEE_F32BE);
  library.add_dataset("whole", H5T_STD_I32LE);
  H5Lcreate_soft("/big", library.id(), "soft", H5P_DEFAULT, H5P_DEFAULT);
  const Bytes bytes = library.bytes();
  CHECK(refusal(bytes, "chunked") == "(nothing thrown)");
  CHECK(refusal(bytes, "checked") == "(nothing thrown)");
  CHECK(refusal(bytes, "external") ==
        "f.h5: \"/external\" is stored in another file, which heed does not read");
  CHECK(refusal(bytes, "big") == "(nothing thrown)");  // the highest byte first, which is read
  CHECK(refusal(bytes, "whole") ==
        "f.h5: \"/whole\" does not contain numbers of the type float16, bfloat16, float32 or "
        "float64");
  CHECK(refusal(bytes, "soft") == "f.h5: \"/\" has a link under \"soft\"; links are not followed");
}

}  // namespace heed::hdf5_library_test
