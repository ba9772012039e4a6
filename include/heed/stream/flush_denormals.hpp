#pragma once

#include <heed/version.hpp>

#include <cstdint>

namespace heed {

namespace detail {

// The register that controls floating-point arithmetic, and its bits for denormal numbers. The
// clobbered memory keeps loads and stores on their side of a change.
#if (defined(__x86_64__) || defined(__i386__)) && defined(__SSE2_MATH__)
constexpr bool can_flush_denormals = true;
constexpr std::uint32_t flush_bits = 0x8040;  // MXCSR: flush to zero, denormals are zeros
inline std::uint32_t float_control() noexcept {
  std::uint32_t control = 0;
  __asm__ volatile("stmxcsr %0" : "=m"(control) : : "memory");
  return control;
}
inline void set_float_control(std::uint32_t control) noexcept {
  __asm__ volatile("ldmxcsr %0" : : "m"(control) : "memory");
}
#elif defined(__aarch64__)
constexpr bool can_flush_denormals = true;
constexpr std::uint64_t flush_bits = std::uint64_t{1} << 24;  // FPCR.FZ, inputs and results
inline std::uint64_t float_control() noexcept {
  std::uint64_t control = 0;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control) : : "memory");
  return control;
}
inline void set_float_control(std::uint64_t control) noexcept {
  __asm__ volatile("msr fpcr, %0" : : "r"(control) : "memory");
}
#else
constexpr bool can_flush_denormals = false;
constexpr std::uint32_t flush_bits = 0;
inline std::uint32_t float_control() noexcept { return 0; }
inline void set_float_control(std::uint32_t) noexcept {}
#endif

}  // namespace detail

/// While it exists, the processor replaces denormal numbers by zeros in the current thread, both as
/// inputs and as results of arithmetic. Denormal numbers are those below 1.2e-38 for `float` and
/// 2.2e-308 for `double`. The states of recurrent layers decay to them when the input of a stream
/// is silent, and many processors then compute much more slowly:
///
///     const FlushDenormals flush;        // in the thread that runs the stream
///     while (…) y = stream.step(x_t);
///
/// It changes the results only where denormal numbers occur, and holds for all code that the thread
/// runs meanwhile. The destructor restores the previous mode, so scopes can be nested; they must
/// end in the thread in which they began. It allocates nothing and makes no system call. Threads
/// that exist already are not affected. On POSIX systems, a new thread begins with the mode of the
/// thread that starts it, and so do those of `predict` with `.threads`.
class [[nodiscard]] FlushDenormals {
 public:
  /// Whether it has an effect: on x86 with SSE2 arithmetic and on AArch64. On other processors it
  /// does nothing.
  static constexpr bool is_supported = detail::can_flush_denormals;

  FlushDenormals() noexcept : before_(detail::float_control()) {
    detail::set_float_control(before_ | detail::flush_bits);
  }
  // Only these bits: the register also collects which exceptions have occurred.
  ~FlushDenormals() {
    const auto others = detail::float_control() & ~detail::flush_bits;
    detail::set_float_control(others | (before_ & detail::flush_bits));
  }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  decltype(detail::float_control()) before_;
};

}  // namespace heed
