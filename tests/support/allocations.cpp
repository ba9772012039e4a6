// In one translation unit of the tests: counts what is allocated. Below `new` and Eigen, which calls
// `std::malloc`, there is `malloc`: with glibc a program may define it, under a sanitizer, which
// defines it itself, there is a hook.

#include "allocations.hpp"

#include <cstdlib>

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

[[maybe_unused]] void count_bytes(std::size_t size) {
  ++allocations;
  allocated += size;
}

}  // namespace

#if defined(HEED_TEST_SANITIZER)

extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*,
                                                                             std::size_t),
                                                         void (*free_hook)(const volatile void*));

namespace {

constexpr bool counted = true;

void count_one(const volatile void*, std::size_t size) { count_bytes(size); }
void ignore(const volatile void*) {}

const int installed = __sanitizer_install_malloc_and_free_hooks(count_one, ignore);

}  // namespace

#elif defined(__GLIBC__)

extern "C" {

void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) noexcept {
  count_bytes(size);
  return __libc_malloc(size);
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
  count_bytes(size);
  return __libc_memalign(alignment, size);
}

}  // extern "C"

namespace {

constexpr bool counted = true;

}  // namespace

#else

namespace {

constexpr bool counted = false;

}  // namespace

#endif

namespace heed::testing {

Allocations::Allocations() : before_(allocations), bytes_before_(allocated) {}

std::size_t Allocations::count() const { return allocations - before_; }
std::size_t Allocations::bytes() const { return allocated - bytes_before_; }

bool Allocations::are_counted() { return counted; }

}  // namespace heed::testing
