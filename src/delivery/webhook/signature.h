// Signatures of requests, by which a receiver knows that they come from here and were not changed (the Standard
// Webhooks specification, standardwebhooks.com).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace continuo::delivery::webhook {

/// The key that a secret stands for: the base64 behind "whsec_", or the secret's own bytes.
std::string signing_key(std::string_view secret);

/// What the header webhook-signature says: "v1," and the base64 of HMAC-SHA256 over "ID.TIMESTAMP.BODY".
std::string signature(std::string_view key, std::string_view id, std::int64_t timestamp_s, std::string_view body);

}  // namespace continuo::delivery::webhook
