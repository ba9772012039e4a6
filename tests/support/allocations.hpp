#pragma once

#include <cstddef>

namespace heed::testing {

/// Counts the heap allocations of this thread from its construction on, by `new`, by Eigen and by
/// `malloc` itself: CHECK(allocations.count() == 0).
class Allocations {
 public:
  Allocations();
  std::size_t count() const;

  /// Whether this platform lets them be counted: with glibc, and under a sanitizer. Otherwise
  /// `count()` is 0.
  static bool are_counted();

 private:
  std::size_t before_;
};

}  // namespace heed::testing
