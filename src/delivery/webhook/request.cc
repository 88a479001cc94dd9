#include "continuo/delivery/webhook/request.h"

#include <fmt/format.h>

#include <utility>

#include "continuo/delivery/webhook/signature.h"

namespace continuo::delivery::webhook {
namespace {

using record::DataKind;
using record::Event;
using wire::http::WebhookMode;

void write_attribute(std::string_view name, std::string_view value, std::string& out) {
  if (value.empty()) return;
  out.append("ce-").append(name).append(": ");
  write_attribute_value(value, out);
  out.append("\r\n");
}

// Records of other producers may hold any bytes there.
bool is_header_text(std::string_view text) {
  for (const char c : text)
    if (c < ' ' || c > '~') return false;
  return true;
}

std::string_view content_type_of(const Event& event) {
  if (!event.datacontenttype.empty() && is_header_text(event.datacontenttype)) return event.datacontenttype;
  return event.data_kind == DataKind::json ? "application/json" : std::string_view{};
}

void write_attributes(const Event& event, const Attempt& attempt, std::string& out) {
  out += "ce-specversion: 1.0\r\n";
  for (const auto& [name, value] :
       {std::pair{"id", event.id}, std::pair{"source", event.source}, std::pair{"type", event.type},
        std::pair{"subject", event.subject}, std::pair{"time", event.time}, std::pair{"dataschema", event.dataschema}})
    write_attribute(name, value, out);
  for (const record::Extension& extension : event.extensions)
    if (extension.name != "partition" && extension.name != "offset")
      write_attribute(extension.name, extension.value, out);
  out += fmt::format("ce-partition: {}\r\nce-offset: {}\r\n", attempt.partition.value, attempt.offset.value);
  if (const auto type = content_type_of(event); !type.empty()) out.append("Content-Type: ").append(type).append("\r\n");
}

}  // namespace

void write_attribute_value(std::string_view value, std::string& out) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  for (const char c : value) {
    if (c > ' ' && c <= '~' && c != '"' && c != '%') {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append("%").append(1, hex[byte >> 4]).append(1, hex[byte & 15]);
  }
}

RequestWriter::RequestWriter(const wire::http::WebhookTarget& target)
    : mode_(target.mode),
      begin_(fmt::format("POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: continuo/{}\r\nAccept: */*\r\n", target.url.path,
                         target.url.authority(), CONTINUO_VERSION)) {
  for (const auto& [name, value] : target.headers) begin_ += fmt::format("{}: {}\r\n", name, value);
  if (!target.secret.empty()) key_ = signing_key(target.secret);
}

std::string RequestWriter::body_of(const Event& event, const Attempt& attempt) const {
  if (mode_ == WebhookMode::binary) return std::string{event.data};
  const record::RecordPlace place{attempt.topic, attempt.partition};
  std::string body;
  record::write_json(event, &place, attempt.offset, body);
  return body;
}

std::string RequestWriter::write(const Event& event, const Attempt& attempt) {
  const std::string body = body_of(event, attempt);
  const std::int64_t timestamp_s = attempt.now.ms / 1'000;
  constexpr std::size_t head_guess = 1'024;
  std::string out;
  out.reserve(begin_.size() + head_guess + body.size());
  out += begin_;
  if (mode_ == WebhookMode::structured)
    out += "Content-Type: application/cloudevents+json; charset=UTF-8\r\n";
  else
    write_attributes(event, attempt, out);
  out += fmt::format("Continuo-Subscription: {}\r\nContinuo-Topic: {}\r\nContinuo-Attempt: {}\r\n",
                     attempt.subscription, attempt.topic, attempt.number);
  out += fmt::format("webhook-id: {}\r\nwebhook-timestamp: {}\r\n", attempt.message_id, timestamp_s);
  if (!key_.empty())
    out += fmt::format("webhook-signature: {}\r\n", signature(key_, attempt.message_id, timestamp_s, body));
  out += fmt::format("Content-Length: {}\r\n\r\n", body.size());
  return out += body;
}

}  // namespace continuo::delivery::webhook
