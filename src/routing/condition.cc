#include <string>
#include <string_view>

#include "continuo/record/decimal.h"
#include "continuo/routing/case_fold.h"
#include "continuo/routing/ip_address.h"
#include "continuo/routing/pattern.h"
#include "continuo/routing/wildcard_fit.h"

namespace continuo::routing {
namespace {

bool same_number(std::string_view left, std::string_view right) {
  std::string left_form, right_form;
  record::canonical_number(left, left_form);
  record::canonical_number(right, right_form);
  return left_form == right_form;
}

bool same_string(std::string_view wanted, std::string_view text) {
  if (wanted == text) return true;
  const auto address = parse_address(wanted);
  return address && parse_address(text) == address;
}

bool passes_as_text(const Test& test, std::string_view text) {
  switch (test.kind) {
    case Test::Kind::prefix: return text.starts_with(test.text);
    case Test::Kind::suffix: return text.ends_with(test.text);
    case Test::Kind::wildcard: return wildcard_fits(test.text, text);
    case Test::Kind::cidr: {
      const auto address = parse_address(text);
      return address && address->v6 == test.addresses.v6 && address->bits >= test.addresses.low &&
             address->bits <= test.addresses.high;
    }
    case Test::Kind::literal: return test.ignore_case ? text == test.text : same_string(test.text, text);
    case Test::Kind::numeric: break;
  }
  return false;
}

}  // namespace

bool passes(const Test& test, const Value& value) {
  if (test.kind == Test::Kind::literal && test.type != value.type) return false;
  switch (value.type) {
    case Value::Type::string:
      return test.ignore_case ? passes_as_text(test, fold_case(value.text)) : passes_as_text(test, value.text);
    case Value::Type::number:
      if (test.kind == Test::Kind::literal) return same_number(test.text, value.text);
      if (test.kind == Test::Kind::numeric) {
        const auto number = record::number_of(value.text);
        return number && *number >= test.numbers.low && *number <= test.numbers.high;
      }
      return false;
    case Value::Type::boolean:
    case Value::Type::null: break;
  }
  return test.kind == Test::Kind::literal && test.text == value.text;
}

}  // namespace continuo::routing
