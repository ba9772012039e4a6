#pragma once

#include <heed/io/hdf5_object.hpp>

namespace heed::detail {

/// The numbers of a dataset: float16, float32 or float64, in one piece.
inline Hdf5Dataset hdf5_dataset(const Hdf5Object& object) {
  using Type = Hdf5MessageType;
  const std::string& place = object.place();
  const auto datatype = object.need(Type::datatype, "dataset");
  const auto dims = object.lengths(object.need(Type::dataspace, "dataset"));
  const auto elements = object.count(object.need(Type::dataspace, "dataset"));
  check<FileError>(!object.find(Type::filters) && !object.find(Type::external_files), place,
                   " is compressed or stands in another file; Keras writes plain datasets");
  Hdf5Dataset dataset;
  check<FileError>(dims.size() <= Shape::max_rank, place, " has ", dims.size(),
                   " axes; expected at most ", Shape::max_rank);
  for (const std::uint64_t length : dims) {
    check<FileError>(std::in_range<Index>(length), place, " has an axis of ", length);
    at_place(place, [&] { dataset.shape.push_back(static_cast<Index>(length)); });
  }
  for (const Dtype& dtype : {Dtype{"F32", 32}, Dtype{"F64", 64}, Dtype{"F16", 16}}) {
    const auto type = hdf5_float_type(dtype);
    constexpr auto class_bits = std::byte{0xf};  // above them is the message's version
    if (datatype.size() >= type.size() && ((datatype[0] ^ type[0]) & class_bits) == std::byte{} &&
        std::equal(type.begin() + 1, type.end(), datatype.begin() + 1)) {
      dataset.dtype = dtype;
    }
  }
  check<FileError>(dataset.dtype.bits > 0, place,
                   " does not hold numbers of float16, float32 or float64");

  const std::uint64_t size = elements * static_cast<std::uint64_t>(dataset.dtype.bits / 8);
  Hdf5Cursor layout(object.need(Type::layout, "dataset"), place);
  const auto version = layout.take<std::uint8_t>();
  const auto kind = layout.take<std::uint8_t>();
  enum { compact, contiguous };
  check<FileError>((version == 3 || version == 4) && (kind == compact || kind == contiguous), place,
                   " does not stand in one piece, as Keras writes datasets");
  if (size == 0) return dataset;
  if (kind == compact) {
    dataset.bytes = layout.take(layout.take<std::uint16_t>());
  } else {
    const auto address = layout.take<std::uint64_t>();
    check<FileError>(address != hdf5_nowhere, place, " has no numbers");
    dataset.bytes = object.file().at(address, layout.take<std::uint64_t>(), place);
  }
  check<FileError>(dataset.bytes.size() == size, place, " has ", dataset.bytes.size(),
                   " bytes for numbers of ", dataset.shape, ", which take ", size);
  return dataset;
}

}  // namespace heed::detail
