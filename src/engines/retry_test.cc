#include "continuo/engines/retry.h"

#include <gtest/gtest.h>

#include <set>

namespace continuo::engines {
namespace {

RetrySteps steps(Backoff backoff, Millis base = Millis{200}, Millis max = Millis{1'000}) {
  return {.attempts = 10, .base = base, .backoff = backoff, .max = max};
}

TEST(Retry, DelaysFollowTheBackoff) {
  const auto delays = [](const RetrySteps& of) {
    std::vector<std::int64_t> all;
    for (std::uint32_t deliveries = 1; deliveries <= 6; ++deliveries)
      all.push_back(of.delay_after(deliveries, 0).count());
    return all;
  };
  EXPECT_EQ(delays(steps(Backoff::fixed)), (std::vector<std::int64_t>{200, 200, 200, 200, 200, 200}));
  EXPECT_EQ(delays(steps(Backoff::linear)), (std::vector<std::int64_t>{200, 400, 600, 800, 1'000, 1'000}));
  EXPECT_EQ(delays(steps(Backoff::exponential)), (std::vector<std::int64_t>{200, 400, 800, 1'000, 1'000, 1'000}));
  RetrySteps listed = steps(Backoff::listed);
  listed.delays = {Millis{1}, Millis{0}, Millis{60'000}};
  EXPECT_EQ(delays(listed), (std::vector<std::int64_t>{1, 0, 60'000, 60'000, 60'000, 60'000}));
  EXPECT_EQ(steps(Backoff::fixed, Millis{60'000}).delay_after(1, 0), Millis{60'000}) << "a fixed delay is what it is";
}

TEST(Retry, ExponentialDelaysDoNotOverflow) {
  const RetrySteps longest = steps(Backoff::exponential, Millis{12 * 3'600'000 - 1}, Millis{12 * 3'600'000});
  EXPECT_EQ(longest.delay_after(1'000, 0), Millis{12 * 3'600'000});
  EXPECT_EQ(steps(Backoff::exponential, Millis{0}).delay_after(1'000, 0), Millis{0});
}

TEST(Retry, JitterIsAnyTimeUpToTheDelayAndTheSameForTheSameSeed) {
  RetrySteps jittered = steps(Backoff::exponential);
  jittered.jitter = true;
  std::set<std::int64_t> seen;
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    const auto delay = jittered.delay_after(3, seed);
    EXPECT_GE(delay, Millis{0});
    EXPECT_LE(delay, Millis{800});
    EXPECT_EQ(delay, jittered.delay_after(3, seed));
    seen.insert(delay.count() / 100);
  }
  EXPECT_GE(seen.size(), 8u) << "all of the range is used";
  EXPECT_NE(jittered.delay_after(3, 1), jittered.delay_after(4, 1));
}

TEST(Retry, TheFirstRuleThatFitsCounts) {
  RetryPolicy policy;
  policy.rules = {{{"card_declined", "http_4*"}, {.attempts = 1}}, {{"http_*"}, {.attempts = 9}}};
  EXPECT_EQ(policy.steps_for("card_declined").attempts, 1u);
  EXPECT_EQ(policy.steps_for("http_404").attempts, 1u);
  EXPECT_EQ(policy.steps_for("http_503").attempts, 9u);
  EXPECT_EQ(policy.steps_for("card_declined_again").attempts, 5u);
  EXPECT_EQ(policy.steps_for("").attempts, 5u);
}

TEST(Retry, WhatCannotBeIsRefusedWithItsPlace) {
  const auto at = [](auto change) {
    RetryPolicy policy;
    change(policy);
    const auto checked = check_retry(policy);
    return checked ? "accepted" : checked.error().at;
  };
  EXPECT_EQ(at([](auto&) {}), "accepted");
  EXPECT_EQ(at([](auto& p) { p.attempts = 0; }), "retry.attempts");
  EXPECT_EQ(at([](auto& p) { p.attempts = 1'001; }), "retry.attempts");
  EXPECT_EQ(at([](auto& p) { p.base = Millis{-1}; }), "retry.base");
  EXPECT_EQ(at([](auto& p) { p.max = Millis{12 * 3'600'000 + 1}; }), "retry.max");
  EXPECT_EQ(at([](auto& p) { p.backoff = Backoff::listed; }), "retry.delays");
  EXPECT_EQ(at([](auto& p) { p.delays = {Millis{1}}; }), "retry.delays");
  EXPECT_EQ(at([](auto& p) { p.backoff = Backoff::listed, p.delays = {Millis{1}, Millis{-1}}; }), "retry.delays[1]");
  EXPECT_EQ(at([](auto& p) { p.rules = {{{}, {}}}; }), "retry.rules[0].codes");
  EXPECT_EQ(at([](auto& p) { p.rules = {{{"a"}, {}}, {{"b", "*c"}, {}}}; }), "retry.rules[1].codes[1]");
  EXPECT_EQ(at([](auto& p) { p.rules = {{{"a"}, {.attempts = 0}}}; }), "retry.rules[0].attempts");
  EXPECT_EQ(at([](auto& p) { p.rules.assign(most_retry_rules + 1, {{"a"}, {}}); }), "retry.rules");
}

}  // namespace
}  // namespace continuo::engines
