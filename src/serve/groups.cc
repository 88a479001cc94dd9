// Kafka's consumer groups: look at all, at one, delete.
#include "continuo/node/groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "continuo/record/cloudevents.h"
#include "continuo/serve/group_lag.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"
#include "continuo/serve/reading_aside.h"
#include "continuo/wire/http/uri.h"
#include "continuo/wire/kafka/assignment.h"

namespace continuo::serve {
namespace {

using Committed = std::vector<node::CommittedOffset>;
using engines::GroupDescription;
using engines::GroupsSurvey;

void write_text(std::string_view name, std::string_view text, std::string& out) {
  out += fmt::format(",\"{}\":", name);
  record::write_json_string(text, out);
}

void write_text_or_null(std::string_view name, const std::string* text, std::string& out) {
  if (text != nullptr) return write_text(name, *text, out);
  out += fmt::format(",\"{}\":null", name);
}

// A name may hold bytes that JSON cannot: the path holds them all.
void write_summary(const engines::GroupSummary& group, std::string& out) {
  out += "{\"name\":";
  record::write_json_string(group.name, out);
  out += ",\"path\":\"/v1/groups/";
  wire::http::percent_encode(group.name, out);
  out += fmt::format("\",\"state\":\"{}\"", engines::name(group.state));
  write_text("protocol_type", group.protocol_type, out);
}

void write_lag(std::optional<std::uint64_t> lag, std::string& out) {
  out += lag ? fmt::format(",\"lag\":{}", *lag) : ",\"lag\":null";
}

Error too_many_answers() { return {Code::overloaded, "too many answers are under way", {}, {}, 1}; }

// ---- all groups -----------------------------------------------------------------------------------------------------

void write_row(node::Node& node, const TopicsById& topics, const GroupsSurvey::Group& group, std::string& out) {
  write_summary(group.group, out);
  out += fmt::format(",\"members\":{},\"topics\":[", group.members);
  std::optional<std::uint64_t> sum;
  std::vector<std::string_view> names;
  for (const TopicLag& each : lag_by_topic(node, topics, group.committed)) {
    names.push_back(each.topic->name);
    sum = sum.value_or(0) + each.lag;
  }
  std::ranges::sort(names);
  for (const std::string_view name : names) {
    if (out.back() != '[') out += ",";
    record::write_json_string(name, out);
  }
  out += "]";
  write_lag(sum, out);
  out += "}";
}

std::string list_json(node::Node& node, const GroupsSurvey& survey) {
  const TopicsById topics(node);
  std::string out = "{\"groups\":[";
  for (const GroupsSurvey::Group& group : survey.groups) {
    if (out.back() != '[') out += ",";
    write_row(node, topics, group, out);
  }
  out += "]";
  if (!survey.all) write_text("next", wire::http::group_token(survey.groups.back().group.name), out);
  return out + "}";
}

// ---- one group ------------------------------------------------------------------------------------------------------

struct Assigned {
  std::vector<std::pair<const node::Topic*, std::vector<std::uint32_t>>> topics;
};

// Topics and partitions that are not there are left out, so that an answer is bounded by those that are.
Assigned assigned_to(const GroupDescription::Member& member, const node::Catalogue& catalogue) {
  Assigned all;
  const auto assignment = wire::kafka::read_assignment(member.assignment);
  if (!assignment) return all;
  for (const auto& each : assignment->assigned_partitions) {
    const node::Topic* topic = catalogue.find_topic(each.topic);
    if (topic == nullptr) continue;
    std::vector<std::uint32_t> partitions;
    for (const std::int32_t partition : each.partitions)
      if (partition >= 0 && static_cast<std::uint32_t>(partition) < topic->settings.partitions)
        partitions.push_back(static_cast<std::uint32_t>(partition));
    std::ranges::sort(partitions);
    all.topics.emplace_back(topic, std::move(partitions));
  }
  return all;
}

void write_member(const GroupDescription::Member& member, const Assigned& assigned, std::string& out) {
  out += "{\"id\":";
  record::write_json_string(member.id, out);
  write_text_or_null("instance_id", member.instance ? &*member.instance : nullptr, out);
  write_text("client_id", member.client_id, out);
  write_text("host", member.client_host, out);
  out += ",\"assigned\":[";
  for (const auto& [topic, partitions] : assigned.topics)
    out += fmt::format("{}{{\"topic\":\"{}\",\"partitions\":[{}]}}", out.back() == '[' ? "" : ",", topic->name,
                       fmt::join(partitions, ","));
  out += "]}";
}

/// One partition of the group's: committed in, assigned, or both.
struct Row {
  PartitionRef partition;
  const node::CommittedOffset* committed = nullptr;
  const std::string* member = nullptr;
};
using Rows = std::map<std::pair<std::string_view, std::uint32_t>, Row>;  // by topic's name and partition

// None: the partition was deleted meanwhile.
std::optional<std::uint64_t> write_row(std::string_view topic, const Row& row, Offset next, std::string& out) {
  out += fmt::format("{{\"topic\":\"{}\",\"partition\":{},\"committed\":", topic, row.partition.partition.value);
  out += row.committed != nullptr ? fmt::format("\"{}\"", row.committed->offset.value) : "null";
  write_text_or_null("metadata", row.committed != nullptr ? &row.committed->metadata : nullptr, out);
  out += fmt::format(",\"next\":\"{}\"", next.value);
  std::optional<std::uint64_t> lag;
  if (row.committed != nullptr) lag = lag_between(row.committed->offset, next);
  write_lag(lag, out);
  write_text_or_null("member", row.member, out);
  out += "}";
  return lag;
}

std::optional<std::uint64_t> write_rows(node::Node& node, const Rows& rows, std::string& out) {
  std::optional<std::uint64_t> sum;
  out += ",\"partitions\":[";
  for (const auto& [place, row] : rows) {
    const auto state = node.partition_state(row.partition);
    if (!state) continue;  // deleted meanwhile
    if (out.back() != '[') out += ",";
    if (const auto lag = write_row(place.first, row, state->next, out)) sum = sum.value_or(0) + *lag;
  }
  out += "]";
  return sum;
}

std::string group_json(node::Node& node, const GroupDescription& group, const Committed& committed) {
  const TopicsById topics(node);
  const auto catalogue = node.catalogue();
  Rows rows;
  for (const node::CommittedOffset& each : committed)
    if (const node::Topic* topic = topics.find(each.partition.topic))
      rows[{topic->name, each.partition.partition.value}] = {each.partition, &each, nullptr};
  std::string out;
  write_summary(group.group, out);
  write_text_or_null("protocol", group.protocol.empty() ? nullptr : &group.protocol, out);
  out += fmt::format(",\"generation\":{}", group.generation);
  write_text_or_null("leader", group.leader.empty() ? nullptr : &group.leader, out);
  out += ",\"members\":[";
  for (const GroupDescription::Member& member : group.members) {
    const Assigned assigned = assigned_to(member, *catalogue);
    if (out.back() != '[') out += ",";
    write_member(member, assigned, out);
    for (const auto& [topic, partitions] : assigned.topics)
      for (const std::uint32_t partition : partitions) {
        Row& row = rows[{topic->name, partition}];
        row.partition = {topic->id, PartitionId{partition}};
        row.member = &member.id;
      }
  }
  out += "]";
  write_lag(write_rows(node, rows, out), out);
  return out + "}";
}

void answer_group(Exchange& exchange, GroupDescription group, Committed committed) {
  node::Node& node = exchange.thread().node();
  std::size_t partitions = committed.size();
  for (const GroupDescription::Member& member : group.members)
    partitions += member.assignment.size() / sizeof(std::int32_t);
  read_aside(
      exchange, partitions > few_offsets,
      [&node, group = std::move(group), committed = std::move(committed)] {
        return group_json(node, group, committed);
      },
      [](Exchange& again, const std::string& json) { again.answer_json(json); });
}

}  // namespace

void list_groups(Exchange& exchange, const wire::http::ListGroups& request) {
  IoThread& thread = exchange.thread();
  if (thread.door().budget.exhausted()) return exchange.refuse(too_many_answers(), {});
  thread.node().groups().survey(
      thread, {.after = request.after, .groups = request.limit},
      [self = exchange.shared_from_this()](Result<GroupsSurvey> survey) {
        if (self->gone()) return;
        if (!survey) return self->refuse(survey.error(), {});
        read_aside(
            *self, survey->offsets() > few_offsets,
            [&node = self->thread().node(), all = std::move(*survey)] { return list_json(node, all); },
            [](Exchange& again, const std::string& json) { again.answer_json(json); });
      });
}

void get_group(Exchange& exchange, const wire::http::OneGroup& request) {
  IoThread& thread = exchange.thread();
  if (thread.door().budget.exhausted()) return exchange.refuse(too_many_answers(), {});
  thread.node().groups().describe(
      thread, request.group,
      [self = exchange.shared_from_this(), name = request.group](Result<std::optional<GroupDescription>> found) {
        if (self->gone()) return;
        if (!found) return self->refuse(found.error(), {});
        if (!*found) return self->refuse(group_refusal(engines::GroupError::group_id_not_found, name), {});
        self->thread().node().groups().committed(
            self->thread(), name, [self, group = std::move(**found)](Result<Committed> committed) mutable {
              if (self->gone()) return;
              if (!committed) return self->refuse(committed.error(), {});
              answer_group(*self, std::move(group), std::move(*committed));
            });
      });
}

void delete_group(Exchange& exchange, const wire::http::OneGroup& request) {
  IoThread& thread = exchange.thread();
  thread.node().groups().remove(
      thread, request.group,
      [self = exchange.shared_from_this(), name = request.group](Result<engines::GroupError> done) {
        if (!done) return self->refuse(done.error(), {});
        if (*done != engines::GroupError::none) return self->refuse(group_refusal(*done, name), {});
        self->answer(204, {}, {}, {});
      });
}

}  // namespace continuo::serve
