// Releases of many parked keys, and subscriptions that go to another place.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/node/healing.h"
#include "continuo/record/cloudevents.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"
#include "continuo/serve/reading_aside.h"
#include "continuo/serve/release_json.h"

namespace continuo::serve {
namespace {

using Starts = std::vector<std::pair<PartitionRef, Offset>>;

auto answer_release(Exchange& exchange) {
  return [self = exchange.shared_from_this()](Result<node::Release> release) {
    if (!release) return self->refuse(release.error(), {});
    self->answer_json(release_json(*release), release->number == 0 ? 200 : 202);
  };
}

// The first offset of a partition from there on. Reads the index of the partition, and may read files.
Result<Offset> resolve(node::Node& node, const wire::http::From& from, PartitionRef partition) {
  auto state = node.partition_state(partition);
  if (!state) return pass(state);
  if (std::holds_alternative<wire::http::Earliest>(from)) return state->first;
  if (std::holds_alternative<wire::http::Latest>(from)) return state->next;
  if (const auto* time = std::get_if<WallTime>(&from)) return node.offset_at(partition, *time);
  const auto& position = std::get<wire::http::Position>(from);
  for (const auto& [id, next] : position.next)
    if (id == partition.partition) return std::clamp(next, state->first, state->next);
  return node.offset_at(partition, position.since);
}

}  // namespace

Result<Starts> starts_at(node::Node& node, const wire::http::From& from, std::span<const std::string> topics) {
  Starts starts;
  const auto catalogue = node.catalogue();
  for (const std::string& name : topics) {
    const node::Topic* topic = catalogue->find_topic(name);
    if (!topic) return std::unexpected(unknown_topic(name));
    const auto* position = std::get_if<wire::http::Position>(&from);
    if (position != nullptr && position->topic != topic->id) {
      if (topics.size() == 1) return fail(Code::bad_position, "the position is of another topic", "to");
      continue;  // of several topics a position moves its own
    }
    for (std::uint32_t id = 0; id < topic->settings.partitions; ++id) {
      auto start = resolve(node, from, {topic->id, PartitionId{id}});
      if (!start) return pass(start);
      starts.push_back({{topic->id, PartitionId{id}}, *start});
    }
  }
  return starts;
}

void release_parked(Exchange& exchange, const wire::http::ReleaseParked& request) {
  IoThread& thread = exchange.thread();
  const auto subscription = find_subscription(exchange, request.subscription);
  if (!subscription) return;
  node::ReleaseParked release{subscription->id,        request.filter,  request.rate,
                              request.stop_at_relapse, request.dry_run, request.asked};
  thread.node().healing().release(thread, std::move(release), answer_release(exchange));
}

void stop_release(Exchange& exchange, const wire::http::OneSubscription& request) {
  IoThread& thread = exchange.thread();
  if (const auto subscription = find_subscription(exchange, request.subscription))
    thread.node().healing().stop_release(thread, subscription->id,
                                         [self = exchange.shared_from_this()](Result<node::Release> release) {
                                           if (!release) return self->refuse(release.error(), {});
                                           self->answer_json(release_json(*release));
                                         });
}

void get_release(Exchange& exchange, const wire::http::OneSubscription& request) {
  IoThread& thread = exchange.thread();
  if (const auto subscription = find_subscription(exchange, request.subscription))
    thread.node().healing().last_release(
        thread, subscription->id, [self = exchange.shared_from_this()](Result<std::optional<node::Release>> release) {
          if (!release) return self->refuse(release.error(), {});
          self->answer_json(*release ? release_json(**release) : R"({"state":"none"})");
        });
}

void seek(Exchange& exchange, const wire::http::SeekSubscription& request) {
  IoThread& thread = exchange.thread();
  const auto subscription = find_subscription(exchange, request.subscription);
  if (!subscription) return;
  node::Seek wanted;
  wanted.subscription = subscription->id;
  wanted.asked = request.asked;
  if (request.keep_parked) wanted.parked = *request.keep_parked ? node::ParkedFate::keep : node::ParkedFate::discard;
  read_aside(
      exchange, true,
      [&node = thread.node(), to = request.to, topics = subscription->settings.topics] {
        return starts_at(node, to, topics);
      },
      [wanted = std::move(wanted)](Exchange& again, Result<Starts> starts) mutable {
        if (!starts) return again.refuse(starts.error(), {});
        wanted.to = std::move(*starts);
        again.thread().node().healing().seek(again.thread(), std::move(wanted),
                                             [self = again.shared_from_this()](Result<node::Subscription> moved) {
                                               if (!moved) return self->refuse(moved.error(), {});
                                               self->answer_json(fmt::format(R"({{"epoch":{}}})", moved->epoch));
                                             });
      });
}

std::string release_json(const node::Release& release) {
  const auto text = [](std::string_view name, std::string_view value) {
    std::string out = fmt::format(",\"{}\":", name);
    record::write_json_string(value, out);
    return out;
  };
  std::string out = "{";
  if (release.number != 0)
    out += fmt::format(R"("release":{},"state":"{}",)", release.number, engines::name(release.state));
  out += fmt::format(R"("matching":{},"released":{},"relapsed":{},"stop_at_relapse":{})", release.total,
                     release.released, release.relapsed, release.stop_at_relapse);
  if (release.rate != 0) out += fmt::format(R"(,"rate":"{}/s")", release.rate);
  if (!release.filter.fingerprint.empty()) out += text("fingerprint", release.filter.fingerprint);
  if (!release.filter.event_type.empty()) out += text("type", release.filter.event_type);
  if (release.filter.after) out += text("after", format_time(*release.filter.after));
  if (release.filter.before) out += text("before", format_time(*release.filter.before));
  if (release.number != 0)
    out += text("by", release.by) + text("reason", release.reason) + text("started", format_time(release.started));
  return out + "}";
}

}  // namespace continuo::serve
