#include "continuo/engines/groups/subscribed_topics.h"

#include "continuo/base/bytes.h"

namespace continuo::engines {

std::optional<std::set<std::string, std::less<>>> subscribed_topics(std::string_view metadata) {
  ByteReader reader{metadata};
  const auto version = reader.be<std::int16_t>();
  const auto count = reader.be<std::int32_t>();
  if (version < 0 || count < 0) return std::nullopt;
  std::set<std::string, std::less<>> topics;
  for (std::int32_t i = 0; i < count && reader.ok(); ++i) {
    const auto size = reader.be<std::int16_t>();
    if (size < 0) return std::nullopt;
    topics.emplace(reader.raw(static_cast<std::uint64_t>(size)));
  }
  if (!reader.ok()) return std::nullopt;
  return topics;
}

}  // namespace continuo::engines
