// The conditions in a field's array: reading them, and saying what is wrong with them.
#pragma once

#include <string_view>
#include <vector>

#include "continuo/routing/operator_names.h"
#include "continuo/routing/pattern.h"
#include "continuo/routing/pattern_json.h"
#include "continuo/routing/pattern_place.h"

namespace continuo::routing {

/// For all fields of one pattern: counts what they test.
class ConditionParser {
 public:
  ConditionParser(std::string_view text, PatternPlace& place, std::size_t most_tests)
      : text_(text), place_(place), most_tests_(most_tests) {}

  /// `array` is an array. A text-only field holds no numbers, booleans or nulls: asking for them is a mistake. False:
  /// `place` has the error.
  bool parse(const PatternJson& array, bool text_only, std::vector<Condition>& out);

 private:
  bool condition(const PatternJson& item, Condition& out);
  bool operation(const PatternMember& member, Condition& out);

  bool literal(const PatternJson& value, Condition& out);
  bool exactly(const PatternJson& operand, Condition& out);
  bool affix(Operator op, const PatternJson& operand, Condition& out);
  bool cidr(const PatternJson& operand, Condition& out);
  bool numeric(const PatternJson& operand, Condition& out);
  bool exists(const PatternJson& operand, Condition& out);
  bool anything_but(const PatternJson& operand, Condition& out);
  bool anything_but_list(const PatternJson& list, Condition& out);
  bool anything_but_operation(const PatternMember& member, Condition& out);

  /// A test whose operand is one string: of prefix, suffix, equals-ignore-case or wildcard.
  bool text_test(Operator op, const PatternJson& operand, Condition& out);
  bool check_wildcard(const PatternJson& operand);
  /// Counts the test, and appends it.
  bool add(const PatternJson& at, Test test, Condition& out);
  bool count(const PatternJson& at);

  bool not_a_string(Operator op, const PatternJson& operand);
  bool unknown_operator(const PatternMember& member);
  bool several_names(const PatternJson& item);
  bool not_inside_anything_but(Operator op, const PatternMember& member);

  std::string_view text_;
  PatternPlace& place_;
  std::size_t most_tests_;
  std::size_t tests_ = 0;
  bool text_only_ = false;
};

}  // namespace continuo::routing
