// The metrics page, in Prometheus' text format 0.0.4. Every name is in docs/metrics.md; a test compares.
//
// Of subscriptions and consumer groups the core is asked, in questions of bounded size one after the other; its answers
// wait for the disk like all others. While that is full the page comes without them.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/node/groups.h"
#include "continuo/record/utf8.h"
#include "continuo/serve/group_lag.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"
#include "continuo/serve/metrics_page.h"
#include "continuo/serve/reading_aside.h"
#include "continuo/serve/subscription_series.h"

namespace continuo::serve {
namespace {

constexpr std::size_t shown_groups = 1'000, shown_subscriptions = 1'000;
constexpr std::size_t group_lines_bytes = 4u << 20;
constexpr std::size_t dated_places = 20'000;  // in one scrape
constexpr Micros patience{1'000'000};

void write_requests(const Door& door, MetricsPage& page) {
  page.head("continuo_http_requests_total", "Requests answered, by route and class of status.", "counter");
  for (std::size_t row = 0; row < Counters::routes; ++row)
    for (std::size_t status = 1; status < Counters::status_classes; ++status) {
      std::uint64_t sum = 0;
      for (const auto& thread : door.threads) sum += thread->counters().answers[row][status].value();
      if (sum == 0) continue;
      const bool routed = row < wire::http::route_count;
      page.line(fmt::format("continuo_http_requests_total{{route=\"{}\",status=\"{}xx\"}} {}",
                            routed ? wire::http::name(static_cast<wire::http::Route>(row)) : "none", status, sum));
    }
}

std::uint64_t sum(const Door& door, Count Counters::* count) {
  std::uint64_t total = 0;
  for (const auto& thread : door.threads) total += (thread->counters().*count).value();
  return total;
}

void write_door(const Door& door, MetricsPage& page) {
  write_requests(door, page);
  page.gauge("continuo_http_connections", "Connections open now.", door.connections.load());
  page.counter("continuo_http_connections_total", "Connections accepted.", sum(door, &Counters::connections_opened));
  page.counter("continuo_http_connections_refused_total", "Connections refused for being too many.",
               door.refused_connections.load());
  page.counter("continuo_http_timeouts_total", "Connections ended for being too slow.",
               sum(door, &Counters::connections_timed_out));
  page.counter("continuo_kafka_requests_total", "Requests of Kafka clients.", sum(door, &Counters::kafka_requests));
  page.counter("continuo_kafka_broken_total", "Connections of Kafka clients ended for what they sent.",
               sum(door, &Counters::kafka_broken));
  page.counter("continuo_http_received_bytes_total", "Bytes received.", sum(door, &Counters::bytes_received));
  page.counter("continuo_http_sent_bytes_total", "Bytes sent.", sum(door, &Counters::bytes_sent));
  page.gauge("continuo_http_streams", "Answers in pieces that are open now: live tails and NDJSON.",
             sum(door, &Counters::streams));
  page.gauge("continuo_http_buffer_bytes", "Memory of requests and answers under way beyond 16 KiB a connection.",
             door.budget.taken());
}

void write_records(const node::Stats& stats, MetricsPage& page) {
  page.counter("continuo_published_events_total", "Events published and durable.", stats.published_events);
  page.counter("continuo_duplicate_events_total", "Events published again inside the window.", stats.duplicate_events);
  page.counter("continuo_refused_overload_total", "Requests refused for lack of credit or of room in the ring.",
               stats.refused_overload);
  page.counter("continuo_settled_total", "Leases settled.", stats.settled);
  page.counter("continuo_leases_lost_total", "Leases that ran out.", stats.leases_lost);
  page.counter("continuo_reads_total", "Reads of records.", stats.reads);
  page.counter("continuo_cold_reads_total", "Reads that went to a file.", stats.cold_reads);
  page.gauge("continuo_dedup_ids", "Event ids in the deduplication windows.", stats.dedup_ids);
  page.gauge_seconds("continuo_dedup_window_seconds", "The shortest deduplication window in effect.",
                     static_cast<double>(stats.dedup_window.count()) / 1e3);
  page.gauge("continuo_topics", "Topics.", stats.topics);
  page.gauge("continuo_partitions", "Partitions of all topics.", stats.partitions);
  page.gauge("continuo_subscriptions", "Subscriptions.", stats.subscriptions);
  page.gauge("continuo_units", "Units of state in memory.", stats.units);
}

void write_journal(const node::Stats& stats, MetricsPage& page) {
  page.counter("continuo_journal_groups_total", "Groups written: one write each.", stats.groups);
  page.counter("continuo_journal_frames_total", "Frames written.", stats.frames);
  page.counter("continuo_journal_bytes_total", "Bytes of journal written.", stats.journal_bytes);
  page.gauge("continuo_journal_used_bytes", "Bytes of the ring that are needed.", stats.journal_used_bytes);
  page.gauge("continuo_journal_size_bytes", "Size of the ring.", stats.journal_size_bytes);
  page.gauge_seconds("continuo_journal_flush_p50_seconds", "Median time of one journal write.",
                     stats.flush_p50_us / 1e6);
  page.gauge_seconds("continuo_journal_flush_p99_seconds", "99th percentile of one journal write.",
                     stats.flush_p99_us / 1e6);
  page.counter("continuo_checkpoints_total", "Checkpoints.", stats.checkpoints);
  page.counter("continuo_written_behind_bytes_total", "Bytes written to topic files.", stats.written_behind_bytes);
  page.gauge("continuo_tail_bytes", "Durable bytes not yet in topic files.", stats.tail_bytes);
  page.gauge("continuo_short_of_files", "1 while no file can be opened: topic files are not written.",
             stats.short_of_files);
  page.counter("continuo_wall_jumps_total", "Jumps of the machine's clock over 5 s.", stats.wall_jumps);
}

void write_health(node::Node& node, MetricsPage& page) {
  page.head("continuo_info", "Version of the program.", "gauge");
  page.line(fmt::format("continuo_info{{version=\"{}\"}} 1", CONTINUO_VERSION));
  page.gauge("continuo_ready", "1 while requests are served.",
             node.health() == node::Health::running || node.health() == node::Health::disk_full);
  page.gauge("continuo_disk_full", "1 while the disk is full and events are refused.",
             node.health() == node::Health::disk_full);
  page.gauge("continuo_durable", "0 when acknowledged data does not survive a power cut (tmpfs and the like).",
             node.durable());
}

// Of very many the first by name have a series.
void write_subscriptions(const node::Node& node, MetricsPage& page) {
  const auto catalogue = node.catalogue();
  page.head("continuo_subscription_matched_total", "Events a subscription took: those its filter matched.", "counter");
  std::size_t shown = 0;
  for (const auto& [name, subscription] : catalogue->subscriptions) {
    if (!subscription->matched) continue;
    if (++shown > shown_subscriptions) break;
    page.line(fmt::format("continuo_subscription_matched_total{{subscription=\"{}\"}} {}", name,
                          subscription->matched->load(std::memory_order_relaxed)));
  }
}

// ---- consumer groups ------------------------------------------------------------------------------------------------

std::string label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

// The series of groups; a label is text, so a group whose name is none has no series.
struct GroupSeries {
  std::string lag, members;
  std::size_t groups = 0;
};

GroupSeries series_of(node::Node& node, const engines::GroupsSurvey& survey) {
  const TopicsById topics(node);
  GroupSeries series;
  for (const engines::GroupsSurvey::Group& each : survey.groups) {
    const std::string& name = each.group.name;
    if (!record::is_utf8(name)) continue;
    if (series.lag.size() + series.members.size() > group_lines_bytes) break;
    ++series.groups;
    const std::string group = label(name);
    series.members += fmt::format("continuo_group_members{{group=\"{}\"}} {}\n", group, each.members);
    for (const TopicLag& topic : lag_by_topic(node, topics, each.committed))
      series.lag +=
          fmt::format("continuo_group_lag{{group=\"{}\",topic=\"{}\"}} {}\n", group, topic.topic->name, topic.lag);
  }
  return series;
}

// `survey` null: the core did not answer.
MetricsPage group_page(node::Node& node, const engines::GroupsSurvey* survey) {
  const GroupSeries series = survey != nullptr ? series_of(node, *survey) : GroupSeries{};
  MetricsPage page;
  page.head("continuo_group_lag", "Records that a consumer group has not committed, of a topic.", "gauge");
  page.lines(series.lag);
  page.head("continuo_group_members", "Members of a consumer group.", "gauge");
  page.lines(series.members);
  page.head("continuo_consumer_groups", "Consumer groups, by state.", "gauge");
  std::size_t all = 0;
  for (std::size_t state = 0; survey != nullptr && state < engines::group_states; ++state) {
    all += survey->states[state];
    page.line(fmt::format("continuo_consumer_groups{{state=\"{}\"}} {}",
                          engines::name(static_cast<engines::GroupState>(state)), survey->states[state]));
  }
  page.head("continuo_consumer_groups_left_out", "Consumer groups that have no series of their own here.", "gauge");
  if (survey != nullptr) page.line(fmt::format("continuo_consumer_groups_left_out {}", all - series.groups));
  return page;
}

// What the core told; null: it did not answer.
struct Told {
  MetricsPage groups, subscriptions;
};

void answer_page(Exchange& exchange, const Told* told) {
  Door& door = exchange.thread().door();
  MetricsPage page;
  write_health(door.node, page);
  const node::Stats stats = door.node.stats();
  write_records(stats, page);
  write_subscriptions(door.node, page);
  page.add(told != nullptr ? told->subscriptions : SubscriptionSeries::empty_page());
  page.add(told != nullptr ? told->groups : group_page(door.node, nullptr));
  if (door.options.other_metrics) page.lines(door.options.other_metrics());
  write_journal(stats, page);
  write_door(door, page);
  exchange.answer(200, wire::http::metrics_type, page.text());
}

/// Waits for the core's word, a while.
class MetricsActivity final : public Activity {
 public:
  explicit MetricsActivity(Exchange& exchange)
      : exchange_(exchange), deadline_(exchange.thread().clock().steady() + patience) {}

  /// Shared with the questions under way: true once nobody waits for their answers.
  std::shared_ptr<bool> over() const { return over_; }
  void tick(Micros now) override {
    if (now >= deadline_) answer_without();
  }
  void stopping() override { answer_without(); }

 private:
  void answer_without() {
    *over_ = true;
    answer_page(exchange_, nullptr);
  }

  Exchange& exchange_;
  const Micros deadline_;
  const std::shared_ptr<bool> over_ = std::make_shared<bool>(false);
};

/// Asks the core piece by piece: between two pieces others have their turn.
class Scrape final : public std::enable_shared_from_this<Scrape> {
 public:
  Scrape(Exchange& exchange, std::shared_ptr<bool> over)
      : exchange_(exchange.shared_from_this()), over_(std::move(over)) {}

  void ask_groups() {
    node().groups().survey(exchange_->thread(), {.after = {}, .groups = shown_groups},
                           [self = shared_from_this()](Result<engines::GroupsSurvey> survey) {
                             if (self->is_over()) return;
                             read_aside(
                                 *self->exchange_, survey && survey->offsets() > few_offsets,
                                 [&node = self->node(), survey = std::move(survey)] {
                                   return group_page(node, survey ? &*survey : nullptr);
                                 },
                                 [self](Exchange&, MetricsPage groups) {
                                   self->told_.groups = std::move(groups);
                                   self->ask_subscriptions({});
                                 });
                           });
  }

 private:
  struct Dated {
    std::vector<SurveyedSubscription> rows;
    std::size_t places_left = 0;
  };

  node::Node& node() { return exchange_->thread().node(); }
  bool is_over() const { return *over_ || exchange_->gone(); }

  void ask_subscriptions(std::string after) {
    if (is_over()) return;
    node().survey_subscriptions(exchange_->thread(), {.after = std::move(after)},
                                [self = shared_from_this()](Result<node::SubscriptionsSurvey> survey) {
                                  if (self->is_over()) return;
                                  if (!survey) return self->finish(SubscriptionSeries::empty_page());
                                  self->date(std::move(*survey));
                                });
  }

  void date(node::SubscriptionsSurvey survey) {
    const bool all = survey.all;
    const bool may_wait =
        std::ranges::any_of(survey.subscriptions, [](const auto& each) { return !each.unsettled.empty(); });
    read_aside(
        *exchange_, may_wait,
        [&node = node(), survey = std::move(survey), left = places_left_]() mutable {
          Dated dated{{}, left};
          dated.rows = date_oldest(node, std::move(survey), dated.places_left);
          return dated;
        },
        [self = shared_from_this(), all](Exchange& again, Dated dated) {
          self->places_left_ = dated.places_left;
          std::string last = dated.rows.empty() ? std::string{} : dated.rows.back().figures.name;
          self->series_.take(std::move(dated.rows));
          if (!all) return self->ask_subscriptions(std::move(last));
          self->finish(self->series_.page(again.thread().clock().wall()));
        });
  }

  void finish(MetricsPage subscriptions) {
    if (is_over()) return;
    *over_ = true;
    told_.subscriptions = std::move(subscriptions);
    answer_page(*exchange_, &told_);
  }

  const std::shared_ptr<Exchange> exchange_;
  const std::shared_ptr<bool> over_;
  Told told_;
  SubscriptionSeries series_;
  std::size_t places_left_ = dated_places;
};

}  // namespace

void metrics(Exchange& exchange) {
  auto activity = std::make_unique<MetricsActivity>(exchange);
  const std::shared_ptr<bool> over = activity->over();
  exchange.set_activity(std::move(activity));
  std::make_shared<Scrape>(exchange, over)->ask_groups();
}

}  // namespace continuo::serve
