// Which subscriptions have series on the metrics page, and what these say.
#include "continuo/serve/subscription_series.h"

#include <gmock/gmock.h>

namespace continuo::serve {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr WallTime now{1'000'000};

SurveyedSubscription row(std::string name, std::uint64_t lag = 0) {
  SurveyedSubscription made;
  made.figures.name = std::move(name);
  made.figures.lag = lag;
  return made;
}

std::string page_of(std::vector<SurveyedSubscription> rows) {
  SubscriptionSeries series;
  series.take(std::move(rows));
  return series.page(now).text();
}

std::size_t count(std::string_view page, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = page.find(what, at)) != std::string_view::npos; ++at) ++found;
  return found;
}

TEST(SubscriptionSeries, TellWhatIsToDo) {
  SurveyedSubscription mails = row("mails", 12);
  mails.figures.leased = 3;
  mails.figures.delayed = 2;
  mails.oldest = WallTime{now.ms - 2'500};
  const std::string page = page_of({mails, row("quiet")});
  EXPECT_THAT(page, HasSubstr("\ncontinuo_subscription_backlog{subscription=\"mails\"} 12\n"));
  EXPECT_THAT(page, HasSubstr("\ncontinuo_subscription_oldest_seconds{subscription=\"mails\"} 2.5\n"));
  EXPECT_THAT(page, HasSubstr("\ncontinuo_subscription_in_flight{subscription=\"mails\"} 3\n"));
  EXPECT_THAT(page, HasSubstr("\ncontinuo_subscription_delayed{subscription=\"mails\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("\ncontinuo_subscription_backlog{subscription=\"quiet\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("\ncontinuo_subscription_oldest_seconds{subscription=\"quiet\"} 0\n"));
  EXPECT_THAT(page, Not(HasSubstr("continuo_subscription_parked_keys{"))) << "nothing ever failed";
  EXPECT_THAT(page, HasSubstr("\ncontinuo_parked_keys 0\n")) << "the sums are always there";
}

TEST(SubscriptionSeries, TellWhatFailedAndHealed) {
  SurveyedSubscription bank = row("bank");
  bank.figures.parked_keys = 2;
  bank.figures.parked_events = 9;
  bank.figures.oldest_parked = WallTime{now.ms - 90'000};
  bank.figures.storm = true;
  bank.figures.tally = {.retries = 11,
                        .parked = 5,
                        .dead_lettered = 1,
                        .skipped = 4,
                        .released = 6,
                        .drained = 3,
                        .relapsed = 2,
                        .repaired = 7,
                        .storms = 1,
                        .overtakes_prevented = 8,
                        .repairing = Millis{4'500}};
  const std::string page = page_of({bank});
  for (const char* line :
       {"parked_keys{subscription=\"bank\"} 2", "parked_events{subscription=\"bank\"} 9",
        "oldest_parked_seconds{subscription=\"bank\"} 90", "storm{subscription=\"bank\"} 1",
        "retries_total{subscription=\"bank\"} 11", "given_up_total{subscription=\"bank\"} 5",
        "relapses_total{subscription=\"bank\"} 2", "edited_total{subscription=\"bank\"} 7",
        "skipped_total{subscription=\"bank\"} 4", "dead_lettered_total{subscription=\"bank\"} 1",
        "overtakes_prevented_total{subscription=\"bank\"} 8", "repair_seconds_sum{subscription=\"bank\"} 4.5",
        "repair_seconds_count{subscription=\"bank\"} 3"})
    EXPECT_THAT(page, HasSubstr(fmt::format("\ncontinuo_subscription_{}\n", line)));
  EXPECT_THAT(page, HasSubstr("\ncontinuo_parked_keys 2\n"));
  EXPECT_THAT(page, HasSubstr("\ncontinuo_parked_events 9\n"));
  EXPECT_THAT(page, HasSubstr("\ncontinuo_oldest_parked_seconds 90\n"));
  EXPECT_THAT(page, HasSubstr("\ncontinuo_storms 1\n"));
}

TEST(SubscriptionSeries, AreOfTheThousandThatMatterMost) {
  SubscriptionSeries series;
  for (int i = 0; i < 10'000; i += 250) {
    std::vector<SurveyedSubscription> piece;
    for (int j = i; j < i + 250; ++j) {
      piece.push_back(row(fmt::format("s{:05}", j), j >= 9'000 ? 5 : 0));
      if (j == 9'999 || j == 5'000) piece.back().figures.parked_keys = 1;
    }
    series.take(std::move(piece));
  }
  const std::string page = series.page(now).text();
  EXPECT_EQ(count(page, "\ncontinuo_subscription_backlog{"), 1'000u);
  EXPECT_EQ(count(page, "\ncontinuo_subscription_parked_keys{"), 2u);
  EXPECT_THAT(page, HasSubstr("continuo_subscription_parked_keys{subscription=\"s05000\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("continuo_subscription_parked_keys{subscription=\"s09999\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("continuo_subscription_backlog{subscription=\"s09997\"} 5\n"));
  EXPECT_THAT(page, Not(HasSubstr("continuo_subscription_backlog{subscription=\"s00000\"}")));
  EXPECT_THAT(page, HasSubstr("\ncontinuo_subscriptions_left_out 9000\n"));
  EXPECT_THAT(page, HasSubstr("\ncontinuo_parked_keys 2\n"));
}

TEST(SubscriptionSeries, LeaveAnAgeOutThatWasNotLookedUp) {
  const std::string page = page_of({row("wide", 7)});
  EXPECT_THAT(page, HasSubstr("continuo_subscription_backlog{subscription=\"wide\"} 7\n"));
  EXPECT_THAT(page, Not(HasSubstr("continuo_subscription_oldest_seconds{")));
}

TEST(SubscriptionSeries, HaveNoSamplesWhenNothingIsKnown) {
  const std::string page = SubscriptionSeries::empty_page().text();
  EXPECT_THAT(page, HasSubstr("# TYPE continuo_subscription_repair_seconds summary\n"));
  EXPECT_THAT(page, Not(HasSubstr("\ncontinuo_")));
}

}  // namespace
}  // namespace continuo::serve
