#include "continuo/wire/http/target.h"

#include <fmt/format.h>

#include <algorithm>

#include "continuo/engines/definitions.h"
#include "continuo/record/base64.h"
#include "continuo/record/cloudevents.h"
#include "continuo/record/media_type.h"
#include "continuo/record/padded_text.h"

namespace continuo::wire::http {
namespace {

constexpr std::string_view encoded_secret = "whsec_";

// What stands in requests anyway, or says how they are framed.
constexpr std::string_view own_headers[] = {"host",   "content-length", "content-type", "transfer-encoding",
                                            "te",     "trailer",        "connection",   "keep-alive",
                                            "expect", "upgrade",        "user-agent",   "content-encoding"};
constexpr std::string_view own_prefixes[] = {"ce-", "webhook-", "continuo-", "proxy-"};

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && record::equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

bool is_own_header(std::string_view name) {
  return std::ranges::any_of(own_headers,
                             [&](std::string_view own) { return record::equal_ignoring_case(own, name); }) ||
         std::ranges::any_of(own_prefixes, [&](std::string_view prefix) { return begins_with(name, prefix); });
}

// RFC 9110: a token, and a value that is the same after any server trimmed it.
bool is_header_name(std::string_view name) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  const auto fits = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  };
  return !name.empty() && std::ranges::all_of(name, fits);
}

bool is_header_value(std::string_view value) {
  return !value.empty() && value.front() != ' ' && value.back() != ' ' &&
         std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; });
}

void read_headers(Fields& fields, WebhookTarget& target) {
  const Json* object = fields.object("headers");
  if (object == nullptr) return;
  const auto refuse = [&](const std::string& name, std::string detail, std::string hint = {}) {
    fields.refuse("headers." + name.substr(0, 80), Code::bad_setting, std::move(detail), std::move(hint));
  };
  if (object->members.size() > most_webhook_headers)
    return fields.refuse("headers", Code::bad_setting, fmt::format("at most {} headers", most_webhook_headers));
  for (const Json& member : object->members) {
    if (!is_header_name(member.name)) return refuse(member.name, "this is no name of a header");
    if (is_own_header(member.name))
      return refuse(member.name, fmt::format("the header '{}' is set by the server", member.name));
    if (member.kind != Json::Kind::string || !is_header_value(member.text))
      return refuse(member.name, "the value of a header is a text of printable ASCII");
    if (member.name.size() + member.text.size() > most_webhook_header_bytes)
      return refuse(member.name, fmt::format("a header has at most {} bytes", most_webhook_header_bytes));
    for (const auto& [name, value] : target.headers)
      if (record::equal_ignoring_case(name, member.name)) return refuse(member.name, "the header is given twice");
    target.headers.emplace_back(member.name, member.text);
  }
  std::ranges::sort(target.headers);
}

void read_secret(Fields& fields, WebhookTarget& target) {
  if (!fields.has("secret")) return;
  fields.text("secret", target.secret);
  if (!fields.ok() || target.secret == hidden_secret) return;
  std::string key = target.secret;
  if (key.starts_with(encoded_secret)) {
    key.clear();
    if (!record::base64_decode(std::string_view{target.secret}.substr(encoded_secret.size()), key))
      return fields.refuse("secret", Code::bad_setting, "what follows whsec_ is not base64",
                           "whsec_$(openssl rand -base64 32)");
  }
  if (key.size() < least_secret_bytes || key.size() > most_secret_bytes)
    fields.refuse("secret", Code::bad_setting,
                  fmt::format("a secret has {} to {} bytes", least_secret_bytes, most_secret_bytes),
                  "whsec_$(openssl rand -base64 32)");
}

void read_mode(Fields& fields, WebhookTarget& target) {
  if (!fields.has("mode")) return;
  std::string mode;
  fields.text("mode", mode);
  if (!fields.ok()) return;
  if (mode != "binary" && mode != "structured")
    return fields.refuse("mode", Code::bad_setting, fmt::format("'mode' cannot be '{}'", mode.substr(0, 80)),
                         "one of: binary, structured");
  target.mode = mode == "binary" ? WebhookMode::binary : WebhookMode::structured;
}

// The error of a reader that does not know where it stands.
template <class T>
bool take(Fields& fields, std::string_view name, Result<T> read, T& into) {
  if (read) {
    into = *std::move(read);
    return true;
  }
  read.error().at = fields.path_of(name);
  fields.refuse(std::move(read.error()));
  return false;
}

WebhookTarget read_webhook(Fields& parent, const Json& object) {
  WebhookTarget target;
  Fields fields(object, "target.webhook", {"url", "mode", "secret", "concurrency", "rate", "timeout", "headers"});
  fields.required("url");
  fields.text("url", target.address);
  if (fields.ok()) take(fields, "url", parse_webhook_url(target.address), target.url);
  read_mode(fields, target);
  read_secret(fields, target);
  fields.number("concurrency", target.concurrency, 1, most_webhook_concurrency);
  std::string rate;
  fields.text("rate", rate);
  if (fields.ok() && fields.has("rate")) take(fields, "rate", rate_from(rate), target.rate.emplace());
  fields.duration("timeout", target.timeout, Millis{100}, longest_webhook_timeout);
  read_headers(fields, target);
  parent.take(fields.result());
  return target;
}

TopicTarget read_topic(Fields& parent, const Json& object, const std::vector<std::string>& topics) {
  TopicTarget target;
  Fields fields(object, "target.topic", {"name"});
  fields.required("name");
  fields.text("name", target.name);
  if (fields.ok()) {
    fields.take(engines::check_name(target.name));
    if (engines::is_system_name(target.name))
      fields.refuse("name", Code::system_name, fmt::format("'{}' belongs to the system", target.name));
    if (std::ranges::find(topics, target.name) != topics.end())
      fields.refuse(
          "name", Code::bad_setting,
          fmt::format("copies would go round: {0} -> {0}, which is one of the subscription's own topics", target.name),
          "copy into another topic");
  }
  parent.take(fields.result());
  return target;
}

// With every default written out.
std::string write(const DeliveryTarget& target) {
  std::string out;
  if (target.topic) out = fmt::format(R"({{"topic":{{"name":"{}"}}}})", target.topic->name);
  if (!target.webhook) return out;
  const WebhookTarget& webhook = *target.webhook;
  out = R"({"webhook":{"url":)";
  record::write_json_string(webhook.address, out);
  out += fmt::format(R"(,"mode":"{}","concurrency":{},"timeout":"{}")",
                     webhook.mode == WebhookMode::binary ? "binary" : "structured", webhook.concurrency,
                     format_duration(webhook.timeout));
  if (webhook.rate) out += fmt::format(R"(,"rate":"{}")", format_rate(*webhook.rate));
  if (!webhook.secret.empty()) {
    out += R"(,"secret":)";
    record::write_json_string(webhook.secret, out);
  }
  for (const auto& [name, value] : webhook.headers) {
    out += &name == &webhook.headers.front().first ? R"(,"headers":{)" : ",";
    record::write_json_string(name, out);
    out += ":";
    record::write_json_string(value, out);
  }
  return out + (webhook.headers.empty() ? "}}" : "}}}");
}

DeliveryTarget read(Fields& subscription, const std::vector<std::string>& topics) {
  DeliveryTarget target;
  const Json* object = subscription.object("target");
  if (object == nullptr) return target;
  Fields fields(*object, "target", {"pull", "webhook", "topic", "process"});
  if (fields.has("process"))
    fields.refuse("process", Code::unsupported, "the target 'process' is not in this release",
                  R"(use {"pull":{}}, {"webhook":{...}} or {"topic":{...}})");
  if (fields.ok() && object->members.size() != 1)
    fields.refuse({Code::bad_setting, "a subscription has one target", "target", R"(one of: pull, webhook, topic)"});
  if (const Json* pull = fields.object("pull")) fields.take(Fields(*pull, "target.pull", {}).result());
  if (const Json* webhook = fields.object("webhook")) target.webhook = read_webhook(fields, *webhook);
  if (const Json* topic = fields.object("topic")) target.topic = read_topic(fields, *topic, topics);
  subscription.take(fields.result());
  return target;
}

}  // namespace

std::string read_target(Fields& subscription, const std::vector<std::string>& topics) {
  std::string kept = write(read(subscription, topics));
  if (kept.size() > engines::most_target_bytes)
    subscription.refuse("target", Code::bad_setting,
                        fmt::format("a target has at most {} bytes", engines::most_target_bytes));
  return kept;
}

Result<DeliveryTarget> parse_target(std::string_view kept) {
  if (kept.empty()) return DeliveryTarget{};
  const record::PaddedText text{R"({"target":)" + std::string{kept} + "}"};
  auto object = parse_object(text.view());
  if (!object) return pass(object);
  Fields fields(*object, {}, {"target"});
  DeliveryTarget target = read(fields, {});
  if (auto checked = fields.result(); !checked) return pass(checked);
  return target;
}

std::string shown_target(std::string_view kept) {
  auto target = parse_target(kept);
  if (!target || !target->webhook) return std::string{kept};
  if (!target->webhook->secret.empty()) target->webhook->secret = hidden_secret;
  for (auto& [name, value] : target->webhook->headers) value = hidden_secret;
  return write(*target);
}

Result<std::string> with_kept_secrets(std::string_view given, std::string_view kept) {
  auto target = parse_target(given);
  if (!target) return pass(target);
  if (!target->webhook) return std::string{given};
  const auto before = parse_target(kept);
  const WebhookTarget none;
  const WebhookTarget& known = before && before->webhook ? *before->webhook : none;
  const auto fill = [](std::string& secret, const std::string* there, std::string at) -> Result<void> {
    if (secret != hidden_secret) return {};
    if (there == nullptr || there->empty())
      return fail(Code::bad_setting, "*** is how a secret is shown, and there is none to keep", std::move(at),
                  "give the secret itself");
    secret = *there;
    return {};
  };
  if (auto filled = fill(target->webhook->secret, &known.secret, "target.webhook.secret"); !filled) return pass(filled);
  for (auto& [name, value] : target->webhook->headers) {
    const auto same = std::ranges::find(known.headers, name, &std::pair<std::string, std::string>::first);
    const std::string* there = same == known.headers.end() ? nullptr : &same->second;
    if (auto filled = fill(value, there, "target.webhook.headers." + name); !filled) return pass(filled);
  }
  return write(*target);
}

}  // namespace continuo::wire::http
