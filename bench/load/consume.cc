#include "consume.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "http.h"

namespace load {
namespace {

std::string_view text_after(std::string_view body, std::string_view mark, std::size_t& at) {
  at = body.find(mark, at);
  if (at == std::string_view::npos) return {};
  at += mark.size();
  return body.substr(at, body.find('"', at) - at);
}

class Consumption final : public Protocol {
 public:
  explicit Consumption(const Settings& settings) : settings_(settings) {}

  const std::string& next(Conversation& conversation) override {
    if (!conversation.settling && conversation.drained && settings_.subscriptions != 0)
      conversation.subscription = turn_++ % settings_.subscriptions;
    const std::string name = settings_.subscriptions == 0
                                 ? settings_.topic
                                 : fmt::format("{}-{:05}", settings_.topic, conversation.subscription);
    made_ = http_post(settings_.address,
                      fmt::format("/v1/subscriptions/{}/{}", name, conversation.settling ? "settle" : "receive"),
                      conversation.settling ? settle_body(conversation) : receive_body(), "application/json");
    return made_;
  }

  Answer answer_in(Conversation& conversation, std::string_view received) override {
    const HttpAnswer http = http_answer(received);
    if (http.size == 0) return {};
    Answer answer{http.status / 100 == 2, http.size};
    if (!conversation.settling) {
      take(conversation, answer.accepted ? http.body : std::string_view{});
    } else if (answer.accepted) {
      conversation.settling = false;
      answer.lost = refused_in(http.body);
      answer.events = conversation.counted - std::min(conversation.counted, answer.lost);
    }
    return answer;
  }

 private:
  // Of many subscriptions most have nothing: whoever waited for one would keep the others waiting.
  std::string receive_body() const {
    return fmt::format(R"({{"max":{},"wait":"{}"}})", settings_.batch, settings_.subscriptions == 0 ? "1s" : "0s");
  }

  static std::string settle_body(const Conversation& conversation) {
    std::string body = "{\"ack\":[";
    for (const std::string& lease : conversation.leases) body += (body.back() == '[' ? "\"" : ",\"") + lease + "\"";
    body += "],\"nack\":[";
    for (const std::string& lease : conversation.failed) {
      if (body.back() != '[') body += ',';
      body +=
          fmt::format(R"({{"lease":"{}","error":{{"code":"bad_amount","message":"the amount is no number"}}}})", lease);
    }
    return body + "]}";
  }

  // A key that fails stops at its first event: the leases of those behind it are gone with it.
  void take(Conversation& conversation, std::string_view body) const {
    conversation.leases.clear();
    conversation.failed.clear();
    conversation.counted = 0;
    unsigned came = 0;
    std::vector<unsigned> failed_keys;
    for (std::size_t at = 0;;) {
      const std::string_view lease = text_after(body, "{\"lease\":\"", at);
      if (lease.empty()) break;
      ++came;
      unsigned key = 0;
      if (settings_.ill != 0) {
        const std::string_view subject = text_after(body, "\"subject\":\"", at);
        std::from_chars(subject.data(), subject.data() + subject.size(), key);
      }
      const bool ill = settings_.ill != 0 && key % settings_.ill == 1 % settings_.ill;
      if (!ill) ++conversation.counted;
      if (!ill || !settings_.fail) {
        conversation.leases.emplace_back(lease);
      } else if (std::find(failed_keys.begin(), failed_keys.end(), key) == failed_keys.end()) {
        conversation.failed.emplace_back(lease);
        failed_keys.push_back(key);
      }
    }
    conversation.drained = came < settings_.batch;
    conversation.settling = came != 0;
  }

  static unsigned refused_in(std::string_view body) {
    std::size_t at = body.find("\"refused\":[");
    unsigned count = 0;
    if (at == std::string_view::npos) return 0;
    while (!text_after(body, "\"lease\":\"", at).empty()) ++count;
    return count;
  }

  const Settings settings_;
  std::string made_;
  unsigned turn_ = 0;
};

}  // namespace

std::unique_ptr<Protocol> consume_protocol(const Settings& settings) { return std::make_unique<Consumption>(settings); }

}  // namespace load
