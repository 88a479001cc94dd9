#include <string.h>

#include <string>
#include <string_view>
#include <vector>

#include "continuo/routing/case_fold.h"
#include "continuo/routing/decimal.h"
#include "continuo/routing/ip_address.h"
#include "continuo/routing/pattern.h"

namespace continuo::routing {
namespace {

// The texts between a wildcard's `*`, without escapes: one more than there are `*`.
std::vector<std::string> pieces(std::string_view wildcard) {
  std::vector<std::string> out(1);
  for (std::size_t i = 0; i < wildcard.size(); ++i) {
    if (wildcard[i] == '*') {
      out.emplace_back();
    } else {
      if (wildcard[i] == '\\' && i + 1 < wildcard.size()) ++i;
      out.back() += wildcard[i];
    }
  }
  return out;
}

bool fits(std::string_view wildcard, std::string_view text) {
  const auto parts = pieces(wildcard);
  if (parts.size() == 1) return text == parts[0];
  if (text.size() < parts.front().size() + parts.back().size() || !text.starts_with(parts.front()) ||
      !text.ends_with(parts.back()))
    return false;
  text.remove_prefix(parts.front().size());
  text.remove_suffix(parts.back().size());
  // Each of the others as early as it comes. memmem: texts and pieces made to be slow take linear time.
  for (std::size_t i = 1; i + 1 < parts.size(); ++i) {
    const void* found = memmem(text.data(), text.size(), parts[i].data(), parts[i].size());
    if (found == nullptr) return false;
    text.remove_prefix(static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) + parts[i].size());
  }
  return true;
}

bool same_number(std::string_view left, std::string_view right) {
  std::string left_form, right_form;
  canonical_number(left, left_form);
  canonical_number(right, right_form);
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
    case Test::Kind::wildcard: return fits(test.text, text);
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
        const auto number = number_of(value.text);
        return number && *number >= test.numbers.low && *number <= test.numbers.high;
      }
      return false;
    case Value::Type::boolean:
    case Value::Type::null: break;
  }
  return test.kind == Test::Kind::literal && test.text == value.text;
}

}  // namespace continuo::routing
