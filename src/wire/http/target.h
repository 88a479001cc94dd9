// Who gets a subscription's events: the consumers that ask, a webhook, or another topic.
//
//   {"pull":{}}
//   {"webhook":{"url":"https://shop.example/hooks","mode":"binary","secret":"whsec_...","concurrency":8,
//               "rate":"100/s","timeout":"10s","headers":{"X-Team":"orders"}}}
//   {"topic":{"name":"copies"}}
//
// Definitions keep it as JSON with every default written out, so that the same target is always the same text. Secrets
// - the webhook's, and the values of its headers, which often are - are shown as "***"; who sends that back means the
// one that is there.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/time.h"
#include "continuo/wire/http/json.h"
#include "continuo/wire/http/rate.h"
#include "continuo/wire/http/webhook_url.h"

namespace continuo::wire::http {

/// How an event is laid into a request (CloudEvents 1.0.2, HTTP protocol binding 3.1 and 3.2).
enum class WebhookMode : std::uint8_t { binary, structured };

inline constexpr std::string_view hidden_secret = "***";
inline constexpr std::size_t least_secret_bytes = 16, most_secret_bytes = 256;
inline constexpr std::size_t most_webhook_headers = 8, most_webhook_header_bytes = 1'024;
inline constexpr std::uint32_t most_webhook_concurrency = 1'000;
inline constexpr Millis longest_webhook_timeout{300'000};

struct WebhookTarget {
  WebhookUrl url;
  std::string address;  ///< the url as given
  WebhookMode mode = WebhookMode::binary;
  std::string secret;                                        ///< as given; empty: requests are not signed
  std::uint32_t concurrency = 8;                             ///< requests under way at once
  std::optional<Rate> rate;                                  ///< none: as fast as it goes
  Millis timeout{10'000};                                    ///< from connecting to the head of the answer
  std::vector<std::pair<std::string, std::string>> headers;  ///< by name
  bool operator==(const WebhookTarget&) const = default;
};

struct TopicTarget {
  std::string name;
  bool operator==(const TopicTarget&) const = default;
};

/// At most one of both; none: consumers ask.
struct DeliveryTarget {
  std::optional<WebhookTarget> webhook;
  std::optional<TopicTarget> topic;
  bool operator==(const DeliveryTarget&) const = default;
};

/// The member `target` of a subscription as definitions keep it; empty for consumers that ask. `topics` are the
/// subscription's own, which a copy must not go into. Errors: bad_setting, bad_name, system_name, unknown_field,
/// unsupported.
std::string read_target(Fields& subscription, const std::vector<std::string>& topics);

/// What was kept. Errors: bad_setting when it is none of this release's.
Result<DeliveryTarget> parse_target(std::string_view kept);

/// What was kept is a topic: known without parsing it.
inline bool is_topic_target(std::string_view kept) { return kept.starts_with(R"({"topic":)"); }

/// What was kept, for people and answers: without its secrets.
std::string shown_target(std::string_view kept);

/// `given` with the secrets of `kept` where it says "***". Errors: bad_setting when there is none.
Result<std::string> with_kept_secrets(std::string_view given, std::string_view kept);

}  // namespace continuo::wire::http
