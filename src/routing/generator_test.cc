#include "continuo/routing/generator_test.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace continuo::routing::oracle {
namespace {

using Kind = Json::Kind;

constexpr int max_depth = 4;

const std::vector<std::string>& all_names() {
  static const std::vector<std::string> names{"a",
                                              "b",
                                              "c",
                                              "d",
                                              "e",
                                              "ab",
                                              "abc",
                                              "\u00e9",
                                              "a b",
                                              "",
                                              "x\"y",
                                              "\\",
                                              std::string(70, 'n'),
                                              std::string(70, 'n') + "o",
                                              "type",
                                              "data"};
  return names;
}

std::string repeated(std::string_view piece, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += piece;
  return out;
}

// Families that share beginnings, ends, foldings, addresses and numbers.
const std::vector<std::vector<std::string>>& all_texts() {
  static const std::vector<std::vector<std::string>> texts{
      {"", "a", "ab", "abc", "abcabc", "b", "ba", "bc", "bca", "aab", "A", "AB", "aBc", "Abcabc", "cba", "c"},
      {"\u00df", "ss", "SS", "Stra\u00dfe", "STRASSE", "stra\u1e9ee", "\u017fs", "s", "strasse"},
      {"\u0130", "i\u0307", "i",  "I",      "\u0131", "\u03a3", "\u03c3", "\u03c2", "\u0391\u03a3", "\u03b1\u03c2",
       "\ufb01", "fi",      "FI", "\u212a", "k",      "K",      "\u01c5", "\u01c6", "\u1f88",       "\u1f00\u03b9"},
      {"10.0.0.1", "10.0.0.01", "010.000.000.001", "10.0.0.2", "10.0.1.1", "10.128.0.1", "255.255.255.255", "256.0.0.1",
       "10.0.0.0001", "10.0.0", "10.0.0.1.", "0.0.0.0", "10.0.0.1 "},
      {"::1", "0:0:0:0:0:0:0:1", "0000::0001", "2001:db8::1", "2001:DB8:0:0::1", "2001:db8:0:0:0:0:0:1", "2001:db8::2",
       "::ffff:10.0.0.1", "::ffff:a00:1", "::", "0::0", "1::", "2001:db8::1::", "2001:db8:::1", "1:2:3:4:5:6:7:8",
       "1:2:3:4:5:6:7:8:9", "12345::", "fe80::1%eth0", "1:2:3:4:5:6:7::"},
      {"1", "5", "5.0", "true", "false", "null", "[1,2]", "{\"a\":1}", "\"a\":5,", "}", "]", "{", ","},
      {"*", "a*b", "a\\b", "a\\*b", "a\"b", "a\nb", "\x01", "\\", "\\\\", "a/b", "\"", "\\\"", "a**b", "\x7f"},
      {"\U0001F600", "\U0001F601", "\u00e9", "\u00e8", "e\u0301", "\uffff", "\u0800", "a\u00e9b"},
      {repeated("ab", 40), repeated("ab", 40) + "c", "c" + repeated("ab", 40), repeated("AB", 40), repeated("a", 15),
       repeated("a", 16), repeated("a", 17), repeated("a", 31), repeated("a", 32), repeated("a", 33), repeated("a", 63),
       repeated("a", 64), repeated("a", 65)},
      {repeated("abc", 300), repeated("abc", 300) + "x", "x" + repeated("abc", 300), repeated("\u00df", 250),
       repeated("ss", 250), repeated("\\\"", 200)},
  };
  return texts;
}

const std::vector<std::vector<std::string>>& all_numbers() {
  static const std::vector<std::vector<std::string>> numbers{
      {"0", "-0.0", "0e5", "-0", "0.000", "5", "5.0", "5e0", "0.5e1", "50E-1", "5.00000", "-5", "5.1", "6", "4", "10"},
      {"100", "1e2", "1E+2", "100.0", "0.1e3", "300", "3e2", "299.999999999999999999", "99", "1000", "1e3", "-100"},
      {"12345678901234567890", "12345678901234567891", "12345678901234567890.0", "1234567890123456789e1",
       "9007199254740993", "9007199254740992", "9007199254740993.0", "-9007199254740993", "18446744073709551616"},
      {"0.1", "1e-1", "0.10000000000000001", "0.10", "1.0e-1", "0.2", "-0.1", "0.3", "0.30000000000000004"},
      {"1e400", "1e-400", "2e-400", "-1e400", "4.9e-324", "1.7976931348623157e308", "1e308", "10e399", "0e400"},
  };
  return numbers;
}

const std::array<std::string_view, 7> attribute_names{"id", "source", "type", "subject", "time", "tenant", "ext1"};

std::size_t code_point_size(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

std::vector<std::string> code_points(const std::string& text) {
  std::vector<std::string> points;
  for (std::size_t at = 0; at < text.size(); at += points.back().size())
    points.push_back(text.substr(at, code_point_size(text[at])));
  return points;
}

Json boolean(bool value) { return {Kind::boolean, value ? "true" : "false", {}, {}}; }

Json operation(std::string_view name, Json operand) {
  Json json = Json::object();
  json.add(name, std::move(operand));
  return json;
}

bool is_absence(const Json& condition) {
  return condition.is(Kind::object) && condition.names[0] == "exists" && condition.children[0].text == "false";
}

// Each name with a dot before it, so that an empty name is one too.
std::string joined(const std::string& path, const std::string& name) { return path + '.' + name; }

std::vector<std::string> sample(Random& random, const std::vector<std::vector<std::string>>& families,
                                std::size_t most) {
  std::vector<std::string> chosen;
  const auto& main = families[random.below(families.size())];
  const auto count = 2 + random.below(most);
  while (chosen.size() < count) {
    const auto& family = random.chance(3, 4) ? main : families[random.below(families.size())];
    chosen.push_back(family[random.below(family.size())]);
  }
  return chosen;
}

}  // namespace

Generator::Generator(std::uint64_t seed, Scope scope) : random_(seed), scope_(scope) {
  const auto names = 2 + random_.below(4);
  while (names_.size() < names)
    names_.push_back(random_.chance(4, 5) ? all_names()[random_.below(4)]
                                          : all_names()[random_.below(all_names().size())]);
  about_arrays_ = random_.chance(1, 3);
  texts_ = sample(random_, all_texts(), about_arrays_ ? 2 : 8);
  numbers_ = sample(random_, all_numbers(), 5);
}

// --- Pieces ---------------------------------------------------------------------------------------------------------

std::string Generator::field_name() {
  if (!random_.chance(1, 25)) return name();
  const std::string left = name();
  return left + '.' + name();
}

// A text, a beginning or an end of one, or two of them.
std::string Generator::piece() {
  const std::string& whole = text();
  switch (random_.below(4)) {
    case 0: return whole;
    case 1: return whole.size() < 100 ? whole + text() : whole;
    default: break;
  }
  const auto points = code_points(whole);
  if (points.empty()) return "a";
  const auto count = random_.below(points.size() + 1);
  const auto first = random_.chance(1, 2) ? 0 : points.size() - count;
  std::string out;
  for (std::size_t i = first; i < first + count; ++i) out += points[i];
  return out;
}

std::string Generator::wildcard() {
  const auto points = code_points(piece());
  const auto stars = 1 + random_.below(4);
  std::string out;
  bool star = false;
  for (std::size_t i = 0; i <= points.size(); ++i) {
    if (!star && random_.chance(stars, points.size() + 2)) {
      out += '*';
      star = true;
      if (random_.chance(1, 2)) continue;  // it stands for this one too
    }
    if (i == points.size()) break;
    if (points[i] == "*" || points[i] == "\\") out += '\\';
    out += points[i];
    star = false;
  }
  return out;
}

std::string Generator::network() {
  constexpr std::array<std::string_view, 9> four{"10.0.0.1", "10.0.0.0",   "255.255.255.255",
                                                 "0.0.0.0",  "10.128.0.1", "10.0.1.0",
                                                 "10.0.0.2", "128.0.0.0",  "9.255.255.255"};
  constexpr std::array<std::string_view, 6> six{"::1", "2001:db8::", "::ffff:10.0.0.1", "::", "2001:db8::2", "ffff::"};
  constexpr std::array<int, 9> bits{0, 1, 8, 9, 24, 30, 31, 32, 7};
  constexpr std::array<int, 8> six_bits{0, 1, 32, 64, 65, 126, 127, 128};
  if (random_.chance(2, 3))
    return std::string{four[random_.below(four.size())]} + '/' + std::to_string(bits[random_.below(bits.size())]);
  return std::string{six[random_.below(six.size())]} + '/' + std::to_string(six_bits[random_.below(six_bits.size())]);
}

// --- Events ---------------------------------------------------------------------------------------------------------

Json Generator::scalar() {
  switch (random_.below(8)) {
    case 0: return boolean(random_.chance(1, 2));
    case 1: return Json{};
    case 2:
    case 3: return Json::number(number());
    case 4: return Json::string(piece());
    default: return Json::string(text());
  }
}

Json Generator::value(int depth) {
  const auto which = random_.below(100);
  if (depth == max_depth || which < 58) return scalar();
  if (which < 80) {
    Json array = Json::array();
    for (std::uint64_t left = random_.below(random_.chance(1, 30) ? 30 : 4); left > 0; --left)
      array.add(value(depth + 1));
    return array;
  }
  return object(depth + 1);
}

Json Generator::object(int depth) {
  Json json = Json::object();
  for (std::uint64_t left = random_.below(5); left > 0; --left) {
    const std::string name = field_name();
    const bool twice = std::ranges::find(json.names, name) != json.names.end();
    if (!twice || random_.chance(1, 8)) json.add(name, value(depth));
  }
  return json;
}

Json Generator::headers(std::size_t most) {
  Json json = Json::object();
  for (std::uint64_t left = random_.below(most); left > 0; --left)
    json.add(field_name(), random_.chance(1, 12) ? Json{} : Json::string(piece()));
  return json;
}

Json Generator::event() {
  if (scope_ == Scope::json) return object(0);
  Json json = Json::object();
  for (const std::string_view name : attribute_names)
    if (random_.chance(1, 2)) json.add(name, Json::string(text()));
  if (random_.chance(1, 2)) json.add("key", Json::string(text()));
  if (random_.chance(3, 4)) json.add("headers", headers(4));
  if (random_.chance(3, 4)) json.add("data", random_.chance(1, 6) ? value(1) : object(1));
  return json;
}

// --- Patterns -------------------------------------------------------------------------------------------------------

Json Generator::pattern() {
  Paths used;
  return scope_ == Scope::json ? group("", 0, used) : attribute_group(used);
}

// `used` has the paths that have to hold together with this group's.
Json Generator::group(const std::string& path, int depth, Paths& used) {
  Json json = Json::object();
  for (std::uint64_t left = 1 + random_.below(3); left > 0; --left) {
    if (depth < max_depth && random_.chance(1, about_arrays_ ? 3 : 8)) {
      if (std::ranges::find(json.names, "$or") == json.names.end()) add_choice(json, path, depth, used);
    } else {
      add_field(json, path, field_name(), depth, used);
    }
  }
  // Nothing was free: a name that nothing else has.
  for (std::string spare = "z"; json.children.empty(); spare += 'z') add_field(json, path, spare, max_depth, used);
  return json;
}

void Generator::add_field(Json& group, const std::string& path, const std::string& name, int depth, Paths& used) {
  if (std::ranges::find(group.names, name) != group.names.end()) return;
  const std::string longer = joined(path, name);
  if (depth < max_depth && random_.chance(2, 5)) {
    group.add(name, this->group(longer, depth + 1, used));
  } else if (used.insert(longer).second) {
    group.add(name, conditions(false));
  }
}

void Generator::add_choice(Json& group, const std::string& path, int depth, Paths& used) {
  Json choices = Json::array();
  Paths together = used;
  for (std::uint64_t left = 2 + random_.below(2); left > 0; --left) {
    Paths inside = used;
    choices.add(this->group(path, depth + 1, inside));
    together.merge(inside);
  }
  used = std::move(together);
  group.add("$or", std::move(choices));
}

// Scope::event's first level.
Json Generator::attribute_group(Paths& used) {
  Json json = Json::object();
  for (std::uint64_t left = 1 + random_.below(3); left > 0; --left) {
    const std::string attribute{attribute_names[random_.below(attribute_names.size())]};
    if (random_.chance(1, 12) && std::ranges::find(json.names, "$or") == json.names.end()) {
      Json choices = Json::array();
      Paths together = used;
      for (int i = 0; i < 2; ++i) {
        Paths inside = used;
        choices.add(attribute_group(inside));
        together.merge(inside);
      }
      used = std::move(together);
      json.add("$or", std::move(choices));
    } else if (random_.chance(1, 2)) {
      if (random_.chance(1, 6) || std::ranges::find(json.names, "data") != json.names.end()) {
        add_field(json, "", "data", 0, used);
      } else {
        json.add("data", group(".data", 1, used));
      }
    } else if (random_.chance(1, 3)) {
      const std::string header = field_name();
      if (std::ranges::find(json.names, "headers") == json.names.end() && used.insert(".headers." + header).second)
        json.add("headers", operation(header, conditions(true)));
    } else if (const std::string name = random_.chance(1, 5) ? "key" : attribute; used.insert('.' + name).second) {
      json.add(name, conditions(true));
    }
  }
  if (json.children.empty()) {
    const std::string spare = "z" + std::to_string(used.size());
    used.insert('.' + spare);
    json.add(spare, conditions(true));
  }
  return json;
}

Json Generator::conditions(bool text_only) {
  Json json = Json::array();
  const auto most = random_.chance(1, 20) ? 12 : 3;
  for (std::uint64_t left = 1 + random_.below(static_cast<std::uint64_t>(most)); left > 0; --left)
    json.add(condition(text_only));
  return json;
}

Json Generator::condition(bool text_only) {
  const auto folded = [&] { return operation("equals-ignore-case", Json::string(piece())); };
  if (about_arrays_ && random_.chance(3, 4)) return Json::string(text());
  switch (random_.below(text_only ? 14 : 18)) {
    case 0: return operation("exactly", Json::string(text()));
    case 1: return operation("prefix", Json::string(piece()));
    case 2: return operation("suffix", Json::string(piece()));
    case 3: return operation("prefix", folded());
    case 4: return operation("suffix", folded());
    case 5: return folded();
    case 6: return operation("wildcard", Json::string(wildcard()));
    case 7: return operation("cidr", Json::string(network()));
    case 8: return operation("exists", boolean(random_.chance(1, 2)));
    case 9: return operation("anything-but", anything_but(text_only));
    case 10:
    case 11:
    case 12:
    case 13: return Json::string(text());
    case 14: return operation("numeric", numeric());
    case 15: return random_.chance(1, 2) ? boolean(random_.chance(1, 2)) : Json{};
    default: return Json::number(number());
  }
}

Json Generator::anything_but(bool text_only) {
  const auto list_of = [&](auto&& each) {
    if (random_.chance(1, 2)) return each();
    Json list = Json::array();
    for (std::uint64_t left = 1 + random_.below(4); left > 0; --left) list.add(each());
    return list;
  };
  const auto some = [&] {
    std::string text = piece();
    return Json::string(text.empty() ? "a" : text);  // an empty prefix would exclude every text: refused
  };
  switch (random_.below(text_only ? 6 : 8)) {
    case 0: return operation("prefix", list_of(some));
    case 1: return operation("suffix", list_of(some));
    case 2: return operation("equals-ignore-case", list_of(some));
    case 3: return operation("wildcard", list_of([&] { return Json::string(wildcard()); }));
    case 4:
    case 5: return list_of([&] { return Json::string(text()); });
    default: return list_of([&] { return Json::number(number()); });
  }
}

Json Generator::numeric() {
  const auto finite = [&] {
    const std::string& chosen = number();
    return std::isfinite(std::strtod(chosen.c_str(), nullptr)) ? chosen : std::string{"1e2"};
  };
  Json json = Json::array();
  std::string low = finite(), high = finite();
  if (std::strtod(low.c_str(), nullptr) > std::strtod(high.c_str(), nullptr)) std::swap(low, high);
  const double from = std::strtod(low.c_str(), nullptr), to = std::strtod(high.c_str(), nullptr);
  const bool two = from < to && random_.chance(1, 2);
  constexpr std::array<const char*, 5> signs{"=", "<", "<=", ">", ">="};
  const bool neighbours = std::nextafter(from, to) == to;  // nothing lies between them
  json.add(Json::string(two ? signs[neighbours ? 4 : 3 + random_.below(2)] : signs[random_.below(signs.size())]));
  json.add(Json::number(low));
  if (two) {
    json.add(Json::string(signs[1 + random_.below(2)]));
    json.add(Json::number(high));
  }
  return json;
}

// --- Events for a pattern -------------------------------------------------------------------------------------------

Json Generator::event_for(const Json& pattern) {
  Json json = Json::object();
  satisfy(pattern, json, scope_ == Scope::json);
  const Json more = event();
  for (std::size_t i = 0; i < more.children.size(); ++i) {
    const bool twice = std::ranges::find(json.names, more.names[i]) != json.names.end();
    const bool may_be_twice = scope_ == Scope::json && random_.chance(1, 10);
    if (random_.chance(1, 2) && (!twice || may_be_twice)) json.add(more.names[i], more.children[i]);
  }
  return json;
}

void Generator::satisfy(const Json& group, Json& event, bool below_data) {
  for (std::size_t i = 0; i < group.children.size(); ++i) {
    const std::string& name = group.names[i];
    const Json& wanted = group.children[i];
    const bool data = below_data || name == "data";
    if (name == "$or") {
      satisfy(wanted.children[random_.below(wanted.children.size())], event, below_data);
    } else if (random_.chance(1, 30) || std::ranges::find(event.names, name) != event.names.end()) {
      continue;  // hardly missed
    } else if (wanted.is(Kind::array)) {
      if (random_.chance(4, 5) || !is_absence(wanted.children[0])) event.add(name, satisfying(wanted, !data));
    } else if (data && random_.chance(about_arrays_ ? 3 : 1, 4)) {
      event.add(name, split_among_elements(wanted));
    } else {
      satisfy(wanted, event.add(name, Json::object()), data);
    }
  }
}

// Array elements of which each has some of what is wanted: often no one has all.
Json Generator::split_among_elements(const Json& group) {
  Json array = Json::array();
  for (std::uint64_t left = 1 + random_.below(about_arrays_ ? 5 : 3); left > 0; --left) {
    if (random_.chance(1, 6)) {
      array.add(scalar());
    } else if (random_.chance(1, 8)) {
      array.add(split_among_elements(group));
    } else {
      Json some = Json::object();
      for (std::size_t i = 0; i < group.children.size(); ++i)
        if (random_.chance(3, 5)) some.add(group.names[i], group.children[i]);
      satisfy(some, array.add(Json::object()), true);
    }
  }
  return array;
}

Json Generator::satisfying(const Json& conditions, bool text_only) {
  const Json& condition = conditions.children[random_.below(conditions.children.size())];
  Json value = condition;
  if (condition.is(Kind::object)) {
    const std::string& name = condition.names[0];
    if (name == "numeric") {
      value = Json::number(
          condition.children[0].children[random_.below(2) * 2 % condition.children[0].children.size() + 1].text);
    } else if (name == "exists" || name == "anything-but") {
      value = text_only ? Json::string(piece()) : scalar();
    } else {
      value = Json::string(matching_text(condition));
    }
  }
  if (text_only || random_.chance(3, 4)) return value;
  Json array = Json::array();
  if (random_.chance(1, 2)) array.add(this->value(max_depth - 1));
  array.add(std::move(value));
  if (random_.chance(1, 2)) array.add(this->value(max_depth - 1));
  return array;
}

std::string Generator::matching_text(const Json& condition) {
  const std::string& name = condition.names[0];
  const Json& operand = condition.children[0];
  const std::string& wanted = operand.is(Kind::object) ? operand.children[0].text : operand.text;
  if (name == "prefix") return wanted + piece();
  if (name == "suffix") return piece() + wanted;
  if (name == "cidr") return wanted.substr(0, wanted.find('/'));
  if (name != "wildcard") return wanted;
  std::string out;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == '*') {
      out += random_.chance(1, 2) ? piece() : "";
    } else {
      if (wanted[i] == '\\') ++i;
      out += wanted[i];
    }
  }
  return out;
}

}  // namespace continuo::routing::oracle
