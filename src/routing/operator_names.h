// The names that conditions have, and what somebody may have meant who wrote another one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace continuo::routing {

enum class Operator : std::uint8_t {
  exactly,
  prefix,
  suffix,
  equals_ignore_case,
  wildcard,
  anything_but,
  numeric,
  cidr,
  exists,
};

std::optional<Operator> find_operator(std::string_view name);
std::string_view name_of(Operator op);

/// Of a name that event patterns may get one day, and which no field's condition has now: what to write instead. Empty:
/// it is no such name.
std::string_view instead_of_reserved(std::string_view name);

/// A sentence for a name that is no operator: "did you mean `prefix`". Empty: nothing comes to mind.
std::string guess_operator(std::string_view name);

}  // namespace continuo::routing
