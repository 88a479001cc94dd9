#include "continuo/routing/explain.h"

#include <algorithm>
#include <memory>
#include <span>

#include "continuo/record/cloudevents.h"
#include "continuo/record/utf8.h"
#include "continuo/routing/explain_event.h"
#include "continuo/routing/explain_judge.h"

namespace continuo::routing {
namespace {

constexpr std::size_t most_values = 10;
constexpr std::size_t most_text = 200;  // of one value

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
  Explainer(const Pattern& pattern, const EventOfPattern& event)
      : pattern_(pattern), event_(event), judge_(pattern, event) {}

  /// `ask` says what a matcher says; it is asked where the definition would take too long.
  template <class Ask>
  Explanation run(const Ask& ask) {
    Explanation out;
    if (!judge_.holds()) {
      add_failures(pattern_.root(), out.because);
      return out;
    }
    std::vector<ChosenField> fields;
    const auto answer = judge_.together(fields);
    out.matches = answer == Judge::Answer::yes || (answer == Judge::Answer::too_long && ask());
    if (out.matches) {
      for (const ChosenField& each : fields) out.because.push_back(met(each));
    } else if (answer == Judge::Answer::no) {
      for (const Field* each : judge_.not_together()) out.because.push_back(not_together(*each));
    } else {
      for (const ChosenField& each : fields)
        if (each.context != 0) out.because.push_back(not_together(*each.field));
    }
    return out;
  }

 private:
  void add_failures(const Group& group, std::vector<Because>& out) {
    for (const Field& field : group.fields)
      if (!judge_.verdict(field).holds()) out.push_back(failure(field));
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
    const auto found = std::ranges::find(verdict.met, chosen.context, &Met::context);
    return {Because::Reason::met, chosen.field->path, found->condition->source, json_of(found->value)};
  }

  Because not_together(const Field& field) {
    return {Because::Reason::not_together, field.path, wanted_of(field),
            json_of_all(judge_.verdict(field).met, [](const Met& each) { return each.value; })};
  }

  const Pattern& pattern_;
  const EventOfPattern& event_;
  Judge judge_;
};

}  // namespace

Explanation explain(const Pattern& pattern, const Input& input) {
  EventOfPattern event{pattern};
  event.read(input);
  return Explainer{pattern, event}.run([&] {
    const Pattern* const patterns[] = {&pattern};
    return !Matching{Matcher::compile(patterns)}.match(input).empty();
  });
}

Explanation explain_json(const Pattern& pattern, std::string_view json) {
  EventOfPattern event{pattern};
  event.read_json(json);
  return Explainer{pattern, event}.run([&] {
    const Pattern* const patterns[] = {&pattern};
    return !Matching{Matcher::compile(patterns)}.match_json(json).empty();
  });
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
