#include "continuo/routing/explain.h"

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "continuo/record/cloudevents.h"
#include "continuo/record/utf8.h"
#include "continuo/routing/explain_event.h"
#include "continuo/routing/explain_fields.h"
#include "continuo/routing/explain_judge.h"

namespace continuo::routing {
namespace {

constexpr std::size_t most_values = 10;
constexpr std::size_t most_text = 200;  // of one value
// Bytes of values put to tests of all fields: less than a second of them.
constexpr std::uint64_t most_looks_of_all = 50'000'000;

std::string json_of(const Value& value) {
  const bool is_short = value.text.size() <= most_text;
  if (value.type != Value::Type::string && is_short) return std::string{value.text};
  std::string out;
  if (is_short) {
    record::write_json_string(value.text, out);
    return out;
  }
  auto front = value.text.substr(0, most_text);
  // A code point that the cut went through goes; bytes that are no UTF-8 stay, and are written as such.
  if (const std::size_t valid = record::valid_utf8_prefix(front); valid + 4 > most_text) front = front.substr(0, valid);
  record::write_json_string(std::string{front} + "...", out);
  return out;
}

template <class Values, class Project>
std::string json_of_all(const Values& values, const Project& value_of) {
  if (values.empty()) return {};
  if (values.size() == 1) return json_of(value_of(values[0]));
  std::string out = "[";
  for (std::size_t i = 0; i < std::min(values.size(), most_values); ++i) {
    if (i > 0) out += ',';
    out += json_of(value_of(values[i]));
  }
  return out + ']';
}

std::string wanted_of(const Field& field) {
  if (field.conditions.size() == 1) return field.conditions[0].source;
  std::string out = "[";
  for (const Condition& each : field.conditions) out += (out.size() > 1 ? "," : "") + each.source;
  return out + ']';
}

class Explainer {
 public:
  Explainer(const Pattern& pattern, const EventOfPattern& event, std::optional<std::set<const Field*>> held)
      : pattern_(pattern), event_(event), judge_(pattern, event, std::move(held)) {}

  /// `ask` says what a matcher says; it is asked where the definition says no, or would take too long.
  template <class Ask>
  Explanation run(const Ask& ask) {
    Explanation out;
    if (!judge_.holds()) {
      add_failures(pattern_.root(), out.because);
      return out;
    }
    std::vector<ChosenField> fields;
    auto answer = judge_.together(fields);
    out.matches = answer == Judge::Answer::yes || ask();
    // A matcher may have given up where the definition did not: its word counts.
    if (out.matches && answer == Judge::Answer::no) answer = Judge::Answer::too_long;
    if (answer == Judge::Answer::too_long) fields = judge_.wherever();
    if (out.matches) {
      for (const ChosenField& each : fields) out.because.push_back(met(each));
    } else if (answer == Judge::Answer::no) {
      for (const Field* each : judge_.not_together()) out.because.push_back(not_together(*each));
    } else {
      // Which of those in arrays stands in the way of others is not known.
      for (const ChosenField& each : fields)
        if (each.context != 0 || is_late(*each.field)) out.because.push_back(not_together(*each.field));
    }
    return out;
  }

 private:
  void add_failures(const Group& group, std::vector<Because>& out) {
    for (const Field& field : group.fields)
      if (!judge_.verdict(field).holds) out.push_back(failure(field));
    for (const auto& choice : group.choices) {
      if (std::ranges::any_of(choice, [&](const Group& each) { return judge_.holds(each); })) continue;
      for (const Group& each : choice) add_failures(each, out);
    }
  }

  Because failure(const Field& field) {
    using enum Because::Reason;
    const PathId path = event_.path_of(field);
    const auto values = event_.values(path);
    Because out{not_met, field.path, wanted_of(field),
                json_of_all(values, [](const auto& each) { return each.value; })};
    if (values.empty())
      out.reason = event_.is_object(path) ? is_object : event_.is_unread(field) ? invalid : absent;
    else if (std::ranges::all_of(field.conditions,
                                 [](const Condition& each) { return each.kind == Condition::Kind::absent; }))
      out.reason = present;
    return out;
  }

  Because met(const ChosenField& chosen) {
    const Verdict& verdict = judge_.verdict(*chosen.field);
    if (verdict.absent != nullptr) return {Because::Reason::met, chosen.field->path, verdict.absent->source, {}};
    if (is_late(*chosen.field)) return {Because::Reason::met, chosen.field->path, wanted_of(*chosen.field), {}};
    const auto found = std::ranges::find(verdict.met, chosen.context, &Met::context);
    return {Because::Reason::met, chosen.field->path, found->condition->source, json_of(found->value)};
  }

  // What met the field was not among the values that were looked at.
  bool is_late(const Field& field) {
    const Verdict& verdict = judge_.verdict(field);
    return verdict.holds && verdict.absent == nullptr && verdict.met.empty();
  }

  Because not_together(const Field& field) {
    return {Because::Reason::not_together, field.path, wanted_of(field),
            json_of_all(judge_.verdict(field).met, [](const Met& each) { return each.value; })};
  }

  const Pattern& pattern_;
  const EventOfPattern& event_;
  Judge judge_;
};

// Where the definition would take too long, matchers are asked.
template <class Match, class Held>
Explanation explain(const Pattern& pattern, const EventOfPattern& event, const Match& match, const Held& held_fields) {
  std::optional<std::set<const Field*>> held;
  if (looks_needed(pattern, event) > most_looks_of_all) held = held_fields(FieldMatcher{pattern});
  return Explainer{pattern, event, std::move(held)}.run([&] {
    const Pattern* const patterns[] = {&pattern};
    return match(Matching{Matcher::compile(patterns)});
  });
}

}  // namespace

Explanation explain(const Pattern& pattern, const Input& input) {
  EventOfPattern event{pattern};
  event.read(input);
  return explain(
      pattern, event, [&](Matching matching) { return !matching.match(input).empty(); },
      [&](FieldMatcher fields) { return fields.held(input); });
}

Explanation explain_json(const Pattern& pattern, std::string_view json) {
  EventOfPattern event{pattern};
  event.read_json(json);
  return explain(
      pattern, event, [&](Matching matching) { return !matching.match_json(json).empty(); },
      [&](FieldMatcher fields) { return fields.held_json(json); });
}

std::string_view name_of(Because::Reason reason) {
  switch (reason) {
    case Because::Reason::met: return "met";
    case Because::Reason::not_met: return "not_met";
    case Because::Reason::absent: return "absent";
    case Because::Reason::is_object: return "is_object";
    case Because::Reason::present: return "present";
    case Because::Reason::not_together: return "not_together";
    case Because::Reason::invalid: break;
  }
  return "invalid";
}

}  // namespace continuo::routing
