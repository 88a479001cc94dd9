// continuo group ...
#include <fmt/format.h>

#include "continuo/cli/commands.h"

namespace continuo::cli {
namespace {

namespace json = boost::json;

std::string path_of(const std::string& name, std::string_view rest = {}) {
  return fmt::format("/v1/groups/{}{}", client::percent_encode(name), rest);
}

json::object member_row(const json::object& member) {
  std::size_t partitions = 0;
  for (const json::value& topic : array_in(member, "assigned"))
    if (topic.is_object()) partitions += array_in(topic.as_object(), "partitions").size();
  json::object row = member;
  row["member"] = text_in(member, "id");
  row["partitions"] = partitions;
  return row;
}

json::object as_it_is(const json::object& row) { return row; }

void add_rows(Listing& listing, const json::array& items, json::object (*row)(const json::object&) = &as_it_is) {
  for (const json::value& item : items)
    if (item.is_object()) listing.add(row(item.as_object()));
}

void print_below(const Listing& listing) {
  if (listing.empty()) return;
  fmt::print("\n");
  listing.print(Format::table);
}

}  // namespace

Result<void> group_list(const Session& session) {
  auto format = session.format();
  if (!format) return pass(format);
  auto server = session.connect();
  if (!server) return pass(server);
  Listing listing({"name", "state", "members", "topics", "lag"});
  std::string next;
  do {
    auto answer = server->request("GET", "/v1/groups?limit=1000" + (next.empty() ? "" : "&after=" + next));
    if (!answer) return pass(answer);
    const json::object page = parse_object(*answer);
    add_rows(listing, array_in(page, "groups"));
    next = text_in(page, "next");
  } while (!next.empty());
  listing.print(*format);
  return {};
}

Result<void> group_show(const Session& session, const std::string& name) {
  auto format = session.format();
  if (!format) return pass(format);
  auto answer = session.ask("GET", path_of(name));
  if (!answer) return pass(answer);
  if (settle(*format) != Format::table) {
    print_object(*answer, *format);
    return {};
  }
  json::object head = *answer;
  for (const char* shown_below : {"members", "partitions", "path"}) head.stable_erase(shown_below);
  print_object(head, Format::table);
  Listing members({"member", "instance_id", "client_id", "host", "partitions"});
  add_rows(members, array_in(*answer, "members"), &member_row);
  print_below(members);
  Listing partitions({"topic", "partition", "committed", "next", "lag", "member"});
  add_rows(partitions, array_in(*answer, "partitions"));
  print_below(partitions);
  return {};
}

Result<void> group_delete(const Session& session, const std::vector<std::string>& names) {
  auto server = session.connect();
  if (!server) return pass(server);
  for (const std::string& name : names) {
    if (auto gone = server->request("DELETE", path_of(name)); !gone) return pass(gone);
    fmt::print("group {} deleted\n", name);
  }
  return {};
}

Result<void> group_reset(const Session& session, const GroupReset& command) {
  auto format = session.format();
  if (!format) return pass(format);
  json::object body{{"topic", command.topic}, {"to", command.to}, {"dry_run", command.dry_run}};
  if (command.partition) body["partition"] = *command.partition;
  auto answer = session.ask("POST", path_of(command.name, "/offsets"), json::serialize(body));
  if (!answer) return pass(answer);
  Listing listing({"topic", "partition", "before", "committed", "next", "lag"});
  for (const json::value& item : array_in(*answer, "partitions")) {
    if (!item.is_object()) continue;
    json::object row{{"topic", command.topic}};
    for (const auto& member : item.as_object()) row[member.key()] = member.value();
    listing.add(std::move(row));
  }
  listing.print(*format);
  return {};
}

}  // namespace continuo::cli
