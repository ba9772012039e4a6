// In one translation unit of the tests: counts what is allocated, by `operator new`, which is replaced,
// and by `malloc`, which Eigen calls: with glibc a program may define that too. A sanitizer defines both
// itself, to see more, and has a hook. With HEED_TEST_MEMORY_PLAIN nothing is replaced, for valgrind, which does that.

#include "allocations.hpp"

#include <Eigen/Core>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HEED_TEST_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HEED_TEST_SANITIZER
#endif

namespace {

thread_local std::size_t allocations = 0;
thread_local std::size_t allocated = 0;
thread_local std::size_t allocation_limit = std::numeric_limits<std::size_t>::max();
std::atomic<std::size_t> all_allocations = 0;
std::atomic<std::size_t> all_allocated = 0;

[[maybe_unused]] void count_bytes(std::size_t size) {
  ++allocations;
  allocated += size;
  ++all_allocations;
  all_allocated += size;
}

[[maybe_unused]] bool is_too_much(std::size_t size) { return size > allocation_limit; }

}  // namespace

#if defined(HEED_TEST_SANITIZER)

extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*,
                                                                             std::size_t),
                                                         void (*free_hook)(const volatile void*));

namespace {

constexpr bool counted = true, limited = false;

void count_one(const volatile void*, std::size_t size) { count_bytes(size); }
void ignore(const volatile void*) {}

const int installed = __sanitizer_install_malloc_and_free_hooks(count_one, ignore);

}  // namespace

#elif defined(__GLIBC__) && !defined(HEED_TEST_MEMORY_PLAIN)

namespace {

/// With HEED_TEST_MEMORY_POISON, memory begins as numbers that are none: every bit is set.
void* poisoned(void* memory, [[maybe_unused]] std::size_t size) {
#if defined(HEED_TEST_MEMORY_POISON)
  if (memory != nullptr) std::memset(memory, 0xff, size);
#endif
  return memory;
}

}  // namespace

extern "C" {

void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) noexcept {
  if (is_too_much(size)) return nullptr;
  count_bytes(size);
  return poisoned(__libc_malloc(size), size);
}

void* calloc(std::size_t count, std::size_t size) noexcept {
  count_bytes(count * size);
  return __libc_calloc(count, size);
}

void* realloc(void* memory, std::size_t size) noexcept {
  count_bytes(size);
  return __libc_realloc(memory, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  if (is_too_much(size)) return nullptr;
  count_bytes(size);
  return poisoned(__libc_memalign(alignment, size), size);
}

}  // extern "C"

void* operator new(std::size_t size) {
  if (is_too_much(size)) throw std::bad_alloc();
  count_bytes(size);
  if (void* memory = __libc_malloc(size)) return poisoned(memory, size);
  throw std::bad_alloc();
}

void* operator new(std::size_t size, std::align_val_t alignment) {
  if (is_too_much(size)) throw std::bad_alloc();
  count_bytes(size);
  if (void* memory = __libc_memalign(static_cast<std::size_t>(alignment), size)) {
    return poisoned(memory, size);
  }
  throw std::bad_alloc();
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace {

constexpr bool counted = true, limited = true;

}  // namespace

#else

namespace {

constexpr bool counted = false, limited = false;

}  // namespace

#endif

namespace heed::testing {

Allocations::Allocations(Of threads) : threads_(threads), before_(0), bytes_before_(0) {
  before_ = count();
  bytes_before_ = bytes();
}

std::size_t Allocations::count() const {
  return (threads_ == Of::this_thread ? allocations : all_allocations.load()) - before_;
}

std::size_t Allocations::bytes() const {
  return (threads_ == Of::this_thread ? allocated : all_allocated.load()) - bytes_before_;
}

bool Allocations::are_counted() { return counted; }

AllocationLimit::AllocationLimit(std::size_t bytes) { allocation_limit = bytes; }
AllocationLimit::~AllocationLimit() { allocation_limit = std::numeric_limits<std::size_t>::max(); }
bool AllocationLimit::works() { return limited; }

#if defined(EIGEN_RUNTIME_NO_MALLOC)
NoEigenAllocations::NoEigenAllocations() { Eigen::internal::set_is_malloc_allowed(false); }
NoEigenAllocations::~NoEigenAllocations() { Eigen::internal::set_is_malloc_allowed(true); }
#else
NoEigenAllocations::NoEigenAllocations() = default;
NoEigenAllocations::~NoEigenAllocations() = default;
#endif

}  // namespace heed::testing
