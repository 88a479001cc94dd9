#include "protocol.h"

#include <fmt/format.h>

#include <charconv>

#include "clock.h"
#include "consume.h"
#include "http.h"

namespace load {
namespace {

std::string repeat(const std::string& text, unsigned count) {
  std::string all;
  for (unsigned i = 0; i < count; ++i) all += text;
  return all;
}

// --- Continuo: HTTP/1.1 -------------------------------------------------------------------------------------------

class Continuo final : public Protocol {
 public:
  explicit Continuo(const Settings& settings) : settings_(settings) {
    if (settings.mode == "livez")
      text_ = Template(fmt::format("GET /livez HTTP/1.1\r\nHost: {}\r\n\r\n", settings.address), 1);
    if (settings.mode == "publish")
      text_ = post_events(event_json(settings.size, settings.stamped), "application/cloudevents+json");
    if (settings.mode == "batch") {
      const std::string event = event_json(settings.size, settings.stamped);
      text_ = post_events("[" + repeat(event + ",", settings.batch - 1) + event + "]",
                          "application/cloudevents-batch+json");
    }
  }

  const std::string& next(Conversation& conversation) override { return text_.next(conversation.due_ns); }

  Answer answer_in(Conversation&, std::string_view received) override {
    const HttpAnswer answer = http_answer(received);
    if (answer.size == 0) return {};
    return {answer.status / 100 == 2, answer.size, events_of_request()};
  }

  unsigned events_of_request() const override {
    return settings_.mode == "batch" ? settings_.batch : settings_.mode == "livez" ? 0 : 1;
  }

 private:
  Template post_events(const std::string& body, std::string_view type) const {
    return {http_post(settings_.address, fmt::format("/v1/topics/{}/events", settings_.topic), body, type),
            settings_.keys, settings_.hot};
  }

  const Settings settings_;
  Template text_;
};

// --- NATS JetStream: publish with an inbox, one acknowledgement a message
// -------------------------------------------------

class Nats final : public Protocol {
 public:
  explicit Nats(const Settings& settings) : batch_(settings.mode == "batch" ? settings.batch : 1) {
    const std::string event = settings.plain ? std::string(settings.size, 'v') : event_json(settings.size);
    const std::string one =
        fmt::format("PUB {}.@@@@@@@@ _INBOX.load {}\r\n{}\r\n", settings.topic, event.size(), event);
    text_ = Template(repeat(one, batch_), settings.keys);
  }
  std::string greeting() override {
    return "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB _INBOX.load 1\r\nPING\r\n";
  }
  bool greeted(std::string& received) override {
    const std::size_t pong = received.find("PONG\r\n");
    if (pong == std::string::npos) return false;
    received.erase(0, pong + 6);
    return true;
  }
  const std::string& next(Conversation&) override { return text_.next(0); }
  Answer answer_in(Conversation&, std::string_view in) override {
    Answer answer{true, 0, 0};
    std::size_t at = 0;
    while (answer.events < batch_) {
      if (in.substr(at, 6) == "PING\r\n") {
        at += 6;  // the server takes a client that never pongs for minutes; runs are shorter
        continue;
      }
      const std::size_t end = in.find("\r\n", at);
      if (end == std::string_view::npos) return {};
      const std::size_t space = in.rfind(' ', end);
      std::size_t length = 0;
      std::from_chars(in.data() + space + 1, in.data() + end, length);
      if (in.size() < end + 2 + length + 2) return {};
      answer.accepted = answer.accepted && in.substr(end + 2, length).find("\"error\"") == std::string_view::npos;
      at = end + 2 + length + 2;
      ++answer.events;
    }
    answer.size = at;
    return answer;
  }

 private:
  const unsigned batch_;
  Template text_;
};

// --- Redis Streams: XADD
// -------------------------------------------------------------------------------------------------

class Redis final : public Protocol {
 public:
  explicit Redis(const Settings& settings) : batch_(settings.mode == "batch" ? settings.batch : 1) {
    const std::string event = event_json(settings.size);
    const std::string one = fmt::format("*5\r\n$4\r\nXADD\r\n${}\r\n{}\r\n$1\r\n*\r\n$1\r\ne\r\n${}\r\n{}\r\n",
                                        settings.topic.size(), settings.topic, event.size(), event);
    text_ = Template(repeat(one, batch_), settings.keys);
  }
  const std::string& next(Conversation&) override { return text_.next(0); }
  Answer answer_in(Conversation&, std::string_view in) override {
    Answer answer{true, 0, 0};
    std::size_t at = 0;
    for (; answer.events < batch_; ++answer.events) {
      std::size_t end = in.find("\r\n", at);
      if (end == std::string_view::npos) return {};
      if (in[at] == '-') answer.accepted = false;
      if (in[at] == '$') end = in.find("\r\n", end + 2);
      if (end == std::string_view::npos) return {};
      at = end + 2;
    }
    answer.size = at;
    return answer;
  }

 private:
  const unsigned batch_;
  Template text_;
};

}  // namespace

Template::Template(std::string text, unsigned keys, bool hot) : text_(std::move(text)), keys_(keys), hot_(hot) {
  const auto find_all = [this](std::string_view mark, std::vector<std::size_t>& places) {
    for (std::size_t at = 0; (at = text_.find(mark, at)) != std::string::npos; at += mark.size()) places.push_back(at);
  };
  find_all(id_mark, ids_);
  find_all(key_mark, key_places_);
  find_all(due_mark, due_places_);
}

const std::string& Template::next(std::int64_t due_ns) {
  for (const std::size_t at : ids_) digits(++serial_, at, id_mark.size());
  for (const std::size_t at : key_places_) digits(next_key(), at, key_mark.size());
  for (const std::size_t at : due_places_) digits(static_cast<std::uint64_t>(due_ns), at, due_mark.size());
  return text_;
}

std::uint64_t Template::next_key() {
  ++key_;
  if (!hot_) return key_ % keys_;
  return key_ % 2 == 0 ? 0 : 1 + key_ / 2 % (keys_ - 1);
}

void Template::digits(std::uint64_t value, std::size_t at, std::size_t width) {
  for (std::size_t i = width; i-- > 0; value /= 10) text_[at + i] = static_cast<char>('0' + value % 10);
}

std::string event_json(std::size_t size, bool stamped) {
  std::string json =
      fmt::format(R"({{"specversion":"1.0","id":"{:x}-{}","source":"/bench/load","type":"LoadMade","subject":"{}",)"
                  R"("time":"2026-11-21T08:30:00Z","correlationid":"load","data":{{)",
                  now_ns(), Template::id_mark, Template::key_mark);
  if (stamped) json += fmt::format(R"("due":"{}",)", Template::due_mark);
  json += R"("text":")";
  while (json.size() + 3 < size) json.push_back(static_cast<char>('a' + json.size() % 26));
  return json + "\"}}";
}

std::unique_ptr<Protocol> continuo_protocol(const Settings& settings) {
  if (settings.mode == "consume") return consume_protocol(settings);
  return std::make_unique<Continuo>(settings);
}
std::unique_ptr<Protocol> nats_protocol(const Settings& settings) { return std::make_unique<Nats>(settings); }
std::unique_ptr<Protocol> redis_protocol(const Settings& settings) { return std::make_unique<Redis>(settings); }

}  // namespace load
