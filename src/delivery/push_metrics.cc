#include "continuo/delivery/push_metrics.h"

#include <fmt/format.h>

#include <iterator>

namespace continuo::delivery {
namespace {

constexpr std::size_t shown = 1'000;

void head(std::string_view name, std::string_view what, std::string_view kind, std::string& out) {
  out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, what, kind);
}

template <class Line>
void each(const PushCountsByName& all, const Line& line) {
  std::size_t count = 0;
  for (const auto& [name, of] : all) {
    if (++count > shown) break;
    line(fmt::format("subscription=\"{}\",target=\"{}\"", name, of.target), *of.counts);
  }
}

void write_times(const PushCountsByName& all, std::string& out) {
  constexpr std::string_view name = "continuo_push_seconds";
  head(name, "Time that deliveries took, failed ones too.", "histogram", out);
  each(all, [&](const std::string& labels, const PushCounts& counts) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < counts.took.size(); ++i) {
      sum += counts.took[i].load(std::memory_order_relaxed);
      const std::string end =
          i < PushCounts::seconds.size() ? fmt::format("{}", PushCounts::seconds[i]) : std::string{"+Inf"};
      out += fmt::format("{}_bucket{{{},le=\"{}\"}} {}\n", name, labels, end, sum);
    }
    out += fmt::format("{}_sum{{{}}} {:.6f}\n{}_count{{{}}} {}\n", name, labels,
                       static_cast<double>(counts.micros.load(std::memory_order_relaxed)) / 1e6, name, labels, sum);
  });
}

}  // namespace

std::string push_metrics(const PushCountsByName& all) {
  std::string out;
  head("continuo_push_delivered_total", "Events brought to a subscription's target.", "counter", out);
  each(all, [&](const std::string& labels, const PushCounts& counts) {
    out += fmt::format("continuo_push_delivered_total{{{}}} {}\n", labels, counts.delivered.load());
  });
  head("continuo_push_failed_total", "Deliveries to a target that failed, by what happened.", "counter", out);
  each(all, [&](const std::string& labels, const PushCounts& counts) {
    for (std::size_t i = 0; i < PushCounts::failures.size(); ++i)
      if (const auto count = counts.failed[i].load(); count != 0)
        out +=
            fmt::format("continuo_push_failed_total{{{},failure=\"{}\"}} {}\n", labels, PushCounts::failures[i], count);
  });
  head("continuo_push_in_flight", "Events on their way to a target.", "gauge", out);
  each(all, [&](const std::string& labels, const PushCounts& counts) {
    out += fmt::format("continuo_push_in_flight{{{}}} {}\n", labels, counts.in_flight.load());
  });
  head("continuo_push_held", "1 while nothing is sent: the breaker is open, or the target topic is gone.", "gauge",
       out);
  each(all, [&](const std::string& labels, const PushCounts& counts) {
    out += fmt::format("continuo_push_held{{{}}} {}\n", labels, static_cast<int>(counts.held.load()));
  });
  write_times(all, out);
  return out;
}

}  // namespace continuo::delivery
