#pragma once

#include <heed/io/hdf5_chunks.hpp>

namespace heed::detail {

/// Whether two datatype messages are equal, apart from their versions.
inline bool is_hdf5_type(std::span<const std::byte> found, std::span<const std::byte> expected) {
  constexpr auto class_bits = std::byte{0xf};
  return found.size() >= expected.size() &&
         ((found[0] ^ expected[0]) & class_bits) == std::byte{} &&
         std::equal(expected.begin() + 1, expected.end(), found.begin() + 1);
}

/// The type that Keras writes for bfloat16, which HDF5 does not have: two opaque bytes.
inline std::vector<std::byte> hdf5_bfloat_type() {
  Hdf5Bytes type;
  type.put(static_cast<std::uint8_t>(Hdf5Class::opaque)).fill(3).put(std::uint32_t{2});
  return std::move(type).take();
}

/// The numbers of a dataset: float16, bfloat16, float32 or float64.
inline Hdf5Dataset hdf5_dataset(const Hdf5Object& object) {
  using Type = Hdf5MessageType;
  const std::string& place = object.place();
  const auto datatype = object.need(Type::datatype, "dataset");
  const auto dims = object.lengths(object.need(Type::dataspace, "dataset"));
  const auto elements = object.count(object.need(Type::dataspace, "dataset"));
  const Hdf5Filters filters(object.find(Type::filters), place);
  check<FileError>(!object.find(Type::external_files), place,
                   " is stored in another file, which heed does not read");
  Hdf5Dataset dataset;
  check<FileError>(dims.size() <= Shape::max_rank, place, " has ", dims.size(),
                   " axes; expected at most ", Shape::max_rank);
  for (const std::uint64_t length : dims) {
    check<FileError>(std::in_range<Index>(length), place, " has an axis of ", length);
    at_place(place, [&] { dataset.shape.push_back(static_cast<Index>(length)); });
  }
  for (const Dtype& dtype : {Dtype{"F32", 32}, Dtype{"F64", 64}, Dtype{"F16", 16}}) {
    auto type = hdf5_float_type(dtype);
    for (const bool big_endian : {false, true}) {
      type[1] |= std::byte{big_endian};
      if (is_hdf5_type(datatype, type)) {
        dataset.dtype = dtype;
        dataset.big_endian = big_endian;
      }
    }
  }
  if (is_hdf5_type(datatype, hdf5_bfloat_type())) dataset.dtype = {"BF16", 16};
  check<FileError>(dataset.dtype.bits > 0, place,
                   " does not contain numbers of the type float16, bfloat16, float32 or float64");

  const std::uint64_t size = elements * static_cast<std::uint64_t>(dataset.dtype.bits / 8);
  Hdf5Cursor layout(object.need(Type::layout, "dataset"), place);
  const auto version = layout.take<std::uint8_t>();
  const auto kind = layout.take<std::uint8_t>();
  enum { compact, contiguous, chunked };
  check<FileError>((version == 3 || version == 4) && kind <= chunked, place,
                   " is stored in pieces of a kind that heed does not read", hdf5_repacked(""));
  check<FileError>(kind == chunked || !filters.any(), place,
                   " is damaged: it is compressed in one piece");
  if (size == 0) return dataset;
  if (kind == chunked) {
    const int width = static_cast<int>(dataset.dtype.bits / 8);
    dataset.unpacked = std::make_shared<const std::vector<std::byte>>(
        Hdf5Chunks(object, filters, dims, width).read(layout, version));
    dataset.bytes = *dataset.unpacked;
    object.claim_numbers({});
  } else if (kind == compact) {
    dataset.bytes = layout.take(layout.take<std::uint16_t>());
  } else {
    const auto address = layout.take<std::uint64_t>();
    check<FileError>(address != hdf5_nowhere, place, " has no numbers");
    dataset.bytes = object.file().at(address, layout.take<std::uint64_t>(), place);
    object.claim_numbers(dataset.bytes);
  }
  check<FileError>(dataset.bytes.size() == size, place, " has ", dataset.bytes.size(),
                   " bytes for numbers of ", dataset.shape, ", which take ", size);
  return dataset;
}

/// The decoded numbers; see `decode`.
template <class Scalar>
bool decode(const Hdf5Dataset& dataset, std::span<Scalar> values) {
  if (!dataset.big_endian) return decode(dataset.dtype, dataset.bytes, values);
  std::vector<std::byte> bytes(dataset.bytes.begin(), dataset.bytes.end());
  const auto size = dataset.dtype.bits / 8;
  for (auto number = bytes.begin(); number != bytes.end(); number += size) {
    std::reverse(number, number + size);
  }
  return decode<Scalar>(dataset.dtype, bytes, values);
}

}  // namespace heed::detail
