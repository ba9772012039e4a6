#include <heed/tensor/characters.hpp>

#include <heed/tensor/error.hpp>
#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::characters_test {

using heed::testing::message;

TEST_CASE("What would command a terminal is written out") {
  CHECK(detail::visible("größe 层 😀") == "größe 层 😀");
  CHECK(detail::visible("a\x1b[2Jb\tc\nd\r") == "a\\x1b[2Jb\\x09c\\x0ad\\x0d");
  CHECK(detail::visible("a\x1b\nb", true) == "a\\x1b\nb");
  CHECK(detail::visible(std::string_view("\0", 1)) == "\\x00");
  CHECK(detail::visible("\x7f") == "\\x7f");
  CHECK(detail::visible("\xc2\x9b"
                        "31m") == "\\xc2\\x9b31m");  // CSI as one character
  CHECK(detail::visible("\x9b"
                        "31m") == "\\x9b31m");  // and as one byte
  CHECK(detail::visible("\xef\xbf\xbd") == "\xef\xbf\xbd");
}

TEST_CASE("An error's message does not command a terminal") {
  CHECK(message<ModelError>([] { check<ModelError>(false, "no layer \"", "\x1b[2J", "\""); }) ==
        "no layer \"\\x1b[2J\"");
}

}  // namespace heed::characters_test
