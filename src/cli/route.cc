// continuo route ...
#include <fmt/format.h>

#include "continuo/cli/commands.h"
#include "continuo/cli/json_argument.h"

namespace continuo::cli {
namespace {

namespace json = boost::json;

void append(std::string& body, std::string_view name, std::string_view value) {
  body += fmt::format("{}\"{}\":{}", body.size() == 1 ? "" : ",", name, value);
}

// The request's body; texts go out as they are, so that numbers stay as they were written.
Result<std::string> body_of(const RouteExplain& command) {
  std::string body = "{";
  if (!command.pattern.empty()) {
    auto pattern = json_argument(command.pattern, "--pattern");
    if (!pattern) return pattern;
    append(body, "pattern", *pattern);
  } else if (!command.topic.empty()) {
    append(body, "topic", json::serialize(json::string(command.topic)));
  } else {
    append(body, "subscriptions", "true");
  }
  if (command.offset) {
    append(
        body, "event",
        json::serialize(json::object{
            {"topic", command.topic}, {"partition", command.partition}, {"offset", std::to_string(*command.offset)}}));
    return body + "}";
  }
  auto event = json_argument(command.event, "--event");
  if (!event) return event;
  append(body, "event", *event);
  return body + "}";
}

void add_reasons(const json::object& judged, const std::string& name, Listing& listing) {
  const bool matches = judged.contains("matches") && judged.at("matches") == true;
  const json::array& because = array_in(judged, "because");
  json::object head{{"matches", matches ? "yes" : "no"}};
  if (!name.empty()) head["subscription"] = name;
  if (because.empty()) return listing.add(head);
  for (const json::value& reason : because) {
    json::object row = head;
    if (reason.is_object())
      for (const auto& [member, value] : reason.as_object())
        row[member] = member == "at" || member == "reason" ? value : json::value(json::serialize(value));
    listing.add(row);
  }
}

}  // namespace

Result<void> route_explain(const Session& session, const RouteExplain& command) {
  auto format = session.format();
  if (!format) return pass(format);
  if (command.offset.has_value() != command.event.empty())
    return fail(Code::bad_usage, "which event is to be explained is not said, or said twice", "--event",
                "--event JSON|FILE|-, or TOPIC --offset N");
  if (command.offset && command.topic.empty())
    return fail(Code::bad_usage, "an offset needs its topic", "TOPIC", "continuo route explain orders --offset 41");
  auto body = body_of(command);
  if (!body) return pass(body);
  auto answer = session.ask("POST", "/v1/patterns/explain", *body);
  if (!answer) return pass(answer);
  if (settle(*format) != Format::table) {
    print_object(*answer, *format);
    return {};
  }
  const bool one = answer->contains("matches");
  Listing listing(one ? std::vector<std::string>{"matches", "at", "reason", "wanted", "found"}
                      : std::vector<std::string>{"subscription", "matches", "at", "reason", "wanted", "found"});
  if (one) add_reasons(*answer, {}, listing);
  for (const json::value& each : array_in(*answer, "subscriptions"))
    if (each.is_object()) add_reasons(each.as_object(), text_in(each.as_object(), "name"), listing);
  listing.print(Format::table);
  return {};
}

}  // namespace continuo::cli
