#pragma once

#include <algorithm>

#include <heed/io/json.hpp>

namespace heed::detail {

/// Whether TensorFlow accepts a name in its operations. Keras makes the names of models and layers
/// part of them. With another name, Keras 3 loads a model but cannot run it, and tf.keras does not
/// load it.
inline bool is_keras_name(std::string_view name) {
  const auto may_begin = [](char c) {
    return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') || c == '.';
  };
  return !name.empty() && may_begin(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
    return may_begin(c) || c == '_' || c == '-' || c == '>';
  });
}

/// Throws `FileError` for a name that Keras could not load or run. `title` is the name of the model
/// or layer in errors.
inline void check_keras_name(std::string_view name, std::string_view title) {
  // The group in which Keras stores a model's own weights, and the special folders of a path.
  const bool is_taken = name == "top_level_model_weights" || name == "." || name == "..";
  check<FileError>(!is_taken, title, " has a name that is reserved in Keras files");
  check<FileError>(is_keras_name(name), title,
                   " has a name that Keras cannot run: expected letters without accents, digits, "
                   "\"_\", \".\", \"-\" and \">\" only, beginning with a letter, a digit or \".\"");
}

}  // namespace heed::detail
