#include "continuo/serve/subscription_series.h"

#include <algorithm>
#include <iterator>
#include <ranges>

#include "continuo/node/record_times.h"

namespace continuo::serve {
namespace {

using Rows = std::vector<const SurveyedSubscription*>;

double seconds(Millis time) { return static_cast<double>(time.count()) / 1e3; }
double age(WallTime since, WallTime now) { return seconds(std::max(Millis{now.ms - since.ms}, Millis{0})); }

// Whoever waits for somebody to act comes first, then whoever has something to do.
int rank(const SurveyedSubscription& row) {
  if (row.figures.parked_keys != 0 || row.figures.storm) return 0;
  return row.figures.lag != 0 ? 1 : 2;
}

bool ever_failed(const SurveyedSubscription& row) {
  const engines::SubscriptionTally& tally = row.figures.tally;
  return row.figures.parked_keys != 0 || row.figures.storm || tally.retries != 0 || tally.parked != 0 ||
         tally.skipped != 0 || tally.storms != 0 || tally.drained != 0;
}

// By name, as the survey has them.
Rows shown_of(const std::vector<SurveyedSubscription>& all) {
  Rows rows;
  for (const int wanted : {0, 1, 2})
    for (const SurveyedSubscription& row : all)
      if (rows.size() < SubscriptionSeries::shown && rank(row) == wanted) rows.push_back(&row);
  std::ranges::sort(rows);
  return rows;
}

template <class Value>
void write(std::string_view name, std::string_view what, std::string_view kind, const Rows& rows, MetricsPage& page,
           const Value& value) {
  page.head(name, what, kind);
  for (const SurveyedSubscription* row : rows)
    page.line(fmt::format("{}{{subscription=\"{}\"}} {}", name, row->figures.name, value(*row)));
}

void write_gauge(std::string_view name, std::string_view what, const Rows& rows, MetricsPage& page,
                 std::uint64_t node::SubscriptionFigures::* figure) {
  write(name, what, "gauge", rows, page, [&](const SurveyedSubscription& row) { return row.figures.*figure; });
}

void write_tally(std::string_view name, std::string_view what, const Rows& rows, MetricsPage& page,
                 std::uint64_t engines::SubscriptionTally::* count) {
  write(name, what, "counter", rows, page, [&](const SurveyedSubscription& row) { return row.figures.tally.*count; });
}

void write_work(const Rows& rows, WallTime now, MetricsPage& page) {
  using Figures = node::SubscriptionFigures;
  write_gauge("continuo_subscription_backlog", "Events that a subscription has not settled.", rows, page,
              &Figures::lag);
  Rows dated;
  std::ranges::copy_if(rows, std::back_inserter(dated),
                       [](const auto* row) { return !row->figures.lag || row->oldest; });
  write("continuo_subscription_oldest_seconds", "Age of the oldest event that is not settled.", "gauge", dated, page,
        [&](const SurveyedSubscription& row) { return row.figures.lag ? age(*row.oldest, now) : 0.0; });
  write_gauge("continuo_subscription_in_flight", "Events that consumers have leased.", rows, page, &Figures::leased);
  write_gauge("continuo_subscription_delayed", "Events that wait for their time, and those behind them.", rows, page,
              &Figures::delayed);
}

void write_parked(const Rows& rows, WallTime now, MetricsPage& page) {
  using Figures = node::SubscriptionFigures;
  write_gauge("continuo_subscription_parked_keys", "Keys that are parked.", rows, page, &Figures::parked_keys);
  write_gauge("continuo_subscription_parked_events", "Events of parked keys: the heads and all behind them.", rows,
              page, &Figures::parked_events);
  write("continuo_subscription_oldest_parked_seconds", "How long the oldest parked key has been parked.", "gauge", rows,
        page, [&](const SurveyedSubscription& row) {
          return row.figures.oldest_parked ? age(*row.figures.oldest_parked, now) : 0.0;
        });
  write("continuo_subscription_storm", "1 while a subscription holds still in a storm.", "gauge", rows, page,
        [](const SurveyedSubscription& row) { return row.figures.storm ? 1 : 0; });
}

void write_repairs(const Rows& rows, MetricsPage& page) {
  constexpr std::string_view name = "continuo_subscription_repair_seconds";
  page.head(name, "Time from being parked until the key was drained.", "summary");
  for (const SurveyedSubscription* row : rows) {
    const engines::SubscriptionTally& tally = row->figures.tally;
    page.line(fmt::format("{}_sum{{subscription=\"{}\"}} {}", name, row->figures.name, seconds(tally.repairing)));
    page.line(fmt::format("{}_count{{subscription=\"{}\"}} {}", name, row->figures.name, tally.drained));
  }
}

void write_failures(const Rows& rows, MetricsPage& page) {
  using Tally = engines::SubscriptionTally;
  write_tally("continuo_subscription_retries_total", "Deliveries that failed and are tried again.", rows, page,
              &Tally::retries);
  write_tally("continuo_subscription_given_up_total", "Events given up: parked, or for the dead letters.", rows, page,
              &Tally::parked);
  write_tally("continuo_subscription_relapses_total", "Keys parked again while they drained.", rows, page,
              &Tally::relapsed);
  write_tally("continuo_subscription_edited_total", "Parked heads in whose place another event was put.", rows, page,
              &Tally::repaired);
  write_tally("continuo_subscription_skipped_total", "Events passed over.", rows, page, &Tally::skipped);
  write_tally("continuo_subscription_dead_lettered_total", "Events written to a topic of dead letters.", rows, page,
              &Tally::dead_lettered);
  write_tally("continuo_subscription_overtakes_prevented_total",
              "Events that came while an earlier one of their key was failing.", rows, page,
              &Tally::overtakes_prevented);
  write_repairs(rows, page);
}

void write_rows(const Rows& rows, WallTime now, MetricsPage& page) {
  write_work(rows, now, page);
  Rows failed;
  std::ranges::copy_if(rows, std::back_inserter(failed), [](const auto* row) { return ever_failed(*row); });
  write_parked(failed, now, page);
  write_failures(failed, page);
}

struct Sums {
  std::uint64_t keys = 0, events = 0, storms = 0, left_out = 0;
  double oldest = 0;
};

// Samples only where there is a sum.
void write_sums(const std::optional<Sums>& sums, MetricsPage& page) {
  const auto write_one = [&](std::string_view name, std::string_view what, auto Sums::* value) {
    page.head(name, what, "gauge");
    if (sums) page.line(fmt::format("{} {}", name, (*sums).*value));
  };
  write_one("continuo_parked_keys", "Keys that are parked, of all subscriptions.", &Sums::keys);
  write_one("continuo_parked_events", "Events of parked keys, of all subscriptions.", &Sums::events);
  write_one("continuo_oldest_parked_seconds", "How long the oldest parked key of all has been parked.", &Sums::oldest);
  write_one("continuo_storms", "Subscriptions that hold still in a storm.", &Sums::storms);
  write_one("continuo_subscriptions_left_out", "Subscriptions that have no series of their own here.", &Sums::left_out);
}

}  // namespace

std::vector<SurveyedSubscription> date_oldest(node::Node& node, node::SubscriptionsSurvey survey, std::size_t& most) {
  std::vector<SurveyedSubscription> all;
  for (node::SubscriptionsSurvey::Subscription& each : survey.subscriptions) {
    const auto places = std::exchange(each.unsettled, {});
    SurveyedSubscription& row = all.emplace_back(SurveyedSubscription{std::move(each), {}});
    if (places.size() > most) continue;
    most -= places.size();
    row.oldest = oldest_append(node, places);
  }
  return all;
}

void SubscriptionSeries::take(std::vector<SurveyedSubscription> piece) {
  std::ranges::move(piece, std::back_inserter(all_));
}

MetricsPage SubscriptionSeries::page(WallTime now) const {
  const Rows rows = shown_of(all_);
  Sums sums;
  for (const SurveyedSubscription& row : all_) {
    sums.keys += row.figures.parked_keys;
    sums.events += row.figures.parked_events;
    sums.storms += row.figures.storm ? 1 : 0;
    if (row.figures.oldest_parked) sums.oldest = std::max(sums.oldest, age(*row.figures.oldest_parked, now));
  }
  sums.left_out = all_.size() - rows.size();
  MetricsPage page;
  write_sums(sums, page);
  write_rows(rows, now, page);
  return page;
}

MetricsPage SubscriptionSeries::empty_page() {
  MetricsPage page;
  write_sums(std::nullopt, page);
  write_rows({}, {}, page);
  return page;
}

}  // namespace continuo::serve
