// The configuration parser: any text is JSON of layers, or a FileError. What was read is written as it
// was, and read again.

#include <heed/io/model_json.hpp>

#include "fuzzing.hpp"

using namespace heed;
using namespace heed::fuzzing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Limits limits(size);
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const auto model = model_from_json<float>(parse_json(text, "text"), {}, "text");
    const auto json = model_to_json(model);
    const auto again = model_from_json<float>(parse_json(print_json(json, "model"), "model"));
    require(model_to_json(again) == json, "a model read again is the same");
    require(again.count_params() == model.count_params(), "it has as many weights");
    model.summary();
  } catch (const FileError&) {
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  Random random(seed);
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string mutated = mutate_json(text, most, random);
  std::copy(mutated.begin(), mutated.end(), data);
  return mutated.size();
}
