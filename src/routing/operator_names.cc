#include "continuo/routing/operator_names.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "continuo/base/edit_distance.h"

namespace continuo::routing {
namespace {

// In the order of Operator.
constexpr std::array<std::string_view, 9> names{
    "exactly", "prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but", "numeric", "cidr", "exists"};

using Row = std::pair<std::string_view, std::string_view>;

// Event Ruler keeps these for later.
constexpr Row reserved[] = {
    {"regex", R"(most of what it is used for, `wildcard` can do: {"wildcard": "a*b"})"},
    {"not-wildcard", R"(write {"anything-but": {"wildcard": "a*b"}})"},
    {"not-equals-ignore-case", R"(write {"anything-but": {"equals-ignore-case": "x"}})"},
    {"date-after", "times are text here: the beginning of a time can be asked by `prefix`"},
    {"date-before", "times are text here: the beginning of a time can be asked by `prefix`"},
    {"date-in-range", "times are text here: the beginning of a time can be asked by `prefix`"},
    {"ip-address-in-range", R"(write {"cidr": "10.0.0.0/8"})"},
    {"ip-address-not-in-range", "addresses can be asked by `cidr`, and not for what they are not"},
};

// What other languages call it. Without hyphens and in lower case.
constexpr Row elsewhere[] = {
    {"equals", "a plain value is equality: [\"x\"]"},
    {"equal", "a plain value is equality: [\"x\"]"},
    {"eq", "a plain value is equality: [\"x\"]"},
    {"is", "a plain value is equality: [\"x\"]"},
    {"in", "list the values: [\"x\", \"y\"]"},
    {"anyof", "list the values: [\"x\", \"y\"]"},
    {"oneof", "list the values: [\"x\", \"y\"]"},
    {"not", "did you mean `anything-but`"},
    {"notin", "did you mean `anything-but`"},
    {"notequals", "did you mean `anything-but`"},
    {"ne", "did you mean `anything-but`"},
    {"startswith", "did you mean `prefix`"},
    {"beginswith", "did you mean `prefix`"},
    {"endswith", "did you mean `suffix`"},
    {"contains", R"(did you mean {"wildcard": "*x*"})"},
    {"like", "did you mean `wildcard`"},
    {"glob", "did you mean `wildcard`"},
    {"matches", "did you mean `wildcard`"},
    {"ignorecase", "did you mean `equals-ignore-case`"},
    {"between", R"(did you mean {"numeric": [">=", 1, "<=", 5]})"},
    {"range", R"(did you mean {"numeric": [">=", 1, "<=", 5]})"},
    {"number", "did you mean `numeric`"},
    {"gt", R"(did you mean {"numeric": [">", 5]})"},
    {"gte", R"(did you mean {"numeric": [">=", 5]})"},
    {"lt", R"(did you mean {"numeric": ["<", 5]})"},
    {"lte", R"(did you mean {"numeric": ["<=", 5]})"},
    {">", R"(did you mean {"numeric": [">", 5]})"},
    {">=", R"(did you mean {"numeric": [">=", 5]})"},
    {"<", R"(did you mean {"numeric": ["<", 5]})"},
    {"<=", R"(did you mean {"numeric": ["<=", 5]})"},
    {"=", R"(did you mean {"numeric": ["=", 5]})"},
    {"ip", "did you mean `cidr`"},
    {"ipaddress", "did you mean `cidr`"},
    {"subnet", "did you mean `cidr`"},
    {"isnull", "a plain null asks for null: [null]"},
    {"$or", "`$or` stands among the names of fields; the values of one field go into its array"},
};

std::string_view find_row(std::span<const Row> rows, std::string_view name) {
  const auto row = std::ranges::find(rows, name, &Row::first);
  return row == rows.end() ? std::string_view{} : row->second;
}

// "Anything_But" and "anythingBut" as "anythingbut".
std::string bare(std::string_view name) {
  std::string out;
  for (const char c : name)
    if (c != '-' && c != '_' && c != ' ') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return out;
}

}  // namespace

std::optional<Operator> find_operator(std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Operator>(found - names.begin());
}

std::string_view name_of(Operator op) { return names[static_cast<std::size_t>(op)]; }

std::string_view instead_of_reserved(std::string_view name) { return find_row(reserved, name); }

std::string guess_operator(std::string_view name) {
  constexpr std::size_t longest = 40;  // no operator has as many letters
  if (name.size() > longest) return {};
  const std::string wanted = bare(name);
  if (const auto text = find_row(elsewhere, wanted); !text.empty()) return std::string{text};
  std::string_view nearest;
  std::size_t least = std::max<std::size_t>(1, wanted.size() / 3) + 1;
  for (const std::string_view candidate : names) {
    const std::size_t distance = edit_distance(wanted, bare(candidate));
    if (distance >= least) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest.empty() ? std::string{} : "did you mean `" + std::string{nearest} + '`';
}

}  // namespace continuo::routing
