#pragma once

#include <heed/io/model_json.hpp>
#include <heed/io/safetensors.hpp>

#include <cmath>
#include <iomanip>
#include <limits>

#include "support/catch.hpp"

namespace heed::testing {

using Json = nlohmann::json;

/// One file of tests/golden; generate.py says what stands in it.
class GoldenFile {
 public:
  explicit GoldenFile(const std::string& family)
      : family_(family), file_(read_safetensors(path(family))) {
    const auto description = file_.metadata.find("golden");
    check<FileError>(description != file_.metadata.end(), path(family).string(),
                     " holds no golden data");
    cases_ = parse_json(description->second, path(family).string()).at("cases");
  }

  const std::string& family() const { return family_; }

  /// The descriptions of the cases, by their names.
  const Json& cases() const { return cases_; }

  /// The names of a case's tensors that begin with `prefix`, both left out.
  std::vector<std::string> names(const std::string& name, const std::string& prefix) const {
    const std::string front = join(name, "/", prefix);
    std::vector<std::string> found;
    for (const auto& [key, tensor] : file_.tensors) {
      if (key.starts_with(front)) found.push_back(key.substr(front.size()));
    }
    return found;
  }

  /// A tensor of a case. Throws `FileError` when there is none.
  template <class S>
  Tensor<S> tensor(const std::string& name, const std::string& key) const {
    const auto found = file_.tensors.find(join(name, "/", key));
    check<FileError>(found != file_.tensors.end(), path(family_).string(), " has no tensor ", name,
                     "/", key);
    Tensor<S> values(found->second.shape);
    check<FileError>(decode(found->second.dtype, found->second.bytes, values.values()),
                     path(family_).string(), " has numbers that heed cannot read");
    return values;
  }

 private:
  static std::filesystem::path path(const std::string& family) {
    return std::filesystem::path(HEED_TEST_DATA) / (family + ".safetensors");
  }

  std::string family_;
  Safetensors file_;
  Json cases_;
};

/// How far `a` is from `b`: the largest difference of two elements, by the largest of b. An element
/// that is a small difference of large terms is off by the rounding of those terms, so that nothing
/// relative to the element itself can be asked; the largest element of the same tensor stands for the
/// terms. Where b is all zeros, a has to be, too. Infinite for other shapes and for NaN.
template <class S>
double deviation(View<const S> a, View<const double> b) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  if (a.shape() != b.shape()) return infinite;
  double difference = 0;
  double size = 0;
  for (Index i = 0; i < a.size(); ++i) {
    const double d = std::abs(static_cast<double>(a.data()[i]) - b.data()[i]);
    if (!std::isfinite(d)) return infinite;
    difference = std::max(difference, d);
    size = std::max(size, std::abs(b.data()[i]));
  }
  return difference == 0 ? 0 : difference / size;
}

/// Holds what heed computes against a golden file, and remembers the worst of it.
template <class S>
class Comparison {
 public:
  Comparison(const GoldenFile& file, double tolerance) : file_(file), tolerance_(tolerance) {}

  /// `values` against the tensor `key` of the case `name`.
  void check(const std::string& name, const std::string& key, View<const S> values) {
    const auto expected = file_.tensor<double>(name, key);
    const double off = deviation<S>(values, expected);
    INFO(std::setprecision(2) << "off by " << off << ": " << file_.family() << ", " << name << "/"
                              << key << ", of shape " << to_text(values.shape()));
    CHECK(off <= tolerance_);
    if (!(off <= worst_)) {
      worst_ = off;
      where_ = join(name, "/", key);
    }
  }

  void check(const std::string& name, const std::string& key, double value) {
    const auto single = static_cast<S>(value);
    check(name, key, View<const S>(&single, {1}));
  }

  /// Says how far the worst is off, when all comes out right only to who runs the tests with -s.
  void report() const {
    INFO(std::setprecision(2) << "off by " << worst_ << " in "
                              << (sizeof(S) == 4 ? "float" : "double")
                              << " at most: " << file_.family() << ", " << where_);
    CHECK(worst_ <= tolerance_);
  }

 private:
  const GoldenFile& file_;
  double tolerance_;
  double worst_ = 0;
  std::string where_;
};

/// The model of a case, with weights as `build` makes them.
template <class S>
Model<S> golden_model(const GoldenFile& file, const std::string& name) {
  auto description = file.cases().at(name).at("model");
  description["scalar"] = "float64";  // which Keras computed in
  auto model = model_from_json<S>(description, {}, name);
  model.build();
  return model;
}

/// Gives a model the weights `w/…` of a case; every one must be there, and no other.
template <class S>
void set_golden_weights(const GoldenFile& file, const std::string& name, Model<S>& model) {
  const auto names = file.names(name, "w/");
  check<FileError>(names.size() == model.graph().layout().all_slots().size(), name, " has ",
                   names.size(), " weights, and the model another number");
  for (const std::string& weight : names) {
    const auto values = file.tensor<S>(name, "w/" + weight);
    check<ShapeError>(values.shape() == model.weight(weight).shape(), name, ": the weight ", weight,
                      " is ", values.shape(), " in Keras and ", model.weight(weight).shape(),
                      " in heed");
    model.weight(weight).array() = values.array();
  }
}

}  // namespace heed::testing
