// The Keras loader: any bytes are a file of Keras, .h5 or .keras, or a model's JSON, or a FileError. A model
// that was read and is small enough is run.

#include <heed/keras.hpp>

#include "fuzzing.hpp"
#include "small.hpp"

using namespace heed;
using namespace heed::fuzzing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Limits limits(size);
  const Bytes bytes = exact(data, size);
  try {
    const auto model = keras::load_model<float>(bytes, {}, "file");
    require(model.is_built(), "a loaded model is built");
    run_if_small(model);
  } catch (const FileError&) {
  }
  static const Model<float> known = [] {
    Model<float> model;
    model.input("x", {3, 2});
    model.add("lstm", LSTM{.units = 2, .return_sequences = true});
    model.add("attention", StepAttention{});
    model.add("flat", Flatten{});
    model.add("dense", Dense{.units = 1});
    model.build();
    return model;
  }();
  try {
    Model<float> model = known;
    keras::load_weights(model, bytes, {.allow_not_finite = true});
  } catch (const FileError&) {
  }
  static const Bytes weights = keras::save_model(known);
  try {
    run_if_small(keras::load_model<float>(bytes, weights));
  } catch (const FileError&) {
  }
  return 0;
}

namespace {

/// Puts one address of a file in the place of another, so that two things stand at one place.
void share_bytes(std::span<std::uint8_t> bytes, Random& random) {
  std::vector<std::size_t> addresses;
  for (std::size_t i = 0; i + 8 <= bytes.size(); i += 2) {  // layout messages are not aligned
    std::uint64_t number = 0;
    std::memcpy(&number, &bytes[i], sizeof number);
    if (number >= 96 && number < bytes.size() && number % 8 == 0) addresses.push_back(i);
  }
  if (addresses.empty()) return;
  const std::size_t from = addresses[below(random, addresses.size())];
  const std::size_t to = addresses[below(random, addresses.size())];
  std::memmove(&bytes[to], &bytes[from], 8);
}

/// Changes what an archive says of its files, in its directory or in front of one of them.
void mutate_headers(std::span<std::uint8_t> bytes, Random& random) {
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto signature = std::array{detail::zip_file_signature, detail::zip_entry_signature,
                                    detail::zip_end_signature}[below(random, 3)];
  std::vector<std::size_t> found;
  for (std::size_t at = all.find(signature); at != all.npos; at = all.find(signature, at + 1)) {
    found.push_back(at);
  }
  if (found.empty()) return;
  const auto header = bytes.subspan(found[below(random, found.size())]);
  mutate_in_place(header.first(std::min<std::size_t>(header.size(), 46)), random);
}

/// Changes the model's JSON where it stands, made up with spaces, or other bytes in their place: what
/// stands elsewhere is found by its address.
void mutate_hdf5(std::span<std::uint8_t> bytes, Random& random) {
  if (random.below(4) == 0) return share_bytes(bytes, random);
  if (random.bernoulli(0.5)) return mutate_in_place(bytes, random);
  const auto* begin = reinterpret_cast<const std::byte*>(bytes.data());
  try {
    detail::Hdf5File file(std::span(begin, bytes.size()), "file");
    const auto texts = detail::Hdf5Object(file).texts("model_config");
    if (!texts || texts->empty()) return mutate_in_place(bytes, random);
    const std::string_view old = texts->front();
    if (old.empty()) return mutate_in_place(bytes, random);
    std::string text =
        mutate_json(old.substr(0, old.find_last_not_of(" \0") + 1), old.size(), random);
    text.resize(old.size(), ' ');
    const auto at = reinterpret_cast<const std::uint8_t*>(old.data()) - bytes.data();
    std::copy(text.begin(), text.end(), bytes.begin() + at);
  } catch (const FileError&) {
    mutate_in_place(bytes, random);
  }
}

/// Changes one of the files in an archive and packs them again: a checksum lets no other change through.
Bytes mutate_archive(std::span<const std::byte> bytes, std::size_t most, Random& random) {
  const detail::ZipFile archive(bytes, "file");
  std::vector<std::pair<std::string_view, std::string>> files;
  for (const auto name : {detail::keras_archive_metadata, detail::keras_archive_config,
                          detail::keras_archive_weights}) {
    files.emplace_back(name, detail::hdf5_text(archive.file(name)));
  }
  auto& [name, content] = files[below(random, files.size())];
  if (name == detail::keras_archive_weights) {
    mutate_hdf5({reinterpret_cast<std::uint8_t*>(content.data()), content.size()}, random);
  } else {
    const std::size_t room = content.size() + most - std::min(most, bytes.size());
    content = mutate_json(content, room, random);
  }
  std::vector<std::pair<std::string_view, std::span<const std::byte>>> views;
  for (const auto& [key, text] : files) views.emplace_back(key, std::as_bytes(std::span(text)));
  return detail::write_zip(views, "file");
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  Random random(seed);
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  if (random.below(16) == 0) return LLVMFuzzerMutate(data, size, most);
  if (all.starts_with("{")) {  // the JSON of a model
    const std::string text = mutate_json(all, most, random);
    if (text.size() <= most) {
      std::copy(text.begin(), text.end(), reinterpret_cast<char*>(data));
      return text.size();
    }
  }
  if (all.starts_with(detail::zip_file_signature) && random.below(8) == 0) {
    mutate_headers({data, size}, random);
    return size;
  }
  if (all.starts_with(detail::zip_file_signature) && random.below(8) != 0) {
    try {
      const Bytes mutated = mutate_archive(exact(data, size), most, random);
      if (mutated.size() <= most) {
        std::copy_n(reinterpret_cast<const std::uint8_t*>(mutated.data()), mutated.size(), data);
        return mutated.size();
      }
    } catch (const FileError&) {  // is not an archive any more
    }
  }
  mutate_hdf5({data, size}, random);
  return size;
}
