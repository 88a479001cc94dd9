// An event pattern: what an event has to look like for somebody to want it. The language is EventBridge's; docs/
// patterns.md teaches it, and says where Continuo differs.
//
//   {"type": ["OrderPaid"], "data": {"amount": [{"numeric": [">", 100]}], "country": ["SE", {"prefix": "D"}]}}
//
// Fields are joined by "and", the conditions in a field's array by "or". A pattern is parsed once, when it is declared;
// what is wrong with it is found then. What is here is the pattern's meaning, for matchers and for Explain; it never
// changes once it is made.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"

namespace continuo::routing {

/// One scalar of an event.
struct Value {
  enum class Type : std::uint8_t { string, number, boolean, null };
  Type type = Type::null;
  std::string_view text;  ///< string: decoded UTF-8; number: as written; boolean, null: "true", "false", "null"
  bool operator==(const Value&) const = default;
};

/// Numbers between two bounds, as IEEE doubles; both bounds belong to it (an open bound is moved to the next double).
struct NumberRange {
  double low = 0, high = 0;
  bool operator==(const NumberRange&) const = default;
};

/// IP addresses from `low` to `high`, both included, of one family. IPv4 in the lowest 32 bits.
struct AddressRange {
  unsigned __int128 low = 0, high = 0;
  bool v6 = false;
  bool operator==(const AddressRange&) const = default;
};

/// What one value may be asked. Never true of a field that is absent.
struct Test {
  enum class Kind : std::uint8_t {
    literal,  ///< the same value: strings by bytes (addresses as addresses), numbers by what they are worth exactly
    prefix,   ///< strings only, as are the next two
    suffix,
    wildcard,  ///< `*` stands for any bytes, none too; `\*` and `\\` for themselves
    numeric,
    cidr,
  };
  Kind kind = Kind::literal;
  Value::Type type = Value::Type::string;  ///< of a literal
  bool ignore_case = false;                ///< literal, prefix, suffix; `text` is folded then (case_fold.h)
  std::string text;                        ///< the operand, decoded; a wildcard's escapes are kept
  NumberRange numbers;                     ///< numeric
  AddressRange addresses;                  ///< cidr
  bool operator==(const Test&) const = default;
};

struct Condition {
  enum class Kind : std::uint8_t {
    is,            ///< some value of the field passes the one test
    anything_but,  ///< some value of the field passes none of the tests
    exists,        ///< the field has a value; an object or an empty array is none
    absent,        ///< it has none, nowhere in the event
  };
  Kind kind = Kind::is;
  std::vector<Test> tests;
  std::string source;  ///< as the pattern had it, as JSON without spaces: {"prefix":"D"}
  bool operator==(const Condition& other) const { return kind == other.kind && tests == other.tests; }
};

struct Field {
  std::string path;                   ///< names joined by dots: "data.amount". A name with dots counts as several.
  std::vector<Condition> conditions;  ///< at least one of them has to hold
};

/// All fields and all choices have to hold; of a choice, one of its groups. Paths are whole in every group, and none is
/// tested twice by what has to hold together.
struct Group {
  std::vector<Field> fields;
  std::vector<std::vector<Group>> choices;  ///< `$or`
};

/// What a pattern's first names stand for.
enum class Scope : std::uint8_t {
  event,  ///< CloudEvents attributes, extensions, `headers`, `key`, and `data`; all but `data` are text
  json,   ///< any JSON object
};

struct PatternLimits {
  std::size_t bytes = 64 * 1024;
  std::size_t depth = 64;           ///< of nested objects and `$or`
  std::size_t fields = 1'000;       ///< in all groups
  std::size_t path_bytes = 1'024;   ///< of one field: every field keeps its whole path
  std::size_t conditions = 10'000;  ///< in all fields; values of an anything-but count
};

class Pattern {
 public:
  /// Errors: bad_pattern. `at` is where, "data.amount[0].numeric" with line and column; the detail says what is wrong,
  /// the hint what was probably meant. `json` needs no room behind it.
  static Result<Pattern> parse(std::string_view json, Scope scope = Scope::event, const PatternLimits& limits = {});

  const Group& root() const { return root_; }
  Scope scope() const { return scope_; }
  /// As it was given.
  const std::string& source() const { return source_; }

 private:
  Pattern() = default;
  Group root_;
  Scope scope_ = Scope::event;
  std::string source_;
};

/// Whether the value passes: the definition, without an index. For Explain, and where there are few.
bool passes(const Test& test, const Value& value);

}  // namespace continuo::routing
