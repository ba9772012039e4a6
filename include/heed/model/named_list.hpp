#pragma once

#include <algorithm>
#include <concepts>
#include <initializer_list>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <heed/math/names.hpp>
#include <heed/tensor/error.hpp>

namespace heed {

/// One value for each input or each output of a model: a single value if the model has only one, a
/// list in their order, or a list by names.
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
    Thing thing;  ///< the value with this name
  };

  NamedList() = default;
  // NOLINTBEGIN(google-explicit-constructor,bugprone-forwarding-reference-overload)
  /// A single value.
  template <class T>
    requires(!std::same_as<std::remove_cvref_t<T>, NamedList> &&
             !std::same_as<std::remove_cvref_t<T>, std::vector<Thing>> &&
             std::convertible_to<T, Thing>)
  NamedList(T&& only) { things_.push_back(std::forward<T>(only)); }
  // NOLINTEND(google-explicit-constructor,bugprone-forwarding-reference-overload)
  /// Values in the order of the inputs or outputs.
  NamedList(std::initializer_list<Thing> list) : things_(list) {}
  /// Values by the names of the inputs or outputs, in any order.
  NamedList(std::initializer_list<Named> list) {
    for (const Named& entry : list) {
      names_.push_back(entry.name);
      things_.push_back(entry.thing);
    }
  }
  /// Values in that order from a list made at run time.
  explicit NamedList(std::vector<Thing> list) : things_(std::move(list)) {}
  /// The same from any range whose elements convert.
  template <std::ranges::input_range List>
    requires(!std::convertible_to<const List&, Thing> &&
             std::convertible_to<std::ranges::range_reference_t<const List>, Thing>)
  explicit NamedList(const List& list) : things_(list.begin(), list.end()) {}

  /// Copies all values.
  NamedList(const NamedList&) = default;
  /// Moves all values.
  NamedList(NamedList&&) noexcept = default;
  /// Takes its argument by value, because clang finds `list = {}` ambiguous for two operators.
  NamedList& operator=(NamedList other) noexcept {
    names_.swap(other.names_);
    things_.swap(other.things_);
    return *this;
  }

  bool empty() const { return things_.empty(); }
  std::size_t size() const { return things_.size(); }

  /// The values in the order in which they were given.
  const std::vector<Thing>& things() const { return things_; }

  /// The values in the order of `names`. Throws `E` unless there is one for each name. For the
  /// message, `what` says what the values are, "a loss", and `whose` what the names are of,
  /// "outputs".
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
  std::vector<std::string> names_;  ///< empty, or a name for each thing
  std::vector<Thing> things_;
};

}  // namespace heed
