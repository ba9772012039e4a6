#include <heed/plot/words.hpp>

#include "support/catch.hpp"

namespace heed::words_test {

using namespace heed::plot::detail;

const std::string unknown = "\xef\xbf\xbd";  // U+FFFD

TEST_CASE("what XML writes otherwise is escaped") {
  CHECK(escaped("a < b && \"c\" > 'd'") == "a &lt; b &amp;&amp; &quot;c&quot; &gt; &#39;d&#39;");
  CHECK(escaped("]]><script>") == "]]&gt;&lt;script&gt;");
}

TEST_CASE("what is not UTF-8, a control character or no character is replaced") {
  CHECK(clean("Größe 日本 🙂 €") == "Größe 日本 🙂 €");
  CHECK(clean("a\nb\tc\r") == "a b c ");
  CHECK(clean(std::string_view("a\0b", 3)) == "a" + unknown + "b");
  CHECK(clean("\x1b[31m") == unknown + "[31m");
  CHECK(clean("\x7f") == unknown);
  CHECK(clean("\xc2\x9b") == unknown);     // a control character of two bytes
  CHECK(clean("\x80z") == unknown + "z");  // a byte that continues nothing
  CHECK(clean("\xffz") == unknown + "z");
  CHECK(clean("\xe2\x82") == unknown + unknown);  // the text ends too early
  CHECK(clean("\xc3z") == unknown + "z");
  CHECK(clean("\xc0\xaf") == unknown + unknown);  // too long for what it says
  CHECK(clean("\xe0\x80\xaf") == unknown + unknown + unknown);
  CHECK(clean("\xf0\x82\x82\xac") == unknown + unknown + unknown + unknown);
  CHECK(clean("\xed\xa0\x80") == unknown + unknown + unknown);  // half a pair of UTF-16
  CHECK(clean("\xf4\x90\x80\x80") == unknown + unknown + unknown + unknown);  // beyond U+10FFFF
  CHECK(clean("\xef\xbf\xbe\xef\xbf\xbf") == unknown + unknown);              // U+FFFE and U+FFFF
  CHECK(clean("\xf4\x8f\xbf\xbd") == "\xf4\x8f\xbf\xbd");                     // U+10FFFD
}

TEST_CASE("a text takes the columns that a terminal gives it") {
  CHECK(columns("") == 0);
  CHECK(columns("abc") == 3);
  CHECK(columns("Größe") == 5);
  CHECK(columns("e\xcc\x81") == 1);  // e and a combining acute
  CHECK(columns("日本") == 4);
  CHECK(columns("🙂") == 2);
}

TEST_CASE("a text that is too long ends in an ellipsis, between two characters") {
  CHECK(shortened("attention", 9) == "attention");
  CHECK(shortened("attention", 8) == "attenti…");
  CHECK(shortened("attention", 8, "...") == "atten...");
  CHECK(shortened("Größen", 4) == "Grö…");
  CHECK(shortened("日本語", 4) == "日…");
  CHECK(shortened("abc", 1) == "…");
}

TEST_CASE("a text is aligned by its columns, not by its bytes") {
  CHECK(right_aligned("ö", 3) == "  ö");
  CHECK(left_aligned("日", 3) == "日 ");
  CHECK(right_aligned("long", 3) == "long");
}

}  // namespace heed::words_test
