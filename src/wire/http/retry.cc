#include "continuo/wire/http/retry.h"

#include <fmt/format.h>

#include <utility>

#include "continuo/record/cloudevents.h"

namespace continuo::wire::http {
namespace {

using engines::Backoff;
using engines::RetryPolicy;
using engines::RetryRule;
using engines::RetrySteps;

constexpr Millis longest{12 * 3'600'000};
constexpr std::pair<std::string_view, Backoff> backoffs[] = {{"fixed", Backoff::fixed},
                                                             {"linear", Backoff::linear},
                                                             {"exponential", Backoff::exponential},
                                                             {"listed", Backoff::listed}};

std::string_view name_of(Backoff backoff) {
  for (const auto& [name, each] : backoffs)
    if (each == backoff) return name;
  return {};
}

void read_backoff(Fields& fields, RetrySteps& steps) {
  if (!fields.has("backoff")) {
    if (fields.has("delays")) steps.backoff = Backoff::listed;
    return;
  }
  std::string text;
  fields.text("backoff", text);
  if (!fields.ok()) return;
  for (const auto& [name, backoff] : backoffs)
    if (name == text) {
      steps.backoff = backoff;
      if (backoff != Backoff::listed) steps.delays.clear();  // those of the policy a rule differs from
      return;
    }
  fields.refuse("backoff", Code::bad_setting, fmt::format("'backoff' cannot be '{}'", text.substr(0, 80)),
                "one of: fixed, linear, exponential, listed");
}

void read_delays(Fields& fields, RetrySteps& steps) {
  const Json* list = fields.array("delays");
  if (list == nullptr) return;
  steps.delays.clear();
  if (list->items.size() > engines::most_retry_delays)
    return fields.refuse("delays", Code::bad_setting, fmt::format("at most {} delays", engines::most_retry_delays));
  for (const Json& item : list->items) {
    const auto parsed = item.kind == Json::Kind::string ? parse_duration(item.text) : fail(Code::bad_setting, "");
    if (!parsed)
      return fields.refuse("delays", Code::bad_setting, "delays are durations", R"("delays":["1s","5s","1m"])");
    steps.delays.push_back(*parsed);
  }
}

void read_steps(Fields& fields, RetrySteps& steps) {
  fields.number("attempts", steps.attempts, 1, 1'000);
  if (fields.has("delay")) {
    for (const std::string_view other : {"base", "backoff", "delays"})
      if (fields.has(other))
        fields.refuse(other, Code::bad_setting,
                      fmt::format("'{}' does not go with 'delay', which is fixed backoff by another name", other),
                      R"({"backoff":"exponential","base":"200ms"})");
    steps.backoff = Backoff::fixed;
    steps.delays.clear();
    fields.duration("delay", steps.base, Millis{0}, longest);
  }
  fields.duration("base", steps.base, Millis{0}, longest);
  fields.duration("max", steps.max, Millis{0}, longest);
  fields.boolean("jitter", steps.jitter);
  read_backoff(fields, steps);
  read_delays(fields, steps);
}

void read_codes(Fields& fields, RetryRule& rule) {
  fields.required("codes");
  const Json* list = fields.array("codes");
  if (list == nullptr) return;
  if (list->items.size() > engines::most_rule_codes)
    return fields.refuse("codes", Code::bad_setting, fmt::format("at most {} codes", engines::most_rule_codes));
  for (const Json& item : list->items) {
    if (item.kind != Json::Kind::string) return fields.refuse("codes", Code::bad_setting, "codes are strings");
    rule.codes.push_back(item.text);
  }
}

void read_rules(Fields& fields, RetryPolicy& policy) {
  const Json* list = fields.array("rules");
  if (list == nullptr) return;
  if (list->items.size() > engines::most_retry_rules)
    return fields.refuse("rules", Code::bad_setting, fmt::format("at most {} rules", engines::most_retry_rules));
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    Fields rule{list->items[i],
                fmt::format("retry.rules[{}]", i),
                {"codes", "attempts", "delay", "backoff", "base", "max", "jitter", "delays"}};
    RetryRule made{{}, policy};
    read_codes(rule, made);
    read_steps(rule, made.steps);
    fields.take(rule.result());
    policy.rules.push_back(std::move(made));
  }
}

std::string write_steps(const RetrySteps& steps) {
  std::string out = fmt::format(R"("attempts":{},"backoff":"{}")", steps.attempts, name_of(steps.backoff));
  if (steps.backoff == Backoff::listed) {
    for (std::size_t i = 0; i < steps.delays.size(); ++i)
      out += fmt::format(R"({}"{}")", i == 0 ? R"(,"delays":[)" : ",", format_duration(steps.delays[i]));
    out += ']';
  } else {
    out += fmt::format(R"(,"base":"{}")", format_duration(steps.base));
  }
  if (steps.backoff == Backoff::linear || steps.backoff == Backoff::exponential)
    out += fmt::format(R"(,"max":"{}")", format_duration(steps.max));
  return out + fmt::format(R"(,"jitter":{})", steps.jitter);
}

}  // namespace

void read_retry(Fields& parent, RetryPolicy& policy) {
  const Json* object = parent.object("retry");
  if (object == nullptr) return;
  Fields fields(*object, "retry", {"attempts", "delay", "backoff", "base", "max", "jitter", "delays", "rules"});
  read_steps(fields, policy);
  read_rules(fields, policy);
  parent.take(fields.result());
  if (parent.ok()) parent.take(engines::check_retry(policy));
}

std::string write_retry(const RetryPolicy& policy) {
  std::string out = "{" + write_steps(policy);
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    out += i == 0 ? R"(,"rules":[{"codes":[)" : R"(,{"codes":[)";
    for (const std::string& code : policy.rules[i].codes) {
      if (&code != &policy.rules[i].codes.front()) out += ',';
      record::write_json_string(code, out);
    }
    out += "]," + write_steps(policy.rules[i].steps) + "}";
  }
  return out + (policy.rules.empty() ? "}" : "]}");
}

}  // namespace continuo::wire::http
