#pragma once

#include <heed/tensor/error.hpp>

namespace heed::testing {

/// What `E` says that `call` throws: CHECK(message<ShapeError>([&] { … }) == "…").
template <class E, class Call>
std::string message(const Call& call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  }
  return "(nothing thrown)";
}

}  // namespace heed::testing
