// The safetensors loader, and the models and checkpoints that such files hold: any bytes are a file,
// or a FileError. What was read is written and read again, to the same bits; a model that is small
// enough is run, and a training goes on from a checkpoint of its own.

#include <heed/io/pytorch.hpp>

#include "fuzzing.hpp"
#include "training.hpp"

using namespace heed;
using namespace heed::fuzzing;

namespace {

/// Calls what may throw a FileError, and nothing else.
template <class Call>
void may_be_refused(const Call& call) {
  try {
    call();
  } catch (const FileError&) {
  }
}

bool same_bits(View<const float> a, View<const float> b) {
  return a.size() == b.size() &&
         (a.size() == 0 ||
          std::memcmp(a.data(), b.data(), sizeof(float) * static_cast<std::size_t>(a.size())) == 0);
}

/// What a file says of a training is written and read again to the same, and goes on to its end, or is
/// refused. The file's checksum is left out of it, which hardly any input would get right.
void read_training(const Safetensors& file, const Model<float>& known) {
  const auto text = file.metadata.find(detail::training_key);
  if (text == file.metadata.end()) return;
  const auto json = parse_json(text->second, "training");
  const auto snapshot =
      detail::at_place("training", [&] { return detail::training_from_json<float>(json, file); });
  if (snapshot.weights.size() != known.count_params()) return;
  const auto saved = save_checkpoint(known, snapshot);
  require(save_checkpoint(known, load_checkpoint<float>(saved)) == saved,
          "a checkpoint saved again is the same");
  Model<float> model = known;
  try {
    train(model, {.resume_from = snapshot});
  } catch (const OptionError&) {
    require(same_bits(model.weights(), known.weights()), "what is refused changes nothing");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Limits limits(size);
  const Bytes bytes = exact(data, size);
  may_be_refused([&] {
    const Safetensors file = parse_safetensors(bytes, "file");
    for (const auto& [name, tensor] : file.tensors) {
      may_be_refused([&, &key = name] { read_tensor<double>(file, key); });
    }
  });
  may_be_refused([&] {
    // What cannot be computed to the bit is no matter here.
    const auto model = load_model<float>(bytes, {.sample_tolerance = 1e30}, "file");
    require(model.is_built(), "a loaded model is built");
    const Bytes saved = save_model(model);
    const auto again = load_model<float>(saved);
    require(same_bits(again.weights(), model.weights()), "weights come back to the bit");
    require(save_model(again) == saved, "a model saved again is the same");
    run_if_small(model);
  });
  static const Model<float> known = small_network();
  may_be_refused([&] { load_checkpoint<float>(bytes); });
  may_be_refused([&] { read_training(parse_safetensors(bytes, "file"), known); });
  may_be_refused([&] {
    Model<float> model = known;
    load_weights(model, bytes);
  });
  may_be_refused([&] {
    Model<float> model = known;
    pytorch::load_weights(model, bytes, {{"lstm", "rnn"}, {"out", "head"}});
  });
  return 0;
}

namespace {

/// Gives a checkpoint the checksum of what it holds, which no input would come to by chance.
void mend_checksum(Json& header, std::string_view numbers) {
  const std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  Bytes bytes(8 + text.size() + numbers.size());
  detail::to_little_endian(std::uint64_t{text.size()}, bytes.data());
  std::copy(text.begin(), text.end(), reinterpret_cast<char*>(bytes.data()) + 8);
  std::copy(numbers.begin(), numbers.end(),
            reinterpret_cast<char*>(bytes.data()) + 8 + text.size());
  may_be_refused([&] {
    const Safetensors file = parse_safetensors(bytes);
    const auto is_float = [](const auto& entry) { return entry.second.dtype.name == "F32"; };
    if (!file.metadata.contains(detail::checksum_key) ||
        !std::all_of(file.tensors.begin(), file.tensors.end(), is_float)) {
      return;
    }
    header["__metadata__"]["heed_checksum"] =
        detail::checkpoint_checksum<float>(file, file.metadata);
  });
}

}  // namespace

/// Changes the header as JSON, the model or the training inside it as JSON, or the numbers, and puts
/// the header's length in front again.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  Random random(seed);
  const auto plain = [&] { return LLVMFuzzerMutate(data, size, most); };
  if (size < 8 || random.below(8) == 0) return plain();
  const auto length = detail::from_little_endian<std::uint64_t>(reinterpret_cast<std::byte*>(data));
  if (length > size - 8) return plain();
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  std::string header(all.substr(8, length)), numbers(all.substr(8 + length));
  const std::size_t room = most - std::min(most, 8 + numbers.size());
  Json json = Json::parse(header, nullptr, false);
  if (random.below(8) == 0) {
    mutate_in_place(std::span(data + 8 + length, numbers.size()), random);
    return size;
  }
  const char* inside = random.bernoulli(0.5) ? "heed" : "heed_training";
  if (random.bernoulli(0.5) && json.is_object() && json.contains("__metadata__") &&
      json["__metadata__"].is_object() && json["__metadata__"].contains(inside) &&
      json["__metadata__"][inside].is_string()) {
    Json& text = json["__metadata__"][inside];
    text = mutate_json(text.get<std::string>(), room, random);
    header = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  } else {
    header = mutate_json(header, room, random);
  }
  Json mended = Json::parse(header, nullptr, false);
  if (random.below(8) != 0 && mended.is_object() && mended.contains("__metadata__") &&
      mended["__metadata__"].is_object()) {
    mend_checksum(mended, numbers);
    header = mended.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  if (header.size() > room) return plain();
  detail::to_little_endian(std::uint64_t{header.size()}, reinterpret_cast<std::byte*>(data));
  std::copy(header.begin(), header.end(), data + 8);
  std::copy(numbers.begin(), numbers.end(), data + 8 + header.size());
  return 8 + header.size() + numbers.size();
}
