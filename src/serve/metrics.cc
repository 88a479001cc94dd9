// The metrics page, in Prometheus' text format 0.0.4. Every name is in docs/metrics.md; a test compares.
#include <fmt/format.h>

#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"

namespace continuo::serve {
namespace {

class Page {
 public:
  void counter(std::string_view name, std::string_view what, std::uint64_t value) {
    plain(name, what, "counter", value);
  }
  void gauge(std::string_view name, std::string_view what, std::uint64_t value) { plain(name, what, "gauge", value); }
  void gauge_seconds(std::string_view name, std::string_view what, double seconds) {
    head(name, what, "gauge");
    text_ += fmt::format("{} {:.9f}\n", name, seconds);
  }
  void head(std::string_view name, std::string_view what, std::string_view kind) {
    text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, what, kind);
  }
  void line(std::string_view text) { text_.append(text).append("\n"); }
  const std::string& text() const { return text_; }

 private:
  void plain(std::string_view name, std::string_view what, std::string_view kind, std::uint64_t value) {
    head(name, what, kind);
    text_ += fmt::format("{} {}\n", name, value);
  }
  std::string text_;
};

void write_requests(const Door& door, Page& page) {
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

void write_door(const Door& door, Page& page) {
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

void write_records(const node::Stats& stats, Page& page) {
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

void write_journal(const node::Stats& stats, Page& page) {
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

void write_health(node::Node& node, Page& page) {
  page.head("continuo_info", "Version of the program.", "gauge");
  page.line(fmt::format("continuo_info{{version=\"{}\"}} 1", CONTINUO_VERSION));
  page.gauge("continuo_ready", "1 while requests are served.",
             node.health() == node::Health::running || node.health() == node::Health::disk_full);
  page.gauge("continuo_disk_full", "1 while the disk is full and events are refused.",
             node.health() == node::Health::disk_full);
  page.gauge("continuo_durable", "0 when acknowledged data does not survive a power cut (tmpfs and the like).",
             node.durable());
}

}  // namespace

void metrics(Exchange& exchange) {
  Door& door = exchange.thread().door();
  Page page;
  write_health(door.node, page);
  const node::Stats stats = door.node.stats();
  write_records(stats, page);
  write_journal(stats, page);
  write_door(door, page);
  exchange.answer(200, wire::http::metrics_type, page.text());
}

}  // namespace continuo::serve
