// JSON bodies of control requests as a small tree, and a reader that checks fields as it takes them.
//
// Not for events: those go through record::EventParser. Here, an event inside a larger object stays raw text.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/time.h"

namespace continuo::wire::http {

struct Json {
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
  Kind kind = Kind::null;
  std::string_view raw;       ///< objects and arrays: their text, as sent
  std::string text;           ///< strings decoded; numbers and booleans as written
  std::string name;           ///< of a member of an object
  std::vector<Json> members;  ///< of objects down to depth 5
  std::vector<Json> items;    ///< of arrays down to depth 5
  const Json* find(std::string_view wanted) const;
};

/// The whole text as one object; an empty text is the empty object. `text` needs record::json_padding readable bytes
/// behind it; the tree points into it. Errors: bad_json, bad_utf8 (line and column in `at`), bad_request when it is not
/// an object or names a member twice.
Result<Json> parse_object(std::string_view text);

/// Valid JSON as short as it can be: without the blanks between its tokens.
std::string without_spaces(std::string_view json);

/// Takes the members of one object. The first thing wrong is remembered and what comes after is passed over, so a
/// reader of settings is a plain list of fields. Errors: unknown_field, bad_setting with the path ("retry.delay") in
/// `at`.
class Fields {
 public:
  Fields(const Json& object, std::string path, std::initializer_list<std::string_view> known);

  bool has(std::string_view name) const { return object_.find(name) != nullptr; }
  /// The member is there, and null.
  bool is_null(std::string_view name) const { return has(name) && object_.find(name)->kind == Json::Kind::null; }
  /// Each leaves `into` alone when the member is absent.
  void text(std::string_view name, std::string& into);
  void boolean(std::string_view name, bool& into);
  void number(std::string_view name, std::uint32_t& into, std::uint32_t least, std::uint32_t most);
  void duration(std::string_view name, Millis& into, Millis least, Millis most);
  void time(std::string_view name, std::optional<WallTime>& into);
  void size(std::string_view name, std::uint64_t& into);
  /// A decimal number, as a string or as a JSON integer, from 0 to 2^63-1.
  void offset(std::string_view name, std::int64_t& into);
  /// The member as an object or array; null when absent.
  const Json* object(std::string_view name);
  const Json* array(std::string_view name);
  void required(std::string_view name);

  std::string path_of(std::string_view name) const;
  void refuse(Error error);
  void refuse(std::string_view name, Code code, std::string detail, std::string hint = {});
  bool ok() const { return !failed_; }
  Result<void> result() const;
  /// Takes over what another reader found wrong.
  void take(const Result<void>& other);

 private:
  const Json* member(std::string_view name, Json::Kind kind, std::string_view what);
  const Json& object_;
  std::string path_;
  Error error_{};
  bool failed_ = false;
};

}  // namespace continuo::wire::http
