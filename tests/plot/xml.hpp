#pragma once

#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <heed/plot/words.hpp>

namespace heed::testing {

/// An element of XML with what is in it.
struct Xml {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::vector<Xml> children;
  std::string text;  ///< its own, without that of its children

  const std::string& operator[](const std::string& attribute) const {
    const auto found = attributes.find(attribute);
    if (found == attributes.end()) throw std::runtime_error(name + " has no " + attribute);
    return found->second;
  }
  bool has(const std::string& attribute) const { return attributes.contains(attribute); }
  double number(const std::string& attribute) const { return std::stod((*this)[attribute]); }

  /// All elements below of a name, in the order of the file; with "" all there are.
  std::vector<const Xml*> all(std::string_view wanted) const {
    std::vector<const Xml*> found;
    for (const Xml& child : children) {
      if (wanted.empty() || child.name == wanted) found.push_back(&child);
      for (const Xml* inner : child.all(wanted)) found.push_back(inner);
    }
    return found;
  }

  const Xml& first(std::string_view wanted) const {
    const auto found = all(wanted);
    if (found.empty()) throw std::runtime_error("there is no " + std::string(wanted));
    return *found.front();
  }
};

/// Reads the XML that heed writes and insists that it is well-formed: no declaration, comment or CDATA.
class XmlReader {
 public:
  static Xml read(std::string_view file) {
    XmlReader reader(file);
    plot::detail::for_each_character(file, [&](char32_t code, std::string_view bytes) {
      const bool is_broken = code == 0xfffd && bytes.size() == 1;
      reader.expect(!is_broken && code < 0xfffe + (code > 0xffff ? 0x110000u : 0u) &&
                        (code >= 0x20 || code == '\n'),
                    "a character that XML does not have");
    });
    Xml root = reader.element();
    reader.expect(reader.rest_ == "\n", "something behind the root");
    return root;
  }

 private:
  explicit XmlReader(std::string_view file) : rest_(file) {}

  void expect(bool holds, const std::string& complaint) const {
    if (!holds)
      throw std::runtime_error(complaint + " before: " + std::string(rest_.substr(0, 60)));
  }

  void take(std::string_view token) {
    expect(rest_.starts_with(token), "expected " + std::string(token));
    rest_.remove_prefix(token.size());
  }

  std::string until(std::string_view ends) {
    const std::size_t size = rest_.find_first_of(ends);
    expect(size != std::string_view::npos, "the end of the file");
    std::string result(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return result;
  }

  std::string resolved(std::string_view text) const {
    const std::map<std::string_view, char> entities{
        {"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"#39;", '\''}};
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
      expect(text[i] != '<', "a < that begins no element");
      if (text[i] != '&') {
        result += text[i];
        continue;
      }
      const std::size_t end = text.find(';', i);
      expect(end != std::string_view::npos, "an & that begins no entity");
      const auto entity = entities.find(text.substr(i + 1, end - i));
      expect(entity != entities.end(), "an unknown entity");
      result += entity->second;
      i = end;
    }
    return result;
  }

  Xml element() {
    Xml result;
    take("<");
    result.name = until(" >/\n");
    expect(!result.name.empty(), "an element without a name");
    while (true) {
      const std::size_t space = rest_.find_first_not_of(" \n");
      rest_.remove_prefix(space);
      if (rest_.starts_with("/>")) {
        take("/>");
        return result;
      }
      if (rest_.starts_with(">")) break;
      expect(space > 0, "attributes that touch");
      const std::string name = until("=");
      take("=\"");
      const bool is_new = result.attributes.emplace(name, resolved(until("\""))).second;
      expect(is_new, "an attribute given twice");
      take("\"");
    }
    take(">");
    while (!rest_.starts_with("</")) {
      if (rest_.starts_with("<")) {
        result.children.push_back(element());
      } else {
        result.text += resolved(until("<"));
      }
    }
    take("</");
    take(result.name);
    take(">");
    return result;
  }

  std::string_view rest_;
};

/// The y axis of a drawing, read off its numbers: turns a coordinate into a value.
class ReadAxis {
 public:
  /// `anchor` is how the numbers are anchored, and no other text.
  explicit ReadAxis(const Xml& svg, std::string_view anchor = "end") {
    for (const Xml* text : svg.all("text")) {
      if (!text->has("text-anchor") || (*text)["text-anchor"] != anchor) continue;
      if (text->has("transform")) continue;
      std::string digits = text->text;
      std::erase(digits, ',');
      labels.push_back(text->text);
      places_.push_back(text->number("y") - 5);
      values_.push_back(std::stod(digits));
    }
    if (values_.size() < 2) throw std::runtime_error("there is no axis");
  }

  double operator()(double y) const {
    const double part = (y - places_.front()) / (places_.back() - places_.front());
    return values_.front() + part * (values_.back() - values_.front());
  }

  /// How much a value changes over a hundredth, to which coordinates are written.
  double precision() const { return 3 * std::abs((*this)(0.01) - (*this)(0)); }

  std::vector<std::string> labels;

 private:
  std::vector<double> places_, values_;
};

/// Every class has a colour for dark pictures, and no colour is for a class that is not there.
inline bool has_both_themes(const Xml& svg) {
  std::set<std::string> used, styled;
  for (const Xml* element : svg.all("")) {
    if (!element->has("class")) {
      if (element->has("fill") && (*element)["fill"] != "none") return false;
      if (element->has("stroke")) return false;
      continue;
    }
    std::string classes = (*element)["class"] + " ";
    for (std::size_t end = 0; (end = classes.find(' ')) != std::string::npos;) {
      used.insert(classes.substr(0, end));
      classes.erase(0, end + 1);
    }
  }
  const std::string& style = svg.first("style").text;
  if (style.find("@media (prefers-color-scheme: dark) {") != 0) return false;
  for (std::size_t i = style.find('.'); i != std::string::npos; i = style.find('.', i + 1)) {
    styled.insert(style.substr(i + 1, style.find('{', i) - i - 1));
  }
  return used == styled;
}

/// Whether every text is on the card, when a letter is as wide as in a wide font.
inline bool texts_fit(const Xml& svg) {
  for (const Xml* text : svg.all("text")) {
    const double size = text->number("font-size");
    const double wide = 0.6 * size * static_cast<double>(plot::detail::columns(text->text));
    const std::string anchor = text->has("text-anchor") ? (*text)["text-anchor"] : "start";
    const double before = anchor == "end" ? wide : anchor == "middle" ? wide / 2 : 0;
    double x = text->number("x"), y = text->number("y");
    double left = x - before, right = x - before + wide, top = y - size, bottom = y;
    if (text->has("transform")) {
      const bool is_upright = (*text)["transform"].starts_with("rotate(-90");
      const double part = is_upright ? 0 : 0.7072;
      left = x - before * part - size;
      right = x + (wide - before) * part;
      top = y - (wide - before) * (is_upright ? 1 : part);
      bottom = y + before * (is_upright ? 1 : part);
    }
    if (left < 4 || right > 956 || top < 4 || bottom > 536) return false;
  }
  return true;
}

}  // namespace heed::testing
