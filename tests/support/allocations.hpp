#pragma once

#include <cstddef>

namespace heed::testing {

/// Counts the heap allocations from its construction on, by `new`, by Eigen and by `malloc` itself:
/// CHECK(allocations.count() == 0).
class Allocations {
 public:
  enum class Of { this_thread, all_threads };

  explicit Allocations(Of threads = Of::this_thread);
  std::size_t count() const;

  /// How many bytes were asked for, whether or not they were given back: no less than were in use.
  std::size_t bytes() const;

  /// Whether this platform lets them be counted: with glibc, and under a sanitizer. Otherwise
  /// both are 0.
  static bool are_counted();

 private:
  Of threads_;
  std::size_t before_;
  std::size_t bytes_before_;
};

/// While one is alive this thread gets no more than so many bytes at a time: `new` throws
/// `std::bad_alloc`, `malloc` gives nothing.
class AllocationLimit {
 public:
  explicit AllocationLimit(std::size_t bytes);
  ~AllocationLimit();
  AllocationLimit(const AllocationLimit&) = delete;
  AllocationLimit& operator=(const AllocationLimit&) = delete;

  /// Whether they can be replaced: not under a sanitizer.
  static bool works();
};

/// While one is alive Eigen ends the program when it allocates, on whatever thread:
/// EIGEN_RUNTIME_NO_MALLOC, which has to be defined for all of a program, or not at all.
class NoEigenAllocations {
 public:
  NoEigenAllocations();
  ~NoEigenAllocations();
  NoEigenAllocations(const NoEigenAllocations&) = delete;
  NoEigenAllocations& operator=(const NoEigenAllocations&) = delete;
};

}  // namespace heed::testing
