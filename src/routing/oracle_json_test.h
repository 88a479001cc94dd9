// JSON as it was written, for the oracle, the generator and the shrinker: names may come twice, numbers keep their
// text, what stands before a break stays. Slow and recursive; nothing here is shared with what it proves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace continuo::routing::oracle {

struct Json {
  enum class Kind : std::uint8_t { string, number, boolean, null, object, array };
  Kind kind = Kind::null;
  std::string text = "null";       ///< of a scalar: a string decoded, all others as written
  std::vector<std::string> names;  ///< of an object: one for each child
  std::vector<Json> children;

  static Json string(std::string_view text) { return {Kind::string, std::string{text}, {}, {}}; }
  static Json number(std::string_view text) { return {Kind::number, std::string{text}, {}, {}}; }
  static Json object() { return {Kind::object, {}, {}, {}}; }
  static Json array() { return {Kind::array, {}, {}, {}}; }

  bool is(Kind wanted) const { return kind == wanted; }
  bool is_scalar() const { return kind < Kind::object; }
  Json& add(std::string_view name, Json child) {
    names.emplace_back(name);
    return children.emplace_back(std::move(child));
  }
  Json& add(Json child) { return children.emplace_back(std::move(child)); }
};

/// The text's first value; of a broken one what stands before the break, where a scalar that is not whole does not
/// count.
std::optional<Json> read_if_any(std::string_view text);
/// `null` when there is nothing.
Json read(std::string_view text);

/// Without whitespace, with as few escapes as there can be.
std::string write(const Json& json);

}  // namespace continuo::routing::oracle
