#include "continuo/delivery/webhook/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "continuo/base/errors.h"
#include "continuo/record/base64.h"

namespace continuo::delivery::webhook {

std::string signing_key(std::string_view secret) {
  constexpr std::string_view encoded = "whsec_";
  std::string key;
  if (secret.starts_with(encoded) && record::base64_decode(secret.substr(encoded.size()), key)) return key;
  return std::string{secret};
}

std::string signature(std::string_view key, std::string_view id, std::int64_t timestamp_s, std::string_view body) {
  std::string signed_text{id};
  signed_text.append(".").append(std::to_string(timestamp_s)).append(".").append(body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const auto* done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(signed_text.data()), signed_text.size(), digest.data(), &size);
  CHECK(done != nullptr, "SHA-256 is always there");
  std::string out = "v1,";
  record::base64_encode({reinterpret_cast<const char*>(digest.data()), size}, out);
  return out;
}

}  // namespace continuo::delivery::webhook
