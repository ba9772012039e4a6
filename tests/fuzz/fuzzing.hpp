#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <heed/math/random.hpp>

// libFuzzer's: changes bytes in place, to at most `most` of them.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

// The sanitizer's: tells of each allocation, and how large one is.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*,
                                                                             std::size_t),
                                                         void (*free_hook)(const volatile void*));
extern "C" std::size_t __sanitizer_get_allocated_size(const volatile void* memory);

namespace heed::fuzzing {

using Bytes = std::vector<std::byte>;
using Json = nlohmann::ordered_json;

/// Ends the program, which libFuzzer calls a crash, unless a property holds.
inline void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", property);
  std::abort();
}

// How many bytes are allocated, and the most that were since `Limits` began.
inline std::ptrdiff_t bytes_now = 0, bytes_most = 0;
inline const int hooks = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t size) {
      bytes_now += static_cast<std::ptrdiff_t>(size);
      bytes_most = std::max(bytes_most, bytes_now);
    },
    [](const volatile void* memory) {
      if (memory == nullptr) return;
      bytes_now -= static_cast<std::ptrdiff_t>(__sanitizer_get_allocated_size(memory));
    });

/// While one is alive, an input of `size` bytes may take time and memory in proportion to its size:
/// 3 s and 50 µs a byte, under sanitizers; 48 MiB and 300 bytes a byte. More ends the program.
class Limits {
 public:
  explicit Limits(std::size_t size) : size_(static_cast<double>(size)) {
    bytes_most = before_ = bytes_now;
  }
  Limits(const Limits&) = delete;
  Limits& operator=(const Limits&) = delete;
  ~Limits() {
    const auto bytes = static_cast<double>(bytes_most - before_);
    const auto seconds = static_cast<double>(std::clock() - begin_) / CLOCKS_PER_SEC;
    if (bytes > 48.0 * 1024 * 1024 + 300 * size_ || seconds > 3 + 50e-6 * size_) {
      std::fprintf(stderr, "%.0f bytes of input took %.0f bytes of memory and %.2f s\n", size_,
                   bytes, seconds);
      std::abort();
    }
  }

 private:
  double size_;
  std::ptrdiff_t before_ = 0;
  std::clock_t begin_ = std::clock();
};

/// Memory of exactly this size, so that AddressSanitizer sees a read beyond the end.
inline Bytes exact(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  return {bytes, bytes + size};
}

inline std::size_t below(Random& random, std::size_t n) {
  return static_cast<std::size_t>(random.below(static_cast<std::ptrdiff_t>(n)));
}

/// As libFuzzer changes bytes.
inline std::string mutate_bytes(std::string_view text, std::size_t most) {
  std::string result(text);
  result.resize(std::max(most, text.size()));
  result.resize(
      LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(result.data()), text.size(), most));
  return result;
}

/// Every value in a JSON document, itself among them.
inline void collect(Json& json, std::vector<Json*>& all) {
  all.push_back(&json);
  for (auto& child : json) {
    if (json.is_structured()) collect(child, all);
  }
}

/// Numbers, names and kinds of values that a reader is likely to stumble over.
inline Json odd_value(Random& random) {
  static const Json values = Json::parse(R"([null, true, false, 0, 1, 2, 3, -1, -2, 7, 0.5, 1e308,
    -1e-320, 2147483648, 4294967296, 1152921504606846976, 9223372036854775807, 18446744073709551615,
    -9223372036854775808, "", "x", "tanh", "softmax", "linear", "orthogonal", "zeros", "LSTM",
    "Dense", "Reshape", "Permute", "Dot", "Concatenate", "Flatten", "RepeatVector", "Dropout",
    "StepAttention", "LuongAttention", "LastStep", "Slice", "Multiply", "Add", "Activation", "InputLayer",
    [], {}, [2, 1], [1, 2], [-1], [-1, 0], [1, 1], [0], [4, 4, 4], 1000, 200000, [[]], ["x"], [1, 2, 3, 4, 5, 6, 7]])");
  return values[below(random, values.size())];
}

/// A JSON text with one value or several changed; mostly still JSON, so that a reader gets past its
/// parser. What is not JSON is changed as bytes.
inline std::string mutate_json(std::string_view text, std::size_t most, Random& random) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || random.below(8) == 0) return mutate_bytes(text, most);
  for (std::size_t change = 0, changes = 1 + below(random, 3); change < changes; ++change) {
    std::vector<Json*> all;
    collect(json, all);
    Json& one = *all[below(random, all.size())];
    Json other = *all[below(random, all.size())];
    switch (random.below(6)) {
      case 0: one = other; break;
      case 1: one = odd_value(random); break;
      case 2:
        if (one.is_structured() && !one.empty()) {
          auto child = one.begin();
          std::advance(child, static_cast<std::ptrdiff_t>(below(random, one.size())));
          one.erase(child);
        }
        break;
      case 3:
        if (one.is_array()) one.push_back(other);
        if (one.is_object()) one["x"] = other;
        break;
      case 4:
        if (one.is_number_integer()) one = one.get<std::uint64_t>() + random.next64() % 5 - 2;
        if (one.is_number_float()) one = one.get<double>() * random.normal();
        if (one.is_string()) one = mutate_bytes(one.get<std::string>(), one.size() + 16);
        break;
      default:
        for (int tries = 0; tries < 8 && one.type() != other.type(); ++tries) {
          other = *all[below(random, all.size())];
        }
        one = other;
    }
    if (!json.is_structured()) break;
  }
  const std::string result = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return result.size() <= most ? result : mutate_bytes(text, most);
}

/// Some bytes changed where they stand: to others, or to numbers of 8 bytes that are far off.
inline void mutate_in_place(std::span<std::uint8_t> bytes, Random& random) {
  if (bytes.empty()) return;
  for (std::size_t change = 0, changes = 1 + below(random, 4); change < changes; ++change) {
    const std::size_t at = below(random, bytes.size());
    switch (random.below(4)) {
      case 0: bytes[at] = static_cast<std::uint8_t>(random.next32()); break;
      case 1: bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ 1u << random.below(8)); break;
      case 2: bytes[at] = random.bernoulli(0.5) ? 0 : 0xff; break;
      default: {
        const std::uint64_t number = random.next64() >> random.below(64);
        std::memcpy(&bytes[at], &number, std::min(sizeof number, bytes.size() - at));
      }
    }
  }
}

}  // namespace heed::fuzzing
