// What deduplication keeps of an event. The values are stored, so what is hashed in which order is a format: the golden
// test holds it.
#include <algorithm>

#include "continuo/base/bytes.h"
#include "continuo/record/cloudevents.h"

namespace continuo::record {
namespace {

// A chain of hashes: every part is hashed with what came before it as the seed, so parts cannot flow into each other.
class ContentHash {
 public:
  explicit ContentHash(std::uint64_t seed) : value_(seed) {}
  void add(std::string_view part) { value_ = hash64(part, value_); }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_;
};

Hash128 identity_of(const Event& event, std::uint64_t seed) {
  const Hash128 parts[] = {hash128(event.source, seed), hash128(event.id, seed)};
  char bytes[4 * sizeof(std::uint64_t)];
  for (std::size_t i = 0; i < 2; ++i) {
    store(bytes + 16 * i, parts[i].low);
    store(bytes + 16 * i + 8, parts[i].high);
  }
  return hash128({bytes, sizeof bytes}, seed);
}

std::vector<Extension> by_name(std::vector<Extension> extensions) {
  std::ranges::sort(extensions, {}, &Extension::name);
  return extensions;
}

}  // namespace

Fingerprint fingerprint(const Event& as_sent, std::uint64_t seed) {
  ContentHash content{seed};
  for (const std::string_view part :
       {as_sent.type, as_sent.subject, as_sent.time, as_sent.datacontenttype, as_sent.dataschema})
    content.add(part);
  for (const Extension& extension : by_name(as_sent.extensions)) {
    content.add(extension.name);
    content.add(extension.value);
  }
  // No data is not the same as empty data.
  content.add(as_sent.data_kind == DataKind::none ? "" : "data");
  content.add(as_sent.data);
  return {identity_of(as_sent, seed), content.value()};
}

}  // namespace continuo::record
