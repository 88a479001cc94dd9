#include "continuo/routing/condition_parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "continuo/routing/case_fold.h"
#include "continuo/routing/ip_address.h"
#include "continuo/routing/numeric_parse.h"

namespace continuo::routing {
namespace {

using Kind = PatternJson::Kind;

constexpr std::string_view objects_in_arrays =
    R"(objects in an array are asked for as if there were no array: "items": {"sku": ["a"]})";

std::string_view kind_text(const PatternJson& value) {
  switch (value.kind) {
    case Kind::object: return "an object";
    case Kind::array: return "an array";
    case Kind::string: return "a string";
    case Kind::number: return "a number";
    case Kind::boolean: return "a boolean";
    case Kind::null: break;
  }
  return "null";
}

}  // namespace

bool ConditionParser::parse(const PatternJson& array, bool text_only, std::vector<Condition>& out) {
  text_only_ = text_only;
  if (array.items.empty())
    return place_.wrong(array.begin, "an empty array: nothing would match",
                        R"([{"exists": true}] asks for any value, [{"exists": false}] for none)");
  out.reserve(array.items.size());
  for (std::size_t i = 0; i < array.items.size(); ++i) {
    const PatternPlace::Step step{place_, i};
    const PatternJson& item = array.items[i];
    auto& added = out.emplace_back();
    if (!condition(item, added)) return false;
    added.source = compact_json(text_.substr(item.begin, item.end - item.begin));
  }
  return true;
}

bool ConditionParser::condition(const PatternJson& item, Condition& out) {
  if (item.is(Kind::array))
    return place_.wrong(item.begin, "an array inside a field's array", R"(list all values in one array: ["a", "b"])");
  if (item.is_scalar()) return literal(item, out);
  if (item.members.empty())
    return place_.wrong(item.begin, "an empty object is no condition", R"({"exists": true} asks for any value)");
  if (item.members.size() > 1) return several_names(item);
  const PatternPlace::Step step{place_, item.members[0].name};
  return operation(item.members[0], out);
}

bool ConditionParser::operation(const PatternMember& member, Condition& out) {
  const auto op = find_operator(member.name);
  if (!op) return unknown_operator(member);
  switch (*op) {
    case Operator::exactly: return exactly(member.value, out);
    case Operator::prefix:
    case Operator::suffix: return affix(*op, member.value, out);
    case Operator::equals_ignore_case:
    case Operator::wildcard: return text_test(*op, member.value, out);
    case Operator::anything_but: return anything_but(member.value, out);
    case Operator::numeric: return numeric(member.value, out);
    case Operator::cidr: return cidr(member.value, out);
    case Operator::exists: break;
  }
  return exists(member.value, out);
}

bool ConditionParser::literal(const PatternJson& value, Condition& out) {
  Test test;
  test.text = value.text;
  switch (value.kind) {
    case Kind::number: test.type = Value::Type::number; break;
    case Kind::boolean: test.type = Value::Type::boolean; break;
    case Kind::null: test.type = Value::Type::null; break;
    default: break;
  }
  if (text_only_ && !value.is(Kind::string))
    return place_.wrong(value.begin, fmt::format("this field holds text, never {}", kind_text(value)),
                        value.is(Kind::null) ? R"({"exists": false} asks for a field that is not there)"
                                             : fmt::format(R"(write "{}")", shown(value.text)));
  return add(value, std::move(test), out);
}

bool ConditionParser::exactly(const PatternJson& operand, Condition& out) {
  if (!operand.is(Kind::string))
    return place_.wrong(operand.begin, "`exactly` takes a string",
                        operand.is_scalar() ? fmt::format("a plain value is equality: [{}]", shown(operand.text))
                                            : std::string{"list the values: [\"a\", \"b\"]"});
  return literal(operand, out);
}

bool ConditionParser::affix(Operator op, const PatternJson& operand, Condition& out) {
  if (!operand.is(Kind::object)) return text_test(op, operand, out);
  if (operand.members.size() != 1 || operand.members[0].name != name_of(Operator::equals_ignore_case))
    return place_.wrong(operand.begin, fmt::format("`{}` takes a string or `equals-ignore-case`", name_of(op)),
                        fmt::format(R"(write {{"{}": {{"equals-ignore-case": "a"}}}})", name_of(op)));
  const PatternMember& member = operand.members[0];
  const PatternPlace::Step step{place_, member.name};
  if (!text_test(Operator::equals_ignore_case, member.value, out)) return false;
  out.tests.back().kind = op == Operator::prefix ? Test::Kind::prefix : Test::Kind::suffix;
  return true;
}

bool ConditionParser::text_test(Operator op, const PatternJson& operand, Condition& out) {
  if (!operand.is(Kind::string)) return not_a_string(op, operand);
  Test test;
  test.text = operand.text;
  switch (op) {
    case Operator::prefix: test.kind = Test::Kind::prefix; break;
    case Operator::suffix: test.kind = Test::Kind::suffix; break;
    case Operator::wildcard:
      if (!check_wildcard(operand)) return false;
      test.kind = Test::Kind::wildcard;
      break;
    default: test.ignore_case = true; test.text = fold_case(operand.text);
  }
  return add(operand, std::move(test), out);
}

bool ConditionParser::check_wildcard(const PatternJson& operand) {
  const std::string_view text = operand.text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '*' && i + 1 < text.size() && text[i + 1] == '*')
      return place_.wrong(operand.begin, "two `*` in a row", "one `*` stands for any text");
    if (text[i] != '\\') continue;
    if (++i == text.size())
      return place_.wrong(operand.begin, "a wildcard ends with half an escape",
                          R"(a backslash is two, and in JSON four: "a\\\\")");
    if (text[i] != '*' && text[i] != '\\')
      return place_.wrong(operand.begin, R"(a wildcard escapes only `*` and `\`)",
                          R"(a backslash is two, and in JSON four: "a\\\\b")");
  }
  return true;
}

bool ConditionParser::numeric(const PatternJson& operand, Condition& out) {
  if (text_only_)
    return place_.wrong(operand.begin, "this field holds text: there are no numbers to compare",
                        R"(list the texts: ["5", "6"])");
  Test test;
  test.kind = Test::Kind::numeric;
  return parse_numeric(operand, place_, test.numbers) && add(operand, std::move(test), out);
}

bool ConditionParser::cidr(const PatternJson& operand, Condition& out) {
  if (!operand.is(Kind::string)) return not_a_string(Operator::cidr, operand);
  Test test;
  test.kind = Test::Kind::cidr;
  test.text = operand.text;
  if (const auto range = parse_cidr(operand.text)) {
    test.addresses = *range;
    return add(operand, std::move(test), out);
  }
  const std::string_view text = operand.text;
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address)
    return place_.wrong(operand.begin, fmt::format("`{}` is no IP address", shown(text.substr(0, slash))),
                        R"(write "10.0.0.0/8" or "2001:db8::/32")");
  const int bits = address->v6 ? 128 : 32;
  if (slash == std::string_view::npos)
    return place_.wrong(operand.begin, "`cidr` takes an address, a slash and a number of bits",
                        fmt::format(R"(the address alone is "{}/{}")", text, bits));
  return place_.wrong(operand.begin, fmt::format("`{}` is no number of bits", shown(text.substr(slash + 1))),
                      fmt::format("0 to {} of the address's bits count", bits));
}

bool ConditionParser::exists(const PatternJson& operand, Condition& out) {
  if (!operand.is(Kind::boolean))
    return place_.wrong(operand.begin, "`exists` is true or false",
                        operand.text == "true" || operand.text == "false"
                            ? fmt::format("write {} without quotes", operand.text)
                            : std::string{R"(write {"exists": true})"});
  out.kind = operand.text == "true" ? Condition::Kind::exists : Condition::Kind::absent;
  return count(operand);
}

bool ConditionParser::anything_but(const PatternJson& operand, Condition& out) {
  out.kind = Condition::Kind::anything_but;
  switch (operand.kind) {
    case Kind::string:
    case Kind::number: return literal(operand, out);
    case Kind::array: return anything_but_list(operand, out);
    case Kind::boolean:
      return place_.wrong(operand.begin, "`anything-but` takes strings or numbers",
                          fmt::format("write [{}]", operand.text == "true" ? "false" : "true"));
    case Kind::null:
      return place_.wrong(operand.begin, "`anything-but` takes strings or numbers", "list what the field may be");
    case Kind::object: break;
  }
  if (operand.members.size() != 1)
    return place_.wrong(operand.begin, "`anything-but` takes values or one condition",
                        R"(write {"anything-but": {"prefix": ["a", "b"]}})");
  const PatternPlace::Step step{place_, operand.members[0].name};
  return anything_but_operation(operand.members[0], out);
}

bool ConditionParser::anything_but_list(const PatternJson& list, Condition& out) {
  if (list.items.empty()) return place_.wrong(list.begin, "`anything-but` of nothing", R"(write {"exists": true})");
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const PatternPlace::Step step{place_, i};
    const PatternJson& item = list.items[i];
    if (item.is(Kind::object))
      return place_.wrong(item.begin, "a list in `anything-but` holds strings or numbers",
                          R"(write {"anything-but": {"prefix": ["a", "b"]}})");
    if (!item.is(Kind::string) && !item.is(Kind::number))
      return place_.wrong(item.begin, "a list in `anything-but` holds strings or numbers");
    if (item.kind != list.items[0].kind)
      return place_.wrong(item.begin, "strings and numbers in one `anything-but`",
                          "list only strings, or only numbers: the two are never equal");
    if (!literal(item, out)) return false;
  }
  return true;
}

bool ConditionParser::anything_but_operation(const PatternMember& member, Condition& out) {
  const auto op = find_operator(member.name);
  if (!op) return unknown_operator(member);
  const bool is_affix = *op == Operator::prefix || *op == Operator::suffix;
  if (!is_affix && *op != Operator::equals_ignore_case && *op != Operator::wildcard)
    return not_inside_anything_but(*op, member);
  const PatternJson& operand = member.value;
  const auto one = [&](const PatternJson& text) {
    if (is_affix && text.is(Kind::string) && text.text.empty())
      return place_.wrong(text.begin, fmt::format("an empty `{}` in `anything-but`: no text would match", member.name));
    if (is_affix && text.is(Kind::object))
      return place_.wrong(text.begin, fmt::format("`{}` in `anything-but` takes strings", member.name),
                          "upper and lower case count here; `equals-ignore-case` compares whole texts");
    return text_test(*op, text, out);
  };
  if (!operand.is(Kind::array)) return one(operand);
  if (operand.items.empty())
    return place_.wrong(operand.begin, "`anything-but` of nothing", R"(write {"exists": true})");
  for (std::size_t i = 0; i < operand.items.size(); ++i) {
    const PatternPlace::Step step{place_, i};
    if (!one(operand.items[i])) return false;
  }
  return true;
}

bool ConditionParser::not_inside_anything_but(Operator op, const PatternMember& member) {
  std::string_view hint;
  switch (op) {
    case Operator::exactly: hint = R"(write {"anything-but": "x"})"; break;
    case Operator::numeric: hint = R"(ask for both sides: {"numeric": ["<", 0]}, {"numeric": [">", 5]})"; break;
    case Operator::exists: hint = R"(write {"exists": false})"; break;
    case Operator::cidr: hint = "list the networks that are wanted"; break;
    default: hint = "one of them is enough"; break;
  }
  return place_.wrong(member.begin, fmt::format("`{}` cannot stand in `anything-but`", member.name), std::string{hint});
}

bool ConditionParser::add(const PatternJson& at, Test test, Condition& out) {
  if (!count(at)) return false;
  out.tests.push_back(std::move(test));
  return true;
}

bool ConditionParser::count(const PatternJson& at) {
  return ++tests_ <= most_tests_ ||
         place_.wrong(at.begin, fmt::format("more than {} conditions", most_tests_), "make several patterns of it");
}

bool ConditionParser::not_a_string(Operator op, const PatternJson& operand) {
  std::string hint;
  if (operand.is(Kind::array))
    hint = fmt::format(R"(one condition for each: {{"{0}": "a"}}, {{"{0}": "b"}})", name_of(op));
  else if (operand.is_scalar() && op != Operator::cidr)
    hint = fmt::format(R"(text is compared here, and no {} equals a text; write "{}" if a text is meant)",
                       operand.is(Kind::number) ? "number" : "other value", shown(operand.text));
  return place_.wrong(operand.begin, fmt::format("`{}` takes a string, not {}", name_of(op), kind_text(operand)),
                      std::move(hint));
}

bool ConditionParser::unknown_operator(const PatternMember& member) {
  if (const auto instead = instead_of_reserved(member.name); !instead.empty())
    return place_.wrong(member.begin, fmt::format("`{}` is not in this release", member.name), std::string{instead});
  std::string hint = guess_operator(member.name);
  if (hint.empty() && !member.value.is_scalar()) hint = objects_in_arrays;
  return place_.wrong(member.begin, fmt::format("there is no condition `{}`", shown(member.name)), std::move(hint));
}

bool ConditionParser::several_names(const PatternJson& item) {
  const bool conditions = std::ranges::any_of(
      item.members, [](const PatternMember& member) { return find_operator(member.name).has_value(); });
  return place_.wrong(item.members[1].begin, "a condition has one name",
                      conditions ? R"(one after the other they are "or": [{"prefix": "a"}, {"suffix": "b"}])"
                                 : std::string{objects_in_arrays});
}

}  // namespace continuo::routing
