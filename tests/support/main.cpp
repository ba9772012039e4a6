// The entry point where Catch2 2.x has no library with one; Catch2 3 always has.
#define CATCH_CONFIG_MAIN
#include "catch.hpp"
