// Committed offsets of an empty consumer group, set by an operator.
//
// Looked at first: the group must be empty, the topic there. Then the offsets are found - for a time in files, on a
// reader thread - and committed as a consumer that assigns itself would commit them, which the core takes only while
// the group is still empty.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/node/groups.h"
#include "continuo/record/cloudevents.h"
#include "continuo/serve/group_lag.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"
#include "continuo/serve/reading_aside.h"

namespace continuo::serve {
namespace {

using engines::GroupError;
using wire::http::ResetOffsets;

struct Row {
  PartitionRef partition;
  std::optional<Offset> before;
  Offset to{0};
  Offset next{0};
};

/// One request on its way.
struct Reset {
  ResetOffsets asked;
  node::Topic topic;
  std::vector<Row> rows;
};

// The place in one partition. Offsets outside of what it holds become its ends, as with kafka-consumer-groups.
Result<Offset> place_of(node::Node& node, const node::PartitionState& state, PartitionRef partition,
                        const ResetOffsets& asked) {
  if (const auto* offset = std::get_if<Offset>(&asked.to)) return std::clamp(*offset, state.first, state.next);
  if (const auto* time = std::get_if<WallTime>(&asked.to)) {
    auto found = node.first_record_since(partition, time->ms);
    if (!found) return pass(found);
    return *found ? (*found)->offset : state.next;
  }
  return std::holds_alternative<wire::http::Earliest>(asked.to) ? state.first : state.next;
}

Result<void> find_places(node::Node& node, Reset& reset) {
  for (Row& row : reset.rows) {
    const auto state = node.partition_state(row.partition);
    if (!state) return std::unexpected(state.error());
    auto place = place_of(node, *state, row.partition, reset.asked);
    if (!place) return pass(place);
    row.to = *place;
    row.next = state->next;
  }
  return {};
}

std::string reset_json(const Reset& reset) {
  std::string out = "{\"name\":";
  record::write_json_string(reset.asked.group, out);
  out += fmt::format(",\"topic\":\"{}\",\"dry_run\":{},\"partitions\":[", reset.topic.name, reset.asked.dry_run);
  for (const Row& row : reset.rows) {
    if (out.back() != '[') out += ",";
    out += fmt::format("{{\"partition\":{},\"before\":{},\"committed\":\"{}\",\"next\":\"{}\",\"lag\":{}}}",
                       row.partition.partition.value, row.before ? fmt::format("\"{}\"", row.before->value) : "null",
                       row.to.value, row.next.value, lag_between(row.to, row.next));
  }
  return out + "]}";
}

void answer_committed(Exchange& exchange, const Reset& reset, const node::GroupOutcomes& outcomes) {
  if (outcomes.error != GroupError::none) return exchange.refuse(group_refusal(outcomes.error, reset.asked.group), {});
  const auto refused = std::ranges::find_if(outcomes.each, [](GroupError error) { return error != GroupError::none; });
  if (refused == outcomes.each.end()) return exchange.answer_json(reset_json(reset));
  Error error = group_refusal(*refused, reset.asked.group);
  error.detail += fmt::format("; {} of {} partitions were set", std::ranges::count(outcomes.each, GroupError::none),
                              outcomes.each.size());
  exchange.refuse(error, {});
}

void commit(Exchange& exchange, Reset reset) {
  if (reset.asked.dry_run) return exchange.answer_json(reset_json(reset));
  engines::CommitOffsets request;
  request.who.group = reset.asked.group;
  for (const Row& row : reset.rows) request.partitions.push_back({row.partition, row.to, std::nullopt, {}});
  IoThread& thread = exchange.thread();
  thread.node().groups().commit(
      thread, std::move(request),
      [self = exchange.shared_from_this(), reset = std::move(reset)](Result<node::GroupOutcomes> done) {
        if (!done) return self->refuse(done.error(), {});
        answer_committed(*self, reset, *done);
      });
}

void find_and_commit(Exchange& exchange, Reset reset) {
  const bool by_time = std::holds_alternative<WallTime>(reset.asked.to);
  read_aside(
      exchange, by_time,
      [&node = exchange.thread().node(), reset = std::move(reset)]() mutable -> Result<Reset> {
        if (auto found = find_places(node, reset); !found) return pass(found);
        return std::move(reset);
      },
      [](Exchange& again, Result<Reset> found) {
        if (again.gone()) return;
        if (!found) return again.refuse(found.error(), {});
        commit(again, std::move(*found));
      });
}

// What was committed before, for the answer.
void look_before(Exchange& exchange, Reset reset) {
  IoThread& thread = exchange.thread();
  std::string group = reset.asked.group;
  thread.node().groups().committed(
      thread, std::move(group),
      [self = exchange.shared_from_this(),
       reset = std::move(reset)](Result<std::vector<node::CommittedOffset>> committed) mutable {
        if (self->gone()) return;
        if (!committed) return self->refuse(committed.error(), {});
        for (Row& row : reset.rows) {
          const auto found = std::ranges::find(*committed, row.partition, &node::CommittedOffset::partition);
          if (found != committed->end()) row.before = found->offset;
        }
        find_and_commit(*self, std::move(reset));
      });
}

}  // namespace

void reset_offsets(Exchange& exchange, ResetOffsets request) {
  IoThread& thread = exchange.thread();
  const auto catalogue = thread.node().catalogue();
  const node::Topic* topic = catalogue->find_topic(request.topic);
  if (!topic) return exchange.refuse(unknown_topic(request.topic), {});
  if (request.partition && request.partition->value >= topic->settings.partitions)
    return exchange.refuse(unknown_partition(*topic, *request.partition), {});
  Reset reset{.asked = std::move(request), .topic = *topic, .rows = {}};
  if (reset.asked.partition)
    reset.rows.push_back({.partition = {topic->id, *reset.asked.partition}, .before = {}});
  else
    for (std::uint32_t i = 0; i < topic->settings.partitions; ++i)
      reset.rows.push_back({.partition = {topic->id, PartitionId{i}}, .before = {}});
  std::string group = reset.asked.group;
  thread.node().groups().describe(
      thread, std::move(group),
      [self = exchange.shared_from_this(),
       reset = std::move(reset)](Result<std::optional<engines::GroupDescription>> found) mutable {
        if (self->gone()) return;
        if (!found) return self->refuse(found.error(), {});
        if (*found && (*found)->group.state != engines::GroupState::empty)
          return self->refuse(group_refusal(GroupError::non_empty_group, reset.asked.group), {});
        look_before(*self, std::move(reset));
      });
}

}  // namespace continuo::serve
