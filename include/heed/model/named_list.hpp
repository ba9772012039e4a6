#pragma once

#include <algorithm>
#include <concepts>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <heed/math/names.hpp>
#include <heed/tensor/error.hpp>

namespace heed {

/// One thing for each input or each output of a model: a single one where the model has one, a list
/// in their order, or a list by their names.
///
///     .loss = MeanSquaredError{}
///     .loss = {MeanSquaredError{}, BinaryCrossentropy{}}
///     .loss = {{"price", MeanSquaredError{}}, {"sold", BinaryCrossentropy{}}}
template <class Thing>
class NamedList {
 public:
  /// An entry of a list by names.
  struct Named {
    std::string name;
    Thing thing;
  };

  NamedList() = default;
  template <class T>
    requires(!std::same_as<std::remove_cvref_t<T>, NamedList> && std::convertible_to<T, Thing>)
  NamedList(
      T&& only) {  // NOLINT(google-explicit-constructor,bugprone-forwarding-reference-overload)
    things_.push_back(std::forward<T>(only));
  }
  NamedList(std::initializer_list<Thing> list) : things_(list) {}
  NamedList(std::initializer_list<Named> list) {
    for (const Named& entry : list) {
      names_.push_back(entry.name);
      things_.push_back(entry.thing);
    }
  }
  explicit NamedList(std::vector<Thing> list) : things_(std::move(list)) {}

  NamedList(const NamedList&) = default;
  NamedList(NamedList&&) noexcept = default;
  /// Takes its argument by value, because clang finds `list = {}` ambiguous for two operators.
  NamedList& operator=(NamedList other) noexcept {
    names_.swap(other.names_);
    things_.swap(other.things_);
    return *this;
  }

  bool empty() const { return things_.empty(); }
  std::size_t size() const { return things_.size(); }

  /// As they were given. For a loop over things whose order does not matter.
  const std::vector<Thing>& things() const { return things_; }

  /// The things in the order of `names`, which are those of the `whose`, "outputs". Throws `E` unless there
  /// is one for each; `what` is what they are, "a loss".
  template <class E>
  std::vector<Thing> in_order(std::span<const std::string> names, std::string_view what,
                              std::string_view whose) const {
    const auto all = [&] { return detail::quoted(names); };
    const auto begin = names_.begin();
    for (auto name = begin; name != names_.end(); ++name) {
      check<E>(std::find(names.begin(), names.end(), *name) != names.end(), "there is no \"", *name,
               "\" among the ", whose, " ", all());
      check<E>(std::find(begin, name, *name) == name, "expected ", what, " for \"", *name,
               "\", got two");
    }
    check<E>(things_.size() == names.size(), "expected ", what, " for each of the ", whose, " ",
             all(), ", got ", things_.size());
    if (names_.empty()) return things_;
    std::vector<Thing> ordered;
    for (const std::string& name : names) {
      const auto place = std::find(begin, names_.end(), name) - begin;
      ordered.push_back(things_[static_cast<std::size_t>(place)]);
    }
    return ordered;
  }

 private:
  std::vector<std::string> names_;  ///< empty, or as many as things
  std::vector<Thing> things_;
};

}  // namespace heed
