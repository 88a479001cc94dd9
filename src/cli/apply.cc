// continuo apply: makes the server have what a file says.
//
// All is looked at first - what is there, what would change, what cannot - and shown; only when all of it can be is
// anything done. What the file does not name stays as it is.
#include <fmt/format.h>

#include "continuo/cli/commands.h"
#include "continuo/cli/definitions_file.h"
#include "continuo/record/padded_text.h"
#include "continuo/wire/http/definitions.h"
#include "continuo/wire/http/queues.h"
#include "continuo/wire/http/target.h"

namespace continuo::cli {
namespace {

namespace json = boost::json;
namespace http = wire::http;

// One definition, and what is to be done for it.
struct Step {
  const Definition* definition = nullptr;
  std::string method;  ///< empty: nothing
  std::string body;
  std::string shown;  ///< of the body: without its secrets
  std::vector<std::string> differences;
};

const char* kind_of(const Definition& definition) {
  switch (definition.kind) {
    case Defined::topic: return "topic";
    case Defined::queue: return "queue";
    case Defined::subscription: break;
  }
  return "subscription";
}

std::string path_of(const Definition& definition) {
  return fmt::format("/v1/{}s/{}", kind_of(definition), client::percent_encode(definition.name));
}

// What is read of a text has views into it.
template <class Read>
auto read(std::string_view text, const Read& settings_of) -> decltype(settings_of(http::Json{})) {
  const record::PaddedText padded{text};
  auto object = http::parse_object(padded.view());
  if (!object) return pass(object);
  return settings_of(*object);
}

// Only these members: an answer has more than settings.
std::string only(const json::object& object, std::initializer_list<std::string_view> names) {
  json::object out;
  for (const std::string_view name : names)
    if (const json::value* found = object.if_contains(name)) out[name] = *found;
  return json::serialize(out);
}

std::string settings_of(const engines::TopicSettings& settings) {
  std::string out = fmt::format("{{\"partitions\":{}", settings.partitions);
  http::write_topic_settings(settings, out);
  return out + "}";
}

std::string settings_of(const engines::SubscriptionSettings& settings) {
  std::string out = "{\"name\":\"\"";
  http::write_subscription_settings(settings, out);
  return out + "}";
}

std::vector<std::string> differences(const std::string& before, const std::string& after) {
  const json::object old_object = parse_object(before), new_object = parse_object(after);
  const auto shown = [](const json::object& object, std::string_view name) {
    const json::value* found = object.if_contains(name);
    return found == nullptr ? std::string{"none"} : json::serialize(*found);
  };
  std::vector<std::string> out;
  const auto compare = [&](std::string_view name) {
    const std::string was = shown(old_object, name), is = shown(new_object, name);
    if (was != is) out.push_back(fmt::format("{}: {} -> {}", name, was, is));
  };
  for (const auto& [name, value] : new_object) compare(name);
  for (const auto& [name, value] : old_object)
    if (!new_object.contains(name)) compare(name);
  return out;
}

Result<void> plan_topic(const json::object* there, Step& step) {
  auto change = read(step.definition->json, http::read_topic_change);
  if (!change) return pass(change);
  if (there == nullptr) {
    step.method = "PUT";
    step.body = step.definition->json;
    return {};
  }
  auto now = read(only(*there, {"retention", "cleanup", "dedup_window", "max_batch", "timestamps", "segment"}),
                  http::read_topic_settings);
  if (!now) return pass(now);
  now->partitions = static_cast<std::uint32_t>(array_in(*there, "partitions").size());
  const engines::TopicSettings after = change->applied_to(*now);
  if (after == *now) return {};
  if (after.partitions < now->partitions)
    return fail(Code::bad_setting,
                fmt::format("the topic has {} partitions, and they cannot become fewer", now->partitions), "partitions",
                "leave `partitions` out, or make it more");
  step.method = "PATCH";
  step.body = step.definition->json;
  step.differences = differences(settings_of(*now), settings_of(after));
  return {};
}

std::string without_secrets(const std::string& body, const std::string& target) {
  const std::string shown = http::shown_target(target);
  if (shown == target) return body;
  json::object object = parse_object(body);
  object["target"] = parse_object(shown);
  return json::serialize(object);
}

Result<void> plan_subscription(const json::object* there, Step& step) {
  auto after = read(step.definition->json, http::read_subscription_settings);
  if (!after) return pass(after);
  if (there == nullptr) {
    step.method = "PUT";
    step.body = step.definition->json;
    step.shown = without_secrets(step.body, after->target);
    return {};
  }
  auto now = read(
      only(*there, {"topics", "filter", "from", "order_by", "concurrency", "lease", "retry", "on_failure", "target"}),
      http::read_subscription_settings);
  if (!now) return pass(now);
  after->target = http::shown_target(after->target);  // which is all the server tells of it
  if (*after == *now) return {};
  step.differences = differences(settings_of(*now), settings_of(*after));
  engines::SubscriptionSettings but_filter = *after;
  but_filter.filter = now->filter;
  if (but_filter != *now)
    return fail(Code::subscription_exists,
                fmt::format("it is there with other settings: {}", fmt::join(step.differences, "; ")), {},
                "only its filter can change; delete it first, or give this one another name");
  step.method = "PATCH";
  step.body = fmt::format("{{\"filter\":{}}}", after->filter.empty() ? "null" : after->filter);
  return {};
}

std::string settings_of(const http::PutQueue& queue) {
  std::string out = "{\"name\":\"\"";
  http::write_queue_settings(queue.topic, queue.subscription, out);
  return out + "}";
}

Result<void> plan_queue(const json::object* there, Step& step) {
  const auto settings = [&](const http::Json& object) { return http::read_put_queue(step.definition->name, object); };
  auto after = read(step.definition->json, settings);
  if (!after) return pass(after);
  if (there == nullptr) {
    step.method = "PUT";
    step.body = step.definition->json;
    return {};
  }
  auto now = read(only(*there, {"fifo", "lease", "on_failure", "dead_letter", "retention", "retry", "dedup_window",
                                "partitions", "concurrency"}),
                  settings);
  if (!now) return pass(now);
  if (after->topic == now->topic && after->subscription == now->subscription) return {};
  return fail(Code::subscription_exists,
              fmt::format("it is there with other settings: {}",
                          fmt::join(differences(settings_of(*now), settings_of(*after)), "; ")),
              {}, "a queue does not change; delete it first, or give this one another name");
}

Result<void> plan(const json::object* there, Step& step) {
  switch (step.definition->kind) {
    case Defined::topic: return plan_topic(there, step);
    case Defined::queue: return plan_queue(there, step);
    case Defined::subscription: break;
  }
  return plan_subscription(there, step);
}

Result<Step> plan(client::Client& server, const Definition& definition) {
  Step step{.definition = &definition, .method = {}, .body = {}, .shown = {}, .differences = {}};
  auto answer = server.request("GET", path_of(definition));
  const bool unknown =
      !answer && (answer.error().code == Code::unknown_topic || answer.error().code == Code::unknown_queue ||
                  answer.error().code == Code::unknown_subscription);
  if (!answer && !unknown) return pass(answer);
  std::optional<json::object> there;
  if (answer) there = parse_object(*answer);
  auto planned = plan(there ? &*there : nullptr, step);
  if (!planned) return pass(planned);
  return step;
}

void show(const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    const std::string what = fmt::format("{} {}", kind_of(*step.definition), step.definition->name);
    if (step.method == "PUT") fmt::print("+ {}  {}\n", what, step.shown.empty() ? step.body : step.shown);
    if (step.method == "PATCH") fmt::print("~ {}\n", what);
    if (step.method == "PATCH")
      for (const std::string& each : step.differences) fmt::print("    {}\n", each);
    if (step.method.empty()) fmt::print("= {}\n", what);
  }
}

}  // namespace

Result<void> apply(const Session& session, const Apply& command) {
  auto file = DefinitionsFile::read(command.file);
  if (!file) return pass(file);
  auto server = session.connect();
  if (!server) return pass(server);
  std::vector<Step> steps;
  for (const Definition& each : file->definitions()) {
    auto step = plan(*server, each);
    if (!step) return std::unexpected(file->placed(each, std::move(step.error())));
    steps.push_back(std::move(*step));
  }
  show(steps);
  if (command.dry_run) return {};
  std::size_t done = 0;
  for (const Step& step : steps) {
    if (step.method.empty()) continue;
    auto answer = server->request(step.method, path_of(*step.definition), step.body, "application/json");
    if (!answer) {
      Error error = file->placed(*step.definition, std::move(answer.error()));
      if (done > 0) error.detail += fmt::format(" ({} of the changes above are done; apply again goes on)", done);
      return std::unexpected(std::move(error));
    }
    ++done;
  }
  fmt::print("{}\n", done == 0 ? "nothing to do" : done == 1 ? "1 change done" : fmt::format("{} changes done", done));
  return {};
}

}  // namespace continuo::cli
