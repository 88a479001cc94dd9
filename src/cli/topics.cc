// continuo topic ...
#include <fmt/format.h>

#include "continuo/cli/commands.h"

namespace continuo::cli {
namespace {

namespace json = boost::json;

// A setting as given on the command line; nothing given: nothing said.
template <class T>
Result<void> read(const std::string& text, Result<T> (*parse)(std::string_view), auto& into) {
  if (text.empty()) return {};
  auto value = parse(text);
  if (!value) return pass(value);
  into = *value;
  return {};
}

// The same, where there may be none.
template <class T>
Result<void> read_or_none(const std::string& text, Result<T> (*parse)(std::string_view),
                          std::optional<std::optional<T>>& into) {
  if (text != "none") return read(text, parse, into);
  into.emplace();
  return {};
}

Result<client::TopicSettings> settings_of(const TopicCreate& command) {
  client::TopicSettings settings;
  settings.partitions = command.partitions;
  if (!command.timestamps.empty()) settings.timestamps = command.timestamps;
  for (const auto& done :
       {read(command.retention_time, parse_duration, settings.retention_time),
        read(command.retention_bytes, parse_size, settings.retention_bytes),
        read(command.dedup_window, parse_duration, settings.dedup_window),
        read(command.max_batch, parse_size, settings.max_batch), read(command.segment, parse_size, settings.segment)})
    if (!done) return std::unexpected(done.error());
  return settings;
}

Result<client::TopicChange> change_of(const TopicChange& command) {
  client::TopicChange change;
  if (command.partitions != 0) change.partitions = command.partitions;
  if (!command.timestamps.empty()) change.timestamps = command.timestamps;
  for (const auto& done : {read_or_none(command.retention_time, parse_duration, change.retention_time),
                           read_or_none(command.retention_bytes, parse_size, change.retention_bytes),
                           read(command.dedup_window, parse_duration, change.dedup_window),
                           read(command.max_batch, parse_size, change.max_batch),
                           read_or_none(command.segment, parse_size, change.segment)})
    if (!done) return std::unexpected(done.error());
  return change;
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

Result<void> topic_change(const Session& session, const TopicChange& command) {
  auto change = change_of(command);
  if (!change) return pass(change);
  auto server = session.connect();
  if (!server) return pass(server);
  if (auto changed = server->change_topic(command.name, *change); !changed) return changed;
  fmt::print("topic {} changed\n", command.name);
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
