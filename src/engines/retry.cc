#include "continuo/engines/retry.h"

#include <fmt/format.h>

#include <algorithm>

#include "continuo/base/hash.h"

namespace continuo::engines {
namespace {

constexpr Millis longest{12 * 3'600'000};

Result<void> check_steps(const RetrySteps& steps, const std::string& at) {
  if (steps.attempts == 0 || steps.attempts > 1000)
    return fail(Code::bad_setting, "attempts are 1 to 1000", at + "attempts");
  if (steps.base < Millis{0} || steps.base > longest)
    return fail(Code::bad_setting, "a retry delay is at most 12h", at + "base");
  if (steps.max < Millis{0} || steps.max > longest)
    return fail(Code::bad_setting, "a retry delay is at most 12h", at + "max");
  if (steps.backoff == Backoff::listed && steps.delays.empty())
    return fail(Code::bad_setting, "listed backoff needs its delays", at + "delays", R"("delays":["1s","5s","1m"])");
  if (steps.backoff != Backoff::listed && !steps.delays.empty())
    return fail(Code::bad_setting, "delays are for listed backoff", at + "delays", R"("backoff":"listed")");
  if (steps.delays.size() > most_retry_delays)
    return fail(Code::bad_setting, fmt::format("at most {} delays", most_retry_delays), at + "delays");
  for (std::size_t i = 0; i < steps.delays.size(); ++i)
    if (steps.delays[i] < Millis{0} || steps.delays[i] > longest)
      return fail(Code::bad_setting, "a retry delay is at most 12h", fmt::format("{}delays[{}]", at, i));
  return {};
}

bool fits(std::string_view pattern, std::string_view code) {
  return pattern.ends_with('*') ? code.starts_with(pattern.substr(0, pattern.size() - 1)) : code == pattern;
}

Result<void> check_codes(const RetryRule& rule, const std::string& at) {
  if (rule.codes.empty() || rule.codes.size() > most_rule_codes)
    return fail(Code::bad_setting, fmt::format("a rule has 1 to {} codes", most_rule_codes), at + "codes",
                R"("codes":["card_declined","http_4*"])");
  for (std::size_t i = 0; i < rule.codes.size(); ++i) {
    const std::string& code = rule.codes[i];
    const std::string place = fmt::format("{}codes[{}]", at, i);
    if (code.empty() || code.size() > most_rule_code_bytes)
      return fail(Code::bad_setting, fmt::format("a code has 1 to {} bytes", most_rule_code_bytes), place);
    if (code.find('*') < code.size() - 1)
      return fail(Code::bad_setting, "a `*` stands at the end of a code", place, R"("http_4*")");
  }
  return {};
}

}  // namespace

Millis RetrySteps::delay_after(std::uint32_t deliveries, std::uint64_t seed) const {
  const std::int64_t number = std::max<std::uint32_t>(1, deliveries);
  std::int64_t delay = base.count();
  switch (backoff) {
    case Backoff::fixed: break;
    case Backoff::linear: delay *= number; break;
    case Backoff::exponential:
      for (std::int64_t i = 1; i < number && delay < max.count(); ++i) delay *= 2;
      break;
    case Backoff::listed:
      delay = delays[std::min<std::size_t>(static_cast<std::size_t>(number), delays.size()) - 1].count();
      break;
  }
  if (backoff == Backoff::linear || backoff == Backoff::exponential) delay = std::min(delay, max.count());
  if (!jitter) return Millis{delay};
  const std::uint64_t mixed[] = {seed, deliveries};
  const std::uint64_t random = hash64({reinterpret_cast<const char*>(mixed), sizeof mixed});
  return Millis{static_cast<std::int64_t>(random % static_cast<std::uint64_t>(delay + 1))};
}

const RetrySteps& RetryPolicy::steps_for(std::string_view code) const {
  for (const RetryRule& rule : rules)
    if (std::ranges::any_of(rule.codes, [&](const std::string& each) { return fits(each, code); })) return rule.steps;
  return *this;
}

Result<void> check_retry(const RetryPolicy& policy) {
  if (auto checked = check_steps(policy, "retry."); !checked) return checked;
  if (policy.rules.size() > most_retry_rules)
    return fail(Code::bad_setting, fmt::format("at most {} rules", most_retry_rules), "retry.rules");
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    const std::string at = fmt::format("retry.rules[{}].", i);
    if (auto checked = check_codes(policy.rules[i], at); !checked) return checked;
    if (auto checked = check_steps(policy.rules[i].steps, at); !checked) return checked;
  }
  return {};
}

}  // namespace continuo::engines
