// The node's own pages: what it is, whether it lives, what its errors mean.
#include <fmt/format.h>

#include "continuo/record/cloudevents.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"
#include "continuo/wire/http/openapi.h"

namespace continuo::serve {
namespace {

std::string_view name(node::Health health) {
  switch (health) {
    case node::Health::recovering: return "recovering";
    case node::Health::running: return "running";
    case node::Health::disk_full: return "disk_full";
    case node::Health::failed: return "failed";
    case node::Health::stopped: return "stopped";
  }
  return "unknown";
}

// docs/http.md lists the same.
std::string limits_json(const Door& door) {
  const node::Limits& limits = door.node.options().limits;
  const ServerOptions& options = door.options;
  const std::pair<std::string_view, std::uint64_t> all[] = {
      {"topics", limits.topics},
      {"partitions_per_topic", limits.partitions_per_topic},
      {"partitions", limits.partitions},
      {"subscriptions", limits.subscriptions},
      {"outstanding_per_subscription", limits.outstanding_per_subscription},
      {"parked_per_subscription", limits.parked_per_subscription},
      {"outstanding", limits.outstanding},
      {"header_bytes", wire::http::HeadLimits{}.bytes},
      {"header_fields", wire::http::HeadLimits{}.fields},
      {"request_bytes", options.max_body_bytes},
      {"json_depth", record::EventLimits{}.json_depth},
      {"frame_bytes", limits.frame_bytes},
      {"events_per_request", limits.events_per_request},
      {"chunk_events", chunk_events},
      {"chunk_bytes", chunk_bytes},
      {"read_events", wire::http::Read::max_limit},
      {"read_bytes", read_answer_bytes},
      {"receive_events", wire::http::Receive::most},
      {"deliveries_bytes", options.max_deliveries_bytes},
      {"settle_entries", wire::http::Settle::most},
      {"parked_keys_listed", wire::http::ListParked::max_limit},
      {"groups_listed", wire::http::ListGroups::max_limit},
      {"wait_ms", static_cast<std::uint64_t>(wire::http::longest_wait.count())},
      {"connections", options.max_connections},
      {"buffer_bytes", options.max_buffer_bytes},
      {"publish_requests_in_flight", limits.publish_credit_items},
      {"publish_bytes_in_flight", limits.publish_credit_bytes},
      {"settles_in_flight", limits.settle_credit_items},
      {"others_in_flight", limits.control_credit_items},
      {"head_ms", static_cast<std::uint64_t>(options.timeouts.header.count())},
      {"body_ms", static_cast<std::uint64_t>(options.timeouts.body.count())},
      {"body_bytes_per_s", options.timeouts.body_rate},
      {"answer_ms", static_cast<std::uint64_t>(options.timeouts.write.count())},
      {"answer_bytes_per_s", options.timeouts.write_rate},
      {"idle_ms", static_cast<std::uint64_t>(options.timeouts.idle.count())},
  };
  std::string out = "{";
  for (const auto& [name, value] : all) out += fmt::format("{}\"{}\":{}", out.size() == 1 ? "" : ",", name, value);
  return out + "}";
}

std::string capabilities_json() {
  return R"(["ordered_within_partitions","atomic_requests","deduplication","subscriptions"])";
}

}  // namespace

void node_page(Exchange& exchange) {
  Door& door = exchange.thread().door();
  std::string out =
      fmt::format(R"({{"name":"continuo","version":"{}","data_format":1,"home":"embedded","durable":{},"health":"{}")",
                  CONTINUO_VERSION, door.node.durable(), name(door.node.health()));
  if (const std::string failure = door.node.failure(); !failure.empty()) {
    out += ",\"failure\":";
    record::write_json_string(failure, out);
  }
  out += ",\"data\":";
  record::write_json_string(door.node.options().data, out);
  out += fmt::format(R"(,"auto_create":{},"capabilities":{},"limits":{}}})", door.options.auto_create,
                     capabilities_json(), limits_json(door));
  exchange.answer_json(out);
}

void livez(Exchange& exchange) { exchange.answer_json(R"({"live":true})"); }

void readyz(Exchange& exchange) {
  node::Node& node = exchange.thread().node();
  const node::Health health = node.health();
  if (health == node::Health::failed) return exchange.refuse({Code::node_failed, node.failure(), {}, {}}, {});
  if (health == node::Health::recovering || health == node::Health::stopped)
    return exchange.refuse({Code::not_ready, fmt::format("the node is {}", name(health)), {}, {}}, {});
  exchange.answer_json(fmt::format(R"({{"ready":true,"health":"{}"}})", name(health)));
}

void openapi(Exchange& exchange) { exchange.answer_json(wire::http::openapi_document()); }

void error_page(Exchange& exchange, const wire::http::ErrorPage& request) {
  const CodeInfo* entry = find_code(request.code);
  if (!entry)
    return exchange.refuse({Code::not_found, "there is no such error code", "code", "see docs/errors.md"}, {});
  const std::string_view accept = exchange.request().accept();
  if (accept.find("text/plain") != std::string_view::npos || accept.find("text/html") != std::string_view::npos)
    return exchange.answer(200, wire::http::text_type,
                           fmt::format("{} ({})\n{}\n\n{}\n\n{}\n", entry->name, entry->http_status, entry->title,
                                       entry->meaning, entry->mend));
  std::string out = fmt::format(R"({{"code":"{}","status":{},"title":)", entry->name, entry->http_status);
  record::write_json_string(entry->title, out);
  out += ",\"meaning\":";
  record::write_json_string(entry->meaning, out);
  out += ",\"mend\":";
  record::write_json_string(entry->mend, out);
  exchange.answer_json(out + "}");
}

}  // namespace continuo::serve
