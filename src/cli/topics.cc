// continuo topic ...
#include <fmt/format.h>

#include "continuo/cli/commands.h"

namespace continuo::cli {
namespace {

namespace json = boost::json;

Result<client::TopicSettings> settings_of(const TopicCreate& command) {
  client::TopicSettings settings{
      .partitions = command.partitions, .retention_time = {}, .retention_bytes = {}, .dedup_window = {}};
  for (const auto& [text, into] : {std::pair{&command.retention_time, &settings.retention_time},
                                   std::pair{&command.dedup_window, &settings.dedup_window}}) {
    if (text->empty()) continue;
    auto duration = parse_duration(*text);
    if (!duration) return pass(duration);
    *into = *duration;
  }
  if (!command.retention_bytes.empty()) {
    auto size = parse_size(command.retention_bytes);
    if (!size) return pass(size);
    settings.retention_bytes = *size;
  }
  return settings;
}

// What a listing tells of a topic, from its state.
json::object row_of(const client::Topic& topic) {
  std::int64_t events = 0;
  std::uint64_t bytes = 0;
  for (const client::PartitionState& partition : topic.partitions) {
    events += partition.next - partition.first;
    bytes += partition.bytes;
  }
  return {{"topic", topic.name}, {"partitions", topic.partitions.size()}, {"events", events}, {"bytes", bytes}};
}

}  // namespace

Result<void> topic_create(const Session& session, const TopicCreate& command) {
  auto settings = settings_of(command);
  if (!settings) return pass(settings);
  auto server = session.connect();
  if (!server) return pass(server);
  auto made = server->create_topic(command.name, *settings);
  if (!made) return pass(made);
  fmt::print("topic {} {}\n", command.name, *made ? "created" : "was there, with the same settings");
  return {};
}

Result<void> topic_list(const Session& session) {
  auto format = session.format();
  if (!format) return pass(format);
  auto server = session.connect();
  if (!server) return pass(server);
  auto names = server->topics();
  if (!names) return pass(names);
  Listing listing({"topic", "partitions", "events", "bytes"});
  for (const std::string& name : *names) {
    auto topic = server->topic(name);
    if (!topic && topic.error().code == Code::unknown_topic) continue;  // deleted meanwhile
    if (!topic) return pass(topic);
    listing.add(row_of(*topic));
  }
  listing.print(*format);
  return {};
}

Result<void> topic_show(const Session& session, const std::string& name) {
  auto format = session.format();
  if (!format) return pass(format);
  auto server = session.connect();
  if (!server) return pass(server);
  auto topic = server->topic(name);
  if (!topic) return pass(topic);
  json::object object = parse_object(topic->json);
  if (settle(*format) != Format::table) {
    print_object(object, *format);
    return {};
  }
  object.erase("partitions");
  print_object(object, Format::table);
  Listing listing({"partition", "first", "next", "bytes"});
  for (const client::PartitionState& state : topic->partitions)
    listing.add({{"partition", state.partition.value},
                 {"first", state.first.value},
                 {"next", state.next.value},
                 {"bytes", state.bytes}});
  fmt::print("\n");
  listing.print(Format::table);
  return {};
}

Result<void> topic_delete(const Session& session, const std::vector<std::string>& names) {
  auto server = session.connect();
  if (!server) return pass(server);
  for (const std::string& name : names) {
    if (auto gone = server->delete_topic(name); !gone) return gone;
    fmt::print("topic {} deleted\n", name);
  }
  return {};
}

Result<void> topic_trim(const Session& session, const TopicTrim& command) {
  auto server = session.connect();
  if (!server) return pass(server);
  auto trimmed = server->trim(command.name, PartitionId{command.partition}, Offset{command.before});
  if (!trimmed) return trimmed;
  fmt::print("topic {} partition {}: events before {} deleted\n", command.name, command.partition, command.before);
  return {};
}

}  // namespace continuo::cli
