// continuo parked release: many keys, one after the other.
#include <fmt/format.h>

#include "continuo/cli/commands.h"
#include "continuo/cli/progress.h"

namespace continuo::cli {
namespace {

namespace json = boost::json;

constexpr Millis between_looks{200};

std::string path_of(const std::string& subscription) {
  return fmt::format("/v1/subscriptions/{}/parked/release", client::percent_encode(subscription));
}

std::uint64_t count_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(json::string_view{name.data(), name.size()});
  return value && value->is_number() ? value->to_number<std::uint64_t>() : 0;
}

std::string body_of(const ParkedRelease& command) {
  json::object body{{"by", command.asked.by}, {"reason", command.asked.reason}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) body[name] = value;
  };
  add("fingerprint", command.fingerprint);
  add("type", command.type);
  add("after", command.after);
  add("before", command.before);
  add("rate", command.rate);
  body["stop_at_relapse"] = !command.go_on;
  body["dry_run"] = command.dry_run;
  return json::serialize(body);
}

// Until it ended; what it was when it had.
Result<json::object> follow(client::Client& server, const ParkedRelease& command, json::object release) {
  const std::uint64_t number = count_in(release, "release");
  Progress progress("release", count_in(release, "matching"));
  while (text_in(release, "state") == "running") {
    progress.show(count_in(release, "released"), fmt::format("{} released, {} relapsed", count_in(release, "released"),
                                                             count_in(release, "relapsed")));
    if (stopped_within({}, between_looks)) break;
    auto answer = server.request("GET", path_of(command.subscription));
    if (!answer) return pass(answer);
    release = parse_object(*answer);
    if (count_in(release, "release") != number)
      return fail(Code::not_found, fmt::format("release {} ended; another took its place meanwhile", number), "release",
                  "what it did is told on the topic continuo.events");
  }
  return release;
}

Exit exit_of_release(const json::object& release) {
  const std::string state = text_in(release, "state");
  return state == "done" && count_in(release, "relapsed") == 0 ? Exit::ok : Exit::refused;
}

}  // namespace

Result<Exit> parked_release(const Session& session, const ParkedRelease& command) {
  auto format = session.format();
  if (!format) return pass(format);
  auto server = session.connect();
  if (!server) return pass(server);
  const bool looks = command.status || command.stop;
  auto answer = looks ? server->request(command.stop ? "DELETE" : "GET", path_of(command.subscription))
                      : server->request("POST", path_of(command.subscription), body_of(command));
  if (!answer) return pass(answer);
  json::object release = parse_object(*answer);
  const bool waits = command.wait && !command.dry_run && !command.stop && text_in(release, "state") != "none";
  if (waits) {
    auto ended = follow(*server, command, std::move(release));
    if (!ended) return pass(ended);
    release = std::move(*ended);
  }
  print_object(release, *format);
  if (!waits) return Exit::ok;
  const Exit exit = exit_of_release(release);
  if (exit != Exit::ok)
    fmt::print(stderr, "continuo: the release is {}: {} of {} keys released, {} failed again\n",
               text_in(release, "state"), count_in(release, "released"), count_in(release, "matching"),
               count_in(release, "relapsed"));
  return exit;
}

}  // namespace continuo::cli
