#include "told.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace shop {
namespace {

constexpr std::pair<std::string_view, Decision::Kind> decision_types[] = {
    {"continuo.event.edited", Decision::Kind::edited},
    {"continuo.event.skipped", Decision::Kind::skipped},
    {"continuo.key.cancelled", Decision::Kind::cancelled},
    {"continuo.key.released", Decision::Kind::released}};

// Offsets are written as texts.
std::int64_t offset_in(const boost::json::object& data) {
  const std::string text = text_of(data, "offset");
  std::int64_t offset = 0;
  std::from_chars(text.data(), text.data() + text.size(), offset);
  return offset;
}

std::string code_of(const boost::json::object& data) {
  const boost::json::value* error = data.if_contains("error");
  return error && error->is_object() ? text_of(error->as_object(), "code") : std::string{};
}

std::optional<Decision::Kind> decision_of(std::string_view type) {
  for (const auto& [name, kind] : decision_types)
    if (name == type) return kind;
  return std::nullopt;
}

}  // namespace

bool Parking::has(Decision::Kind kind) const {
  return std::ranges::find(decisions, kind, &Decision::kind) != decisions.end();
}

std::int64_t Parking::until_ms() const { return decisions.empty() ? 0 : decisions.back().time_ms; }

Told told_of(const std::vector<Event>& events) {
  Told told;
  for (const Event& event : events) {
    const Fact fact = fact_of("continuo.events", event);
    const ParkedPlace where{fact.order, text_of(fact.data, "topic"),
                            static_cast<std::uint32_t>(number_of(fact.data, "partition")), offset_in(fact.data)};
    if (fact.type == "continuo.key.parked") {
      Parking& parking = told[where];
      if (parking.codes.empty()) parking.since_ms = fact.time_ms;
      parking.codes.push_back(code_of(fact.data));
    } else if (const auto kind = decision_of(fact.type)) {
      const std::int64_t cancelled = *kind == Decision::Kind::cancelled ? number_of(fact.data, "events") : 1;
      told[where].decisions.push_back({*kind, text_of(fact.data, "by"), fact.time_ms, cancelled});
    }
  }
  return told;
}

}  // namespace shop
