#pragma once

#include <cstddef>

namespace heed::testing {

/// Counts the heap allocations of this thread from its construction on, by `new`, by Eigen and by
/// `malloc` itself: CHECK(allocations.count() == 0).
class Allocations {
 public:
  Allocations();
  std::size_t count() const;

  /// How many bytes were asked for, whether or not they were given back: no less than were in use.
  std::size_t bytes() const;

  /// Whether this platform lets them be counted: with glibc, and under a sanitizer. Otherwise
  /// both are 0.
  static bool are_counted();

 private:
  std::size_t before_;
  std::size_t bytes_before_;
};

}  // namespace heed::testing
