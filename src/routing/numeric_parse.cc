#include "continuo/routing/numeric_parse.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "continuo/record/decimal.h"

namespace continuo::routing {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::string_view forms = R"(write ["=", 5], ["<", 5] or [">=", 0, "<", 5])";

// One comparison with its number.
struct Bound {
  enum class Side : std::uint8_t { lower, upper, both };
  Side side = Side::both;
  bool open = false;
  double number = 0;
  const PatternJson* comparison = nullptr;
  const PatternJson* operand = nullptr;

  double low() const { return side == Side::upper ? -infinity : open ? std::nextafter(number, infinity) : number; }
  double high() const { return side == Side::lower ? infinity : open ? std::nextafter(number, -infinity) : number; }
  std::string text() const { return fmt::format(R"("{}", {})", comparison->text, shown(operand->text)); }
};

std::string guess_comparison(std::string_view text) {
  if (text == "==" || text == "===") return R"(did you mean "=")";
  if (text == "=>") return R"(did you mean ">=")";
  if (text == "=<") return R"(did you mean "<=")";
  if (text == "!=" || text == "<>") return R"(did you mean {"anything-but": 5})";
  return std::string{forms};
}

class NumericParser {
 public:
  explicit NumericParser(PatternPlace& place) : place_(place) {}

  bool parse(const PatternJson& operand, NumberRange& out) {
    if (!operand.is(PatternJson::Kind::array))
      return place_.wrong(operand.begin, "`numeric` takes an array", std::string{forms});
    const auto& items = operand.items;
    if (items.empty()) return place_.wrong(operand.begin, "`numeric` compares with nothing", std::string{forms});
    if (items.size() > 4)
      return place_.wrong(items[4].begin, "`numeric` takes one comparison, or a lower and an upper bound",
                          std::string{forms});
    Bound first;
    if (!read(items, 0, first)) return false;
    if (items.size() == 2) {
      out = {first.low(), first.high()};
      return true;
    }
    Bound second;
    return read(items, 2, second) && join(first, second, out);
  }

 private:
  // The comparison at `index` and the number behind it.
  bool read(const std::vector<PatternJson>& items, std::size_t index, Bound& out) {
    out.comparison = &items[index];
    {
      const PatternPlace::Step step{place_, index};
      if (!read_comparison(*out.comparison, out)) return false;
      if (index + 1 == items.size())
        return place_.wrong(out.comparison->begin, fmt::format("`{}` lacks its number", out.comparison->text),
                            std::string{forms});
    }
    const PatternPlace::Step step{place_, index + 1};
    out.operand = &items[index + 1];
    return read_number(*out.operand, out);
  }

  bool read_comparison(const PatternJson& comparison, Bound& out) {
    const std::string_view text = comparison.text;
    if (!comparison.is(PatternJson::Kind::string) ||
        (text != "=" && text != "<" && text != "<=" && text != ">" && text != ">="))
      return place_.wrong(comparison.begin, R"(one of "=", "<", "<=", ">", ">=" is expected)", guess_comparison(text));
    out.side = text[0] == '=' ? Bound::Side::both : text[0] == '<' ? Bound::Side::upper : Bound::Side::lower;
    out.open = text == "<" || text == ">";
    return true;
  }

  bool read_number(const PatternJson& operand, Bound& out) {
    if (!operand.is(PatternJson::Kind::number)) {
      const bool quoted = operand.is(PatternJson::Kind::string) && record::number_of(operand.text);
      return place_.wrong(operand.begin, "`numeric` compares with numbers",
                          quoted ? fmt::format("write {} without quotes", shown(operand.text)) : std::string{forms});
    }
    out.number = record::number_of(operand.text).value_or(infinity);
    return std::isfinite(out.number) ||
           place_.wrong(operand.begin, "the number is too large", "numbers are compared as 64-bit floating point");
  }

  bool join(const Bound& first, const Bound& second, NumberRange& out) {
    using enum Bound::Side;
    const std::size_t at = second.comparison->begin;
    if (first.side == both || second.side == both) return place_.wrong(at, "`=` stands alone", std::string{forms});
    if (first.side == second.side)
      return place_.wrong(at, first.side == lower ? "two lower bounds" : "two upper bounds", std::string{forms});
    if (first.side == upper)
      return place_.wrong(at, "the lower bound comes first",
                          fmt::format("write [{}, {}]", second.text(), first.text()));
    out = {first.low(), second.high()};
    if (out.low <= out.high) return true;
    return place_.wrong(at, "no number lies between the bounds",
                        fmt::format(R"(one or the other is two conditions: {{"numeric": [{}]}}, {{"numeric": [{}]}})",
                                    first.text(), second.text()));
  }

  PatternPlace& place_;
};

}  // namespace

bool parse_numeric(const PatternJson& operand, PatternPlace& place, NumberRange& out) {
  return NumericParser{place}.parse(operand, out);
}

}  // namespace continuo::routing
