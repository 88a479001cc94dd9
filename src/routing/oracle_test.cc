#include "continuo/routing/oracle_test.h"

#include <boost/multiprecision/cpp_int.hpp>
#include <utf8proc.h>

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

namespace continuo::routing::oracle {
namespace {

using Kind = Json::Kind;
using Names = std::vector<std::string>;

Names names_of(std::string_view path) {
  Names names{""};
  for (const char c : path) {
    if (c == '.') {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  return names;
}

// --- The event ------------------------------------------------------------------------------------------------------

Place place_of(const Json& json);

// The first of a name decides what it is; objects of the same name become one.
void merge(Place& context, const Json& object) {
  for (std::size_t i = 0; i < object.children.size(); ++i) {
    const Names names = names_of(object.names[i]);
    const Json& child = object.children[i];
    Place* place = &context;
    for (std::size_t level = 0; level + 1 < names.size() && place->kind == Kind::object; ++level)
      place = &place->names[names[level]];
    if (place->kind != Kind::object) continue;
    const auto found = place->names.find(names.back());
    if (found == place->names.end()) {
      place->names[names.back()] = place_of(child);
    } else if (found->second.kind == Kind::object && child.is(Kind::object)) {
      merge(found->second, child);
    }
  }
}

Place place_of(const Json& json) {
  Place place{json.kind, json.text, {}, {}, {}};
  if (json.is(Kind::object)) merge(place, json);
  if (json.is(Kind::array))
    for (const Json& element : json.children) place.elements.push_back(place_of(element));
  return place;
}

// --- Its values -----------------------------------------------------------------------------------------------------

// Through which element of which array a value was reached, outermost first.
using Way = std::vector<std::pair<const Place*, std::size_t>>;

struct Found {
  Json value;
  Way way;
};

void collect(const Place& place, std::span<const std::string> names, const Way& way, std::vector<Found>& out) {
  if (names.empty())
    for (const Json& value : place.values) out.push_back({value, way});
  if (place.kind == Kind::array) {
    for (std::size_t i = 0; i < place.elements.size(); ++i) {
      Way inner = way;
      inner.emplace_back(&place, i);
      collect(place.elements[i], names, inner, out);
    }
  } else if (place.kind == Kind::object) {
    if (names.empty()) return;
    const auto found = place.names.find(names.front());
    if (found != place.names.end()) collect(found->second, names.subspan(1), way, out);
  } else if (names.empty()) {
    out.push_back({Json{place.kind, place.text, {}, {}}, way});
  }
}

bool together(const Way& left, const Way& right) {
  for (const auto& [array, element] : left)
    for (const auto& [other_array, other_element] : right)
      if (array == other_array && element != other_element) return false;
  return true;
}

// Whether there is one way of each, such that all of them go together.
bool can_choose(std::span<const std::vector<Way>> fields, std::vector<Way>& chosen) {
  if (fields.empty()) return true;
  for (const Way& way : fields.front()) {
    if (!std::ranges::all_of(chosen, [&](const Way& other) { return together(way, other); })) continue;
    chosen.push_back(way);
    if (can_choose(fields.subspan(1), chosen)) return true;
    chosen.pop_back();
  }
  return false;
}

// --- What a value may be asked --------------------------------------------------------------------------------------

// Digits without zeros at either end, and how often ten goes on top.
struct Decimal {
  bool negative = false;
  std::string digits;
  boost::multiprecision::cpp_int power;
  bool operator==(const Decimal&) const = default;
};

Decimal decimal_of(std::string_view text) {
  Decimal decimal;
  if (text.starts_with('-')) {
    decimal.negative = true;
    text.remove_prefix(1);
  }
  if (const auto e = text.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view power = text.substr(e + 1);
    const bool down = power.starts_with('-');
    if (power.starts_with('-') || power.starts_with('+')) power.remove_prefix(1);
    while (power.size() > 1 && power.starts_with('0')) power.remove_prefix(1);  // else octal
    decimal.power = boost::multiprecision::cpp_int{std::string{power}};
    if (down) decimal.power = -decimal.power;
    text = text.substr(0, e);
  }
  for (std::size_t i = 0, point = text.size(); i < text.size(); ++i) {
    if (text[i] == '.') {
      point = i;
    } else {
      decimal.digits += text[i];
      if (i > point) --decimal.power;
    }
  }
  while (decimal.digits.ends_with('0')) {
    decimal.digits.pop_back();
    ++decimal.power;
  }
  decimal.digits.erase(0, decimal.digits.find_first_not_of('0'));
  if (decimal.digits.empty()) return {};
  return decimal;
}

std::string folded(const std::string& text) {
  utf8proc_uint8_t* bytes = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &bytes, UTF8PROC_CASEFOLD);
  EXPECT_GE(size, 0) << text;
  std::string out{reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(std::max<utf8proc_ssize_t>(size, 0))};
  std::free(bytes);
  return out;
}

using Address = std::vector<unsigned char>;  // 4 or 16 bytes

std::optional<Address> v4(const std::string& text) {
  const Names parts = names_of(text);
  if (parts.size() != 4) return std::nullopt;
  Address address;
  for (const std::string& part : parts) {
    if (part.empty() || part.size() > 3 || part.find_first_not_of("0123456789") != std::string::npos)
      return std::nullopt;
    const int number = std::stoi(part);
    if (number > 255) return std::nullopt;
    address.push_back(static_cast<unsigned char>(number));
  }
  return address;
}

std::optional<Address> address_of(const std::string& text) {
  if (auto address = v4(text)) return address;
  std::array<unsigned char, 16> bytes{};
  if (text.contains('\0') || inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return std::nullopt;
  return Address{bytes.begin(), bytes.end()};
}

bool in_network(const std::string& network, const std::string& text) {
  const auto slash = network.find('/');
  const auto base = address_of(network.substr(0, slash));
  const auto address = address_of(text);
  EXPECT_TRUE(base.has_value()) << network;
  if (!base || !address || base->size() != address->size()) return false;
  const int bits = std::stoi(network.substr(slash + 1));
  for (int bit = 0; bit < bits; ++bit) {
    const auto byte = static_cast<std::size_t>(bit / 8);
    if ((((*base)[byte] ^ (*address)[byte]) >> (7 - bit % 8) & 1) != 0) return false;
  }
  return true;
}

bool equal(const Json& literal, const Json& value) {
  if (literal.kind != value.kind) return false;
  if (literal.is(Kind::number)) return decimal_of(literal.text) == decimal_of(value.text);
  if (literal.text == value.text) return true;
  const auto address = literal.is(Kind::string) ? address_of(literal.text) : std::nullopt;
  return address && address == address_of(value.text);
}

bool numbers_hold(const Json& comparisons, const Json& value) {
  if (!value.is(Kind::number)) return false;
  const double number = std::strtod(value.text.c_str(), nullptr);
  for (std::size_t i = 0; i + 1 < comparisons.children.size(); i += 2) {
    const std::string& sign = comparisons.children[i].text;
    const double bound = std::strtod(comparisons.children[i + 1].text.c_str(), nullptr);
    if (sign == "=" && !(number == bound)) return false;
    if (sign == "<" && !(number < bound)) return false;
    if (sign == "<=" && !(number <= bound)) return false;
    if (sign == ">" && !(number > bound)) return false;
    if (sign == ">=" && !(number >= bound)) return false;
  }
  return true;
}

// Row by row: which beginnings of the text the first pieces of the wildcard can be.
bool wildcard_holds(std::string_view wildcard, std::string_view text) {
  std::vector<char> reached(text.size() + 1, 0);
  reached[0] = 1;
  for (std::size_t i = 0; i < wildcard.size(); ++i) {
    std::vector<char> next(text.size() + 1, 0);
    if (wildcard[i] == '*') {
      for (std::size_t end = 0; end <= text.size(); ++end)
        next[end] = static_cast<char>(reached[end] != 0 || (end > 0 && next[end - 1] != 0));
    } else {
      if (wildcard[i] == '\\') ++i;
      for (std::size_t end = 1; end <= text.size(); ++end)
        next[end] = static_cast<char>(reached[end - 1] != 0 && text[end - 1] == wildcard[i]);
    }
    reached = std::move(next);
  }
  return reached.back() != 0;
}

bool affix_holds(bool prefix, const Json& operand, const Json& value) {
  if (!value.is(Kind::string)) return false;
  std::string affix = operand.text, text = value.text;
  if (operand.is(Kind::object)) {  // {"equals-ignore-case": ...}
    affix = folded(operand.children[0].text);
    text = folded(text);
  }
  return prefix ? text.starts_with(affix) : text.ends_with(affix);
}

// Scalar, list, or either of them under one more operator.
bool anything_but(const Json& operand, const Json& value) {
  if (operand.is(Kind::array))
    return std::ranges::none_of(operand.children, [&](const Json& each) { return meets(each, value); });
  if (operand.is_scalar()) return !meets(operand, value);
  const Json& inner = operand.children[0];
  const auto passes_it = [&](const Json& each) {
    Json condition = Json::object();
    condition.add(operand.names[0], each);
    return meets(condition, value);
  };
  return inner.is(Kind::array) ? std::ranges::none_of(inner.children, passes_it) : !passes_it(inner);
}

}  // namespace

bool meets(const Json& condition, const Json& value) {
  if (condition.is_scalar()) return equal(condition, value);
  const std::string& name = condition.names.at(0);
  const Json& operand = condition.children.at(0);
  if (name == "exactly") return equal(operand, value);
  if (name == "exists") return operand.text == "true";
  if (name == "anything-but") return anything_but(operand, value);
  if (name == "numeric") return numbers_hold(operand, value);
  if (name == "prefix" || name == "suffix") return affix_holds(name == "prefix", operand, value);
  if (!value.is(Kind::string)) return false;
  if (name == "cidr") return in_network(operand.text, value.text);
  if (name == "equals-ignore-case") return folded(operand.text) == folded(value.text);
  if (name == "wildcard") return wildcard_holds(operand.text, value.text);
  ADD_FAILURE() << "the oracle does not know " << name;
  return false;
}

// --- Patterns -------------------------------------------------------------------------------------------------------

Oracle::Oracle(std::string_view pattern) : rules_(expand(read(pattern), {})) {}

std::vector<Oracle::Rule> Oracle::expand(const Json& object, const Names& above) {
  std::vector<Rule> rules{Rule{}};
  for (std::size_t i = 0; i < object.children.size(); ++i) {
    const Json& child = object.children[i];
    Names names = above;
    std::vector<Rule> any;
    if (object.names[i] == "$or") {
      for (const Json& choice : child.children) std::ranges::copy(expand(choice, above), std::back_inserter(any));
    } else {
      std::ranges::copy(names_of(object.names[i]), std::back_inserter(names));
      if (child.is(Kind::object)) {
        any = expand(child, names);
      } else {
        any.push_back({Field{names, child}});
      }
    }
    std::vector<Rule> product;
    for (const Rule& left : rules) {
      for (const Rule& right : any) {
        product.push_back(left);
        product.back().insert(product.back().end(), right.begin(), right.end());
      }
    }
    rules = std::move(product);
  }
  return rules;
}

bool Oracle::matches(const Rule& rule, const Place& event) {
  std::vector<std::vector<Way>> fields;
  for (const Field& field : rule) {
    std::vector<Found> found;
    collect(event, field.names, {}, found);
    const auto is_absence = [](const Json& condition) {
      return condition.is(Kind::object) && condition.names[0] == "exists" && condition.children[0].text == "false";
    };
    if (found.empty() && std::ranges::any_of(field.conditions.children, is_absence)) continue;
    std::vector<Way>& ways = fields.emplace_back();
    for (const Found& each : found)
      if (std::ranges::any_of(field.conditions.children,
                              [&](const Json& condition) { return meets(condition, each.value); }))
        ways.push_back(each.way);
    if (ways.empty()) return false;
  }
  std::vector<Way> chosen;
  return can_choose(fields, chosen);
}

bool Oracle::matches(const Place& event) const {
  return std::ranges::any_of(rules_, [&](const Rule& rule) { return matches(rule, event); });
}

// --- Events ---------------------------------------------------------------------------------------------------------

Place event_of(const Json& json) { return json.is(Kind::object) ? place_of(json) : Place{}; }

Place event_of(const Input& input) {
  const record::Event& event = *input.event;
  Json all = Json::object();
  const auto attribute = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) all.add(name, Json::string(value));
  };
  attribute("specversion", "1.0");
  attribute("id", event.id);
  attribute("source", event.source);
  attribute("type", event.type);
  attribute("subject", event.subject);
  attribute("time", event.time);
  attribute("datacontenttype", event.datacontenttype);
  attribute("dataschema", event.dataschema);
  for (const record::Extension& extension : event.extensions) attribute(extension.name, extension.value);
  if (input.key) all.add("key", Json::string(*input.key));
  if (event.data_kind == record::DataKind::json)
    if (auto data = read_if_any(event.data)) all.add("data", std::move(*data));
  Place place = place_of(all);
  if (input.record == nullptr) return place;
  record::HeaderWalk walk{*input.record};
  while (const auto header = walk.next()) {
    Place* at = &place.names["headers"];
    for (const std::string& name : names_of(header->key)) at = &at->names[name];
    at->values.push_back(header->value ? Json::string(*header->value) : Json{});
  }
  return place;
}

// --- The oracle itself, against what is written down of the language ------------------------------------------------

namespace {

struct Row {
  const char* pattern;
  const char* event;
  bool matches;
};

// reference/routing-cdc.md 1.1, and where Continuo decided otherwise.
constexpr Row rows[] = {
    {R"({"a":[{"exists":false}]})", R"({"a":[]})", true},
    {R"({"a":[{"exists":false}]})", R"({"a":{}})", true},
    {R"({"a":[{"exists":false}]})", R"({"a":{"b":1}})", true},
    {R"({"a":[{"exists":false}]})", R"({"a":[{"b":1},[2]]})", false},
    {R"({"a":[{"exists":true}]})", R"({"a":null})", true},
    {R"({"a":[5]})", R"({"a":5.0})", true},
    {R"({"a":[5]})", R"({"a":5e0})", true},
    {R"({"a":[100]})", R"({"a":1e2})", true},
    {R"({"a":[5]})", R"({"a":"5"})", false},
    {R"({"a":[0]})", R"({"a":-0.0})", true},
    {R"({"a":[12345678901234567890]})", R"({"a":12345678901234567890.0})", true},
    {R"({"a":[12345678901234567890]})", R"({"a":12345678901234567891})", false},
    {R"({"a":[{"anything-but":"x"}]})", R"({"a":null})", true},
    {R"({"a":[{"anything-but":"x"}]})", R"({"a":["x","y"]})", true},
    {R"({"a":[{"anything-but":"x"}]})", R"({"a":["x","x"]})", false},
    {R"({"a":[{"anything-but":"x"}]})", R"({"b":1})", false},
    {R"({"a":[{"anything-but":{"prefix":["x","y"]}}]})", R"({"a":"yes"})", false},
    {R"({"a":["10.0.0.1"]})", R"({"a":"10.0.0.01"})", true},
    {R"({"a":["2001:db8::1"]})", R"({"a":"2001:0DB8:0:0:0:0:0:1"})", true},
    {R"({"a":[{"cidr":"10.0.0.0/9"}]})", R"({"a":"10.127.0.1"})", true},
    {R"({"a":[{"cidr":"10.0.0.0/9"}]})", R"({"a":"10.128.0.1"})", false},
    {R"({"a":[1]})", R"({"a":2,"a":1})", false},
    {R"({"a":["A"]})", R"({"a":"\u0041"})", true},
    {R"({"a":[1]})", R"({"a":[[2,[1]]]})", true},
    {R"({"a":[{"equals-ignore-case":"stra\u00dfe"}]})", R"({"a":"STRASSE"})", true},
    {R"({"a":[{"suffix":{"equals-ignore-case":"\u03a3"}}]})", R"({"a":"\u03bf\u03c2"})", true},
    {R"({"a":[{"wildcard":""}]})", R"({"a":"x"})", false},
    {R"({"a":[{"wildcard":""}]})", R"({"a":""})", true},
    {R"({"a":[{"wildcard":"*"}]})", R"({"a":1})", false},
    {R"({"a":[{"wildcard":"a*b*\\*"}]})", R"({"a":"a-b-b*"})", true},
    {R"({"a":[{"numeric":[">",1,"<=",5]}]})", R"({"a":5.0})", true},
    {R"({"a":[{"numeric":[">",1,"<=",5]}]})", R"({"a":1})", false},
    {R"({"a.b":[1]})", R"({"a":{"b":1}})", true},
    {R"({"a":{"b":[1]}})", R"({"a.b":1})", true},
    {R"({"a":{"b":[1],"c":[2]}})", R"({"a":[{"b":1,"c":3},{"b":3,"c":2}]})", false},
    {R"({"a":{"b":[1],"c":[2]}})", R"({"a":[{"b":[1,3],"c":[3,2]}]})", true},
    {R"({"a":[5],"a.b":[1]})", R"({"a":[5,{"b":1}]})", false},
    {R"({"a":{"b":[1],"c":[{"exists":false}]}})", R"({"a":[{"b":1},{"c":2}]})", false},
    {R"({"a":{"b":[1],"c":[2]}})", R"({"a":{"b":1},"a":{"b":2,"c":2}})", true},
    {R"({"a":{"b":[1]}})", R"({"a":5,"a":{"b":1}})", false},
    {R"({"a":[5]})", R"({"a.b":1,"a":5})", false},
    {R"({"$or":[{"a":[1]},{"b":[2]}],"c":[3]})", R"({"b":2,"c":3})", true},
    {R"({"$or":[{"a":[1]},{"b":[2]}],"c":[3]})", R"({"b":2,"c":4})", false},
    {R"({"x":{"$or":[{"a":[1]},{"b":[2],"$or":[{"c":[3]},{"d":[4]}]}]}})", R"({"x":{"b":2,"d":4}})", true},
    {R"({"x":{"$or":[{"a":[1]},{"b":[2],"$or":[{"c":[3]},{"d":[4]}]}]}})", R"({"x":{"b":2,"d":3}})", false},
};

TEST(Oracle, KnowsTheLanguage) {
  for (const Row& row : rows)
    EXPECT_EQ(Oracle{row.pattern}.matches(event_of(read(row.event))), row.matches) << row.pattern << ' ' << row.event;
}

}  // namespace
}  // namespace continuo::routing::oracle
