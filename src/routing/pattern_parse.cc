#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_set>
#include <utility>

#include "continuo/routing/condition_parse.h"
#include "continuo/routing/event_names.h"
#include "continuo/routing/operator_names.h"
#include "continuo/routing/pattern.h"
#include "continuo/routing/pattern_json.h"
#include "continuo/routing/pattern_place.h"

namespace continuo::routing {
namespace {

using Kind = PatternJson::Kind;

constexpr std::string_view or_name = "$or";
constexpr std::string_view or_form = R"(write "$or": [{"a": ["x"]}, {"b": ["y"]}])";

// The paths that are tested together with what is read now: those of this group, and of the groups around it.
struct Held {
  const Held* outer = nullptr;
  std::set<std::string> paths;

  bool has(const std::string& path) const { return paths.contains(path) || (outer != nullptr && outer->has(path)); }
};

// Where in an event a part of the pattern looks.
struct Prefix {
  std::string path;
  bool empty = true;  // a path may be the empty name
  bool text_only = false;
};

bool is_comparison(const PatternJson& item) {
  return item.is(Kind::string) &&
         (item.text == "=" || item.text == "<" || item.text == "<=" || item.text == ">" || item.text == ">=");
}

// An array can be the values of a field, or the operand of an operator that was written in a field's place. For what no
// field is named, it is the latter.
bool is_operand(std::string_view name, const PatternJson& array) {
  if (name == name_of(Operator::anything_but)) return true;
  return name == name_of(Operator::numeric) && !array.items.empty() && is_comparison(array.items[0]);
}

class PatternParser {
 public:
  PatternParser(std::string_view text, Scope scope, const PatternLimits& limits)
      : text_(text), scope_(scope), limits_(limits), place_(text), conditions_(text, place_, limits.conditions) {}

  bool parse(const PatternJson& json, Group& out) {
    if (!json.is(Kind::object))
      return place_.wrong(json.begin, "a pattern is an object", R"(write {"type": ["OrderPaid"]})");
    if (json.members.empty())
      return place_.wrong(json.begin, "a pattern asks for something", R"(write {"type": ["OrderPaid"]})");
    Held held;
    return group(json, Prefix{}, 1, held, out);
  }
  const Error& error() const { return place_.error(); }

 private:
  bool group(const PatternJson& object, const Prefix& prefix, std::size_t depth, Held& held, Group& out);
  bool member(const PatternMember& member, const Prefix& prefix, std::size_t depth, Held& held, Group& out);
  bool choice(const PatternMember& member, const Prefix& prefix, std::size_t depth, Held& held, Group& out);
  bool field(const PatternMember& member, const Prefix& prefix, Held& held, Group& out);
  /// `prefix` with the name behind it.
  bool extend(const Prefix& prefix, const PatternMember& member, Prefix& out);
  bool event_name(const PatternMember& member, Prefix& out);

  bool check_depth(const PatternJson& at, std::size_t depth);
  bool not_in_an_array(const PatternMember& member);
  bool operator_as_name(const PatternMember& member);
  bool unknown_choice(const PatternMember& member);
  std::string source_of(const PatternJson& value) const {
    return shown(compact_json(text_.substr(value.begin, value.end - value.begin)));
  }

  std::string_view text_;
  Scope scope_;
  const PatternLimits& limits_;
  PatternPlace place_;
  ConditionParser conditions_;
  std::size_t fields_ = 0;
};

bool PatternParser::group(const PatternJson& object, const Prefix& prefix, std::size_t depth, Held& held, Group& out) {
  if (!check_depth(object, depth)) return false;
  if (object.members.empty())
    return place_.wrong(object.begin, "an empty object asks for nothing",
                        R"([{"exists": true}] asks for any value of a field, but for none of an object)");
  std::unordered_set<std::string_view> names;
  for (const PatternMember& each : object.members) {
    const PatternPlace::Step step{place_, each.name};
    if (!names.insert(each.name).second)
      return place_.wrong(each.begin, fmt::format("`{}` is there twice", shown(each.name)),
                          "one object or one array holds all that is said of it");
    if (!member(each, prefix, depth, held, out)) return false;
  }
  return true;
}

bool PatternParser::member(const PatternMember& member, const Prefix& prefix, std::size_t depth, Held& held,
                           Group& out) {
  if (member.name == or_name) return choice(member, prefix, depth, held, out);
  if (member.value.is_scalar()) return not_in_an_array(member);
  if (member.name.starts_with('$') && !unknown_choice(member)) return false;
  if (member.value.is(Kind::array)) return field(member, prefix, held, out);
  Prefix inner;
  return extend(prefix, member, inner) && group(member.value, inner, depth + 1, held, out);
}

bool PatternParser::choice(const PatternMember& member, const Prefix& prefix, std::size_t depth, Held& held,
                           Group& out) {
  const PatternJson& array = member.value;
  if (!check_depth(array, depth + 1)) return false;
  if (!array.is(Kind::array))
    return place_.wrong(array.begin, "`$or` takes an array of at least two objects", std::string{or_form});
  if (array.items.size() == 1)
    return place_.wrong(array.begin, "`$or` has one member: there is nothing to choose",
                        "write its fields without `$or`");
  if (array.items.empty()) return place_.wrong(array.begin, "an empty `$or`", std::string{or_form});
  std::set<std::string> all;
  auto& groups = out.choices.emplace_back();
  for (std::size_t i = 0; i < array.items.size(); ++i) {
    const PatternPlace::Step step{place_, i};
    const PatternJson& item = array.items[i];
    if (!item.is(Kind::object))
      return place_.wrong(item.begin, "`$or` chooses between objects",
                          R"(the values of one field stand in its array, and are "or" there: "a": ["x", "y"])");
    Held inner{&held, {}};
    Group read;
    if (!group(item, prefix, depth + 1, inner, read)) return false;
    groups.push_back(std::move(read));
    all.merge(inner.paths);
  }
  held.paths.merge(all);
  return true;
}

bool PatternParser::field(const PatternMember& member, const Prefix& prefix, Held& held, Group& out) {
  if (is_operand(member.name, member.value)) return operator_as_name(member);
  Prefix whole;
  if (!extend(prefix, member, whole)) return false;
  if (++fields_ > limits_.fields)
    return place_.wrong(member.begin, fmt::format("more than {} fields", limits_.fields),
                        "make several patterns of it");
  if (held.has(whole.path))
    return place_.wrong(member.begin,
                        fmt::format("`{}` is tested twice by what has to hold together", shown(whole.path)),
                        "put all of its conditions into one array; alternatives of one `$or` may test the same field");
  Field read;
  if (!conditions_.parse(member.value, whole.text_only, read.conditions)) return false;
  held.paths.insert(whole.path);
  read.path = std::move(whole.path);
  out.fields.push_back(std::move(read));
  return true;
}

bool PatternParser::extend(const Prefix& prefix, const PatternMember& member, Prefix& out) {
  out.text_only = prefix.text_only;
  if (prefix.empty && scope_ == Scope::event && !event_name(member, out)) return false;
  out.path = prefix.empty ? member.name : prefix.path + '.' + member.name;
  out.empty = false;
  return out.path.size() <= limits_.path_bytes ||
         place_.wrong(member.begin, fmt::format("the field's path has more than {} bytes", limits_.path_bytes));
}

bool PatternParser::event_name(const PatternMember& member, Prefix& out) {
  const std::size_t dot = member.name.find('.');
  const std::string first = member.name.substr(0, dot);
  const bool has_fields = dot != std::string::npos || member.value.is(Kind::object);
  const auto part = find_event_part(first);
  if (!part)
    return place_.wrong(member.begin, fmt::format("events have no attribute `{}`", shown(first)),
                        guess_event_name(first, has_fields));
  out.text_only = *part != EventPart::data;
  if (*part == EventPart::attribute && has_fields) {
    const auto& members = member.value.members;
    if (members.size() == 1 && find_operator(members[0].name)) return operator_as_name(members[0]);
    return place_.wrong(member.begin, fmt::format("`{}` is one text, it has no fields", first),
                        guess_event_name(first, true));
  }
  if (*part == EventPart::headers && !has_fields)
    return place_.wrong(member.value.begin, "`headers` is an object: headers by their names",
                        R"(write "headers": {"region": ["eu"]})");
  return true;
}

bool PatternParser::check_depth(const PatternJson& at, std::size_t depth) {
  return depth <= limits_.depth || place_.wrong(at.begin, fmt::format("nested deeper than {} levels", limits_.depth));
}

bool PatternParser::not_in_an_array(const PatternMember& member) {
  if (find_operator(member.name)) return operator_as_name(member);
  return place_.wrong(member.value.begin, "the values of a field stand in an array",
                      fmt::format("write [{}]", source_of(member.value)));
}

bool PatternParser::operator_as_name(const PatternMember& member) {
  return place_.wrong(
      member.begin, fmt::format("`{}` stands where a field's name is expected", member.name),
      fmt::format(R"(conditions stand in the field's array: [{{"{}": {}}}])", member.name, source_of(member.value)));
}

// Names that begin with a dollar are names of fields like others, unless what they hold shows that they are not.
bool PatternParser::unknown_choice(const PatternMember& member) {
  const auto& items = member.value.items;
  const auto holds_fields = [](const PatternJson& item) {
    return item.is(Kind::object) && !item.members.empty() && !item.members[0].value.is_scalar() &&
           !find_operator(item.members[0].name);
  };
  if (items.empty() || !holds_fields(items[0])) return true;
  return place_.wrong(
      member.begin, fmt::format("there is no `{}`", shown(member.name)),
      member.name == "$and" ? R"(fields that stand beside each other are "and")" : "did you mean `$or`");
}

}  // namespace

Result<Pattern> Pattern::parse(std::string_view json, Scope scope, const PatternLimits& limits) {
  if (json.size() > limits.bytes)
    return fail(Code::bad_pattern, fmt::format("the pattern has more than {} bytes", limits.bytes), {},
                "make several patterns of it");
  // Each level may be an object in an array, and conditions have some of their own.
  auto tree = read_pattern_json(json, 2 * limits.depth + 8);
  if (!tree) return pass(tree);
  Pattern pattern;
  pattern.scope_ = scope;
  pattern.source_ = json;
  PatternParser parser{json, scope, limits};
  if (!parser.parse(*tree, pattern.root_)) return std::unexpected(parser.error());
  return pattern;
}

}  // namespace continuo::routing
