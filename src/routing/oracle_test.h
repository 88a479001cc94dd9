// The pattern language as its definition has it, slow and obvious: what matchers and explanations are compared with.
//
// One pattern, one event. The event becomes a tree in which the first of equal names has decided; the pattern is read
// from its own text, not through Pattern; `$or` is multiplied out; of arrays every choice of values is tried.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/routing/matcher.h"
#include "continuo/routing/oracle_json_test.h"

namespace continuo::routing::oracle {

/// What stands under a name, all its occurrences together.
struct Place {
  Json::Kind kind = Json::Kind::object;
  std::string text;
  std::map<std::string, Place> names;  ///< of an object
  std::vector<Place> elements;         ///< of an array
  std::vector<Json> values;            ///< of a header, which may come more than once; whatever `kind` says
};

/// Of an event in JSON. Anything but an object has no fields.
Place event_of(const Json& json);
/// Of an event with what its record has beside it, as one object.
Place event_of(const Input& input);

class Oracle {
 public:
  explicit Oracle(std::string_view pattern);
  bool matches(const Place& event) const;

 private:
  struct Field {
    std::vector<std::string> names;
    Json conditions;
  };
  using Rule = std::vector<Field>;  // all of them have to hold

  static std::vector<Rule> expand(const Json& object, const std::vector<std::string>& above);
  static bool matches(const Rule& rule, const Place& event);

  std::vector<Rule> rules_;  // one of them has to
};

/// Whether the value passes the condition, both in JSON; `exists` false never.
bool meets(const Json& condition, const Json& value);

}  // namespace continuo::routing::oracle
