#pragma once

// Catch2 3, or 2.13 as Debian 12 has it. Tests keep to what both offer.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>

namespace Catch::Matchers {
// Catch2 3 calls it so; its Contains is about elements of ranges.
inline auto ContainsSubstring(const std::string& text) { return Contains(text); }
}  // namespace Catch::Matchers
#endif
