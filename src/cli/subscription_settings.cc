// continuo sub create, sub change: what the words of a command say about a subscription.
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <fstream>

#include "continuo/cli/commands.h"
#include "continuo/cli/json_argument.h"

namespace continuo::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view none = "none";

// Adds members to a JSON object; the first error stays.
class Body {
 public:
  void text(std::string_view name, const std::string& value) {
    if (!value.empty()) add(name, json::serialize(json::value(value)));
  }
  /// "none" takes the setting away.
  void end(std::string_view name, const std::string& value) {
    if (value == none) return add(name, "null");
    text(name, value);
  }
  void number(std::string_view name, const std::optional<std::uint32_t>& value) {
    if (value) add(name, std::to_string(*value));
  }
  /// As it was written: numbers stay as they are.
  void argument(std::string_view name, const std::string& given, std::string_view option, JsonKind kind) {
    if (!given.empty()) result(name, json_argument(given, option, kind));
  }
  void storm(const std::string& given) {
    if (given.empty()) return;
    if (given == none) return add("storm", "null");
    const std::size_t slash = given.find('/');
    std::uint32_t keys = 0;
    const char* const end = given.data() + std::min(slash, given.size());
    const auto [at, error] = std::from_chars(given.data(), end, keys);
    if (slash == std::string::npos || error != std::errc{} || at != end) {
      if (!error_)
        error_ = Error{Code::bad_usage, fmt::format("'{}' is not how many keys in which time", given), "--storm",
                       "--storm 50/10s, or --storm none"};
      return;
    }
    add("storm", json::serialize(json::object{{"keys", keys}, {"within", given.substr(slash + 1)}}));
  }
  void result(std::string_view name, Result<std::string> raw) {
    if (!raw && !error_) error_ = std::move(raw.error());
    if (raw && !raw->empty()) add(name, *raw);
  }
  void add(std::string_view name, std::string_view raw) {
    if (out_.size() > 1) out_ += ',';
    out_ += fmt::format("\"{}\":{}", name, raw);
  }
  bool empty() const { return out_.size() == 1 && !error_; }
  Result<std::string> finish() {
    if (error_) return std::unexpected(std::move(*error_));
    return out_ + "}";
  }

 private:
  std::string out_ = "{";
  std::optional<Error> error_;
};

// Never among the words of a command line, which everybody on the machine can see.
std::string webhook_secret(const SubSettings& given) {
  std::string secret;
  if (!given.webhook_secret_file.empty()) {
    std::ifstream file(given.webhook_secret_file);
    std::getline(file, secret);
  } else if (const char* held = std::getenv("CONTINUO_WEBHOOK_SECRET")) {
    secret = held;
  }
  return secret;
}

Result<std::string> target_of(const SubSettings& given) {
  if (!given.target.empty()) return json_argument(given.target, "--target");
  if (!given.to_topic.empty()) return json::serialize(json::object{{"topic", json::object{{"name", given.to_topic}}}});
  if (given.webhook.empty()) return std::string{};
  json::object webhook{{"url", given.webhook}};
  const auto add = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) webhook[name] = text;
  };
  add("secret", webhook_secret(given));
  add("mode", given.webhook_mode);
  add("rate", given.webhook_rate);
  add("timeout", given.webhook_timeout);
  if (given.webhook_concurrency) webhook["concurrency"] = *given.webhook_concurrency;
  json::object headers;
  for (const std::string& header : given.webhook_headers) {
    const auto colon = header.find(": ");
    if (colon == std::string::npos)
      return fail(Code::bad_usage, fmt::format("'{}' is not a header", header), "--webhook-header", "\"Name: value\"");
    headers[header.substr(0, colon)] = header.substr(colon + 2);
  }
  if (!headers.empty()) webhook["headers"] = std::move(headers);
  return json::serialize(json::object{{"webhook", std::move(webhook)}});
}

// What is named of the retries, over those there are.
void merge_retry(const SubSettings& given, json::object& retry) {
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) retry[name] = value;
  };
  if (given.attempts) retry["attempts"] = *given.attempts;
  if (given.jitter || given.no_jitter) retry["jitter"] = given.jitter;
  text("backoff", given.backoff);
  text("base", given.retry_delay);
  text("max", given.retry_max);
  if (!given.retry_delays.empty()) {
    json::array delays;
    for (const std::string& delay : given.retry_delays) delays.emplace_back(delay);
    retry["delays"] = std::move(delays);
    retry["backoff"] = "listed";
    retry.erase("base");
  } else if (!given.backoff.empty() && given.backoff != "listed") {
    retry.erase("delays");
  }
}

bool names_retry(const SubSettings& given) {
  return given.attempts || given.jitter || given.no_jitter || !given.backoff.empty() || !given.retry_delay.empty() ||
         !given.retry_max.empty() || !given.retry_delays.empty();
}

void add_settings(const SubSettings& given, Body& body) {
  body.argument("filter", given.filter, "--filter", JsonKind::object);
  body.argument("repairs", given.repairs, "--repairs", JsonKind::array);
  body.number("concurrency", given.concurrency);
  body.text("lease", given.lease);
  body.text("on_failure", given.on_failure);
  body.text("dead_letter", given.dead_letter);
  body.end("ttl", given.ttl);
  body.end("expires", given.expires);
  body.storm(given.storm);
  body.result("target", target_of(given));
}

std::string path_of(const std::string& name) { return "/v1/subscriptions/" + client::percent_encode(name); }

Result<std::string> change_body(client::Client& server, const SubChange& command) {
  Body body;
  add_settings(command.settings, body);
  if (command.no_filter) body.add("filter", "null");
  if (command.no_repairs) body.add("repairs", "null");
  if (names_retry(command.settings)) {
    auto now = server.request("GET", path_of(command.settings.name));
    if (!now) return pass(now);
    const json::object state = parse_object(*now);
    const json::value* there = state.if_contains("retry");
    json::object retry = there && there->is_object() ? there->as_object() : json::object{};
    merge_retry(command.settings, retry);
    body.add("retry", json::serialize(retry));
  }
  if (body.empty())
    return fail(Code::bad_usage, "nothing is to become different", {}, "continuo sub change --help says what can");
  if (command.keep_parked) body.add("parked", R"("keep")");
  return body.finish();
}

}  // namespace

std::string Asked::user() {
  const char* const user = std::getenv("USER");
  if (user && *user) return user;
  const passwd* const entry = getpwuid(geteuid());  // without a session, as in a job or a container
  return entry ? entry->pw_name : fmt::format("uid {}", geteuid());
}

Result<void> sub_create(const Session& session, const SubCreate& command) {
  Body body;
  json::array topics;
  for (const std::string& topic : command.topics) topics.emplace_back(topic);
  body.add("topics", json::serialize(topics));
  body.text("from", command.from);
  body.text("order_by", command.order_by);
  add_settings(command.settings, body);
  if (names_retry(command.settings)) {
    json::object retry;
    merge_retry(command.settings, retry);
    body.add("retry", json::serialize(retry));
  }
  auto text = body.finish();
  if (!text) return pass(text);
  auto server = session.connect();
  if (!server) return pass(server);
  auto made = server->put(path_of(command.settings.name), *text);
  if (!made) return pass(made);
  fmt::print("subscription {} {}\n", command.settings.name, *made ? "created" : "was there, with the same settings");
  return {};
}

Result<void> sub_change(const Session& session, const SubChange& command) {
  const SubSettings& settings = command.settings;
  if ((command.no_filter && !settings.filter.empty()) || (command.no_repairs && !settings.repairs.empty()))
    return fail(Code::bad_usage, "what it is to be is said twice", command.no_filter ? "--filter" : "--repairs");
  auto server = session.connect();
  if (!server) return pass(server);
  auto body = change_body(*server, command);
  if (!body) return pass(body);
  auto answer = server->request("PATCH", path_of(settings.name), *body);
  if (!answer) return pass(answer);
  if (settings.filter.empty() && !command.no_filter) {
    fmt::print("subscription {} changed\n", settings.name);
    return {};
  }
  fmt::print("subscription {} has {} filter", settings.name, command.no_filter ? "no" : "another");
  const char* between = ", from";
  const json::object changed = parse_object(*answer);
  for (const json::value& item : array_in(changed, "filtered_from")) {
    if (!item.is_object()) continue;
    const json::object& place = item.as_object();
    fmt::print("{} {}/{}@{}", std::exchange(between, ","), text_in(place, "topic"), text_in(place, "partition"),
               text_in(place, "offset"));
  }
  fmt::print("\n");
  return {};
}

}  // namespace continuo::cli
