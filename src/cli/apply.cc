// continuo apply: makes the server have what a file says.
//
// All is looked at first - what is there, what would change, what cannot - and shown; only when all of it can be is
// anything done. What the file does not name stays as it is.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

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

// Of an answer, which has more than settings, only these members. As it was written: 1.50 is not 1.5E0.
template <class Read>
auto read_only(std::string_view answer, std::initializer_list<std::string_view> names, const Read& settings_of) {
  return read(answer, [&](http::Json object) {
    std::erase_if(object.members,
                  [&](const http::Json& member) { return std::ranges::count(names, member.name) == 0; });
    return settings_of(object);
  });
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

// What the definition says. What is not there is made as it is written.
template <class Read>
auto wanted(const std::string* there, Step& step, const Read& reader) {
  auto settings = read(step.definition->json, reader);
  if (settings && there == nullptr) {
    step.method = "PUT";
    step.body = step.definition->json;
  }
  return settings;
}

Result<void> plan_topic(const std::string* there, Step& step) {
  auto change = wanted(there, step, http::read_topic_change);
  if (!change) return pass(change);
  if (there == nullptr) return {};
  auto now = read_only(*there, {"retention", "cleanup", "dedup_window", "max_batch", "timestamps", "segment"},
                       http::read_topic_settings);
  if (!now) return pass(now);
  now->partitions = static_cast<std::uint32_t>(array_in(parse_object(*there), "partitions").size());
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

// What a subscription is about stays as it was made.
std::optional<Error> cannot_change(const engines::SubscriptionSettings& now,
                                   const engines::SubscriptionSettings& after) {
  const json::object was = parse_object(settings_of(now)), is = parse_object(settings_of(after));
  for (const char* name : {"topics", "from", "order_by"})
    if (was.at(name) != is.at(name))
      return Error{Code::subscription_exists,
                   fmt::format("it is there, and its '{}' cannot change: {} -> {}", name, json::serialize(was.at(name)),
                               json::serialize(is.at(name))),
                   name, "delete it first, or give this one another name; `continuo sub seek` changes where it stands"};
  return std::nullopt;
}

// The PATCH from one to the other. Patterns and repairs go as they were written; both have targets as they are shown,
// and `target` is the one to go to, with its secrets.
std::string change_of(const engines::SubscriptionSettings& now, const engines::SubscriptionSettings& after,
                      std::string_view target) {
  const json::object was = parse_object(settings_of(now)), is = parse_object(settings_of(after));
  std::string out = "{";
  const auto add = [&](std::string_view name, std::string_view raw) {
    out += fmt::format("{}\"{}\":{}", out.size() > 1 ? "," : "", name, raw.empty() ? "null" : raw);
  };
  const auto add_changed = [&](const char* name) {
    const json::value* before = was.if_contains(name);
    const json::value* wanted = is.if_contains(name);
    if (before == nullptr ? wanted == nullptr : wanted != nullptr && *before == *wanted) return;
    add(name, wanted == nullptr ? std::string{} : json::serialize(*wanted));
  };
  if (after.filter != now.filter) add("filter", after.filter);
  for (const char* name : {"concurrency", "lease", "retry", "ttl", "expires", "storm"}) add_changed(name);
  if (after.on_failure != now.on_failure || after.dead_letter != now.dead_letter) {
    add("on_failure", json::serialize(is.at("on_failure")));
    if (!after.dead_letter.empty()) add("dead_letter", json::serialize(is.at("dead_letter")));
  }
  if (after.repairs != now.repairs) add("repairs", after.repairs);
  if (after.target != now.target) add("target", target.empty() ? R"({"pull":{}})" : target);
  return out + "}";
}

std::string without_secrets(const std::string& body, const std::string& target) {
  const std::string shown = http::shown_target(target);
  if (shown == target) return body;
  json::object object = parse_object(body);
  object["target"] = parse_object(shown);
  return json::serialize(object);
}

Result<void> plan_subscription(const std::string* there, Step& step) {
  auto after = wanted(there, step, http::read_subscription_settings);
  if (!after) return pass(after);
  if (there == nullptr) {
    step.shown = without_secrets(step.body, after->target);
    return {};
  }
  auto now = read_only(*there,
                       {"topics", "filter", "from", "order_by", "concurrency", "lease", "retry", "on_failure",
                        "dead_letter", "ttl", "expires", "storm", "repairs", "target"},
                       http::read_subscription_settings);
  if (!now) return pass(now);
  const std::string target = std::exchange(after->target, http::shown_target(after->target));  // the server tells that
  if (*after == *now) return {};
  step.differences = differences(settings_of(*now), settings_of(*after));
  if (auto refused = cannot_change(*now, *after)) return std::unexpected(std::move(*refused));
  step.method = "PATCH";
  step.body = change_of(*now, *after, target);
  return {};
}

std::string settings_of(const http::PutQueue& queue) {
  std::string out = "{\"name\":\"\"";
  http::write_queue_settings(queue.topic, queue.subscription, out);
  return out + "}";
}

// A group has its partition, and a message does not go from one to another.
std::optional<Error> cannot_change(const http::PutQueue& now, const http::PutQueue& after) {
  const bool fifo = now.subscription.order_by == engines::OrderBy::key;
  if (now.subscription.order_by != after.subscription.order_by)
    return Error{Code::subscription_exists,
                 fmt::format("it is there, and its 'fifo' cannot change: {} -> {}", fifo, !fifo), "fifo",
                 "make another queue; `continuo queue redrive` moves into it what waits here"};
  const std::uint32_t before = now.topic.partitions, wanted = after.topic.partitions;
  if (wanted < before || (fifo && wanted != before))
    return Error{Code::bad_setting,
                 fmt::format("the queue has {} partitions, and {}", before,
                             fifo ? "a fifo queue keeps them" : "they cannot become fewer"),
                 "partitions", fmt::format("say {}, or make another queue", before)};
  return std::nullopt;
}

// The PATCH from one to the other. `max_receives` says what `retry.attempts` would.
std::string change_of(const http::PutQueue& now, const http::PutQueue& after) {
  json::object was = parse_object(settings_of(now)), is = parse_object(settings_of(after)), change;
  for (json::object* each : {&was, &is}) {
    each->at("retry").as_object().erase("attempts");
    if (!each->contains("retention")) each->emplace("retention", nullptr);
  }
  for (const char* name : {"lease", "max_receives", "retry", "retention", "dedup_window", "partitions", "concurrency"})
    if (was.at(name) != is.at(name)) change[name] = is.at(name);
  for (const char* name : {"on_failure", "dead_letter"})
    if (after.subscription.on_failure != now.subscription.on_failure ||
        after.subscription.dead_letter != now.subscription.dead_letter)
      if (const json::value* value = is.if_contains(name)) change[name] = *value;
  return json::serialize(change);
}

Result<void> plan_queue(const std::string* there, Step& step) {
  const auto settings = [&](const http::Json& object) { return http::read_put_queue(step.definition->name, object); };
  auto after = wanted(there, step, settings);
  if (!after) return pass(after);
  if (there == nullptr) return {};
  auto now = read_only(
      *there,
      {"fifo", "lease", "on_failure", "dead_letter", "retention", "retry", "dedup_window", "partitions", "concurrency"},
      settings);
  if (!now) return pass(now);
  if (after->topic == now->topic && after->subscription == now->subscription) return {};
  step.differences = differences(settings_of(*now), settings_of(*after));
  if (auto refused = cannot_change(*now, *after)) return std::unexpected(std::move(*refused));
  step.method = "PATCH";
  step.body = change_of(*now, *after);
  return {};
}

Result<void> plan(const std::string* there, Step& step) {
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
  auto planned = plan(answer ? &*answer : nullptr, step);
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
