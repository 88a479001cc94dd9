// Why an event matches a pattern, or why not.
//
// Slow next to a Matcher: for people. It reads an event as matchers do, and judges by the definition (`passes`). Where
// that would take too long - very many values and tests, or ways to combine the groups of choices - it takes a
// matcher's word for whether the event matches, and says of the fields what it knows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "continuo/routing/matcher.h"
#include "continuo/routing/pattern.h"

namespace continuo::routing {

/// One field and what became of it.
struct Because {
  enum class Reason : std::uint8_t {
    met,           ///< `found` is the value that passed
    not_met,       ///< none of the values passed
    absent,        ///< the field is not there
    is_object,     ///< it is an object: conditions look at values
    present,       ///< it is there and should not be
    not_together,  ///< it passed, but only in another element of an array than the other fields
    invalid,       ///< the payload could not be read up to it
  };
  Reason reason = Reason::not_met;
  std::string at;      ///< "data.amount"
  std::string wanted;  ///< JSON: the condition that held, or the field's only one, or the array of all
  /// JSON: a value, or an array of values (of very many, the first; of a long one, its beginning). Empty: nothing.
  std::string found;
};

struct Explanation {
  bool matches = false;
  /// Matched: for every field that had to hold, what met it. Else every field that failed; of a choice, all groups'.
  std::vector<Because> because;
};

Explanation explain(const Pattern& pattern, const Input& input);
Explanation explain_json(const Pattern& pattern, std::string_view json);

/// "met", "not_met", ...: as the API says it.
std::string_view name_of(Because::Reason reason);

}  // namespace continuo::routing
