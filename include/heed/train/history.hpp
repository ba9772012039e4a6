#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <heed/math/names.hpp>

namespace heed {

namespace detail {

/// Finds entries by name in a list of pairs (name, …). The first few are searched one by one, so
/// that a training step allocates nothing; the rest are in a map.
class NameIndex {
 public:
  /// The index of the entry, or the number of entries if no entry has this name.
  template <class Entries>
  std::size_t find(const Entries& entries, std::string_view name) const {
    const auto few = (std::min)(entries.size(), most_listed);
    for (std::size_t i = 0; i < few; ++i) {
      if (entries[i].first == name) return i;
    }
    const auto found = rest_.find(name);
    return found == rest_.end() ? entries.size() : found->second;
  }

  /// To be called after an entry was added at the end of the list.
  template <class Entries>
  void add_last(const Entries& entries) {
    if (entries.size() > most_listed) rest_.emplace(entries.back().first, entries.size() - 1);
  }

  void clear() { rest_.clear(); }

 private:
  static constexpr std::size_t most_listed = 16;
  std::map<std::string, std::size_t, std::less<>> rest_;
};

}  // namespace detail

/// Named numbers in the order in which they were first set: `loss`, the metrics, `val_loss`, ….
class Logs {
 public:
  using Entry = std::pair<std::string, double>;

  Logs() = default;
  Logs(std::initializer_list<Entry> entries) {
    for (const auto& [name, value] : entries) set(name, value);
  }

  void set(std::string_view name, double value) {
    if (Entry* entry = find(name)) {
      entry->second = value;
    } else {
      entries_.emplace_back(name, value);
      index_.add_last(entries_);
    }
  }

  void clear() {
    entries_.clear();
    index_.clear();
  }

  bool contains(std::string_view name) const { return find(name) != nullptr; }

  /// Throws `OptionError` for an unknown name.
  double operator[](std::string_view name) const {
    const Entry* entry = find(name);
    if (entry == nullptr) {  // the list of names is only made for the message
      throw OptionError(join("there is no \"", name, "\" among ", names()));
    }
    return entry->second;
  }

  /// `"loss", "binary_accuracy"`
  std::string names() const {
    return empty() ? "no values" : detail::quoted(entries_, &Entry::first);
  }

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

  bool operator==(const Logs& other) const { return entries_ == other.entries_; }

 private:
  const Entry* find(std::string_view name) const {
    const std::size_t entry = index_.find(entries_, name);
    return entry == entries_.size() ? nullptr : &entries_[entry];
  }
  Entry* find(std::string_view name) { return const_cast<Entry*>(std::as_const(*this).find(name)); }

  std::vector<Entry> entries_;
  detail::NameIndex index_;
};

/// The history of a training: for each name, one number per epoch.
class History {
 public:
  using Column = std::pair<std::string, std::vector<double>>;

  /// Appends the values of an epoch. A name without a value in an epoch is NaN there.
  void append(const Logs& logs) {
    constexpr double missing = std::numeric_limits<double>::quiet_NaN();
    for (const auto& [name, value] : logs) {
      if (contains(name)) continue;
      columns_.emplace_back(name, std::vector<double>(epochs_, missing));
      index_.add_last(columns_);
    }
    for (auto& [name, values] : columns_) {
      values.push_back(logs.contains(name) ? logs[name] : missing);
    }
    ++epochs_;
  }

  std::size_t epochs() const { return epochs_; }

  bool contains(std::string_view name) const { return find(name) != columns_.end(); }

  /// One value for each epoch. Throws `OptionError` for a name that was not recorded.
  const std::vector<double>& operator[](std::string_view name) const& {
    const auto column = find(name);
    if (column == columns_.end()) {
      throw OptionError(
          join("the history has no \"", name, "\" among ",
               columns_.empty() ? "no values" : detail::quoted(columns_, &Column::first)));
    }
    return column->second;
  }
  /// A copy, which outlives a temporary history: `for (double loss : model.fit(…)["loss"])`.
  std::vector<double> operator[](std::string_view name) const&& { return (*this)[name]; }

  auto begin() const { return columns_.begin(); }
  auto end() const { return columns_.end(); }

  /// Writes a line of names, `epoch,loss,…`, and a line for each epoch, from 1. Numbers have enough
  /// digits to be read back with the same bits. Names are quoted if necessary (RFC 4180).
  void write_csv(std::ostream& out) const {
    out << "epoch";
    for (const auto& [name, values] : columns_) out << ',' << quoted(name);
    out << '\n';
    for (std::size_t epoch = 0; epoch < epochs_; ++epoch) {
      out << to_text(epoch + 1);
      for (const auto& [name, values] : columns_) out << ',' << to_text(values[epoch]);
      out << '\n';
    }
  }

  bool operator==(const History& other) const {
    return epochs_ == other.epochs_ && columns_ == other.columns_;
  }

 private:
  /// A name as a field of a CSV file.
  static std::string quoted(std::string_view name) {
    if (name.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(name);
    std::string field = "\"";
    for (const char c : name) field += c == '"' ? std::string("\"\"") : std::string(1, c);
    return field + '"';
  }

  std::vector<Column>::const_iterator find(std::string_view name) const {
    return columns_.begin() + static_cast<std::ptrdiff_t>(index_.find(columns_, name));
  }

  std::size_t epochs_ = 0;
  std::vector<Column> columns_;
  detail::NameIndex index_;
};

}  // namespace heed
