#include "continuo/node/requests.h"

#include <algorithm>

#include "continuo/base/bytes.h"
#include "continuo/record/base64.h"

namespace continuo::node {
namespace {

constexpr std::uint8_t token_version = 1;
constexpr std::uint8_t settled_version = 1;

void write_lease(ByteWriter& writer, const Lease& lease) {
  writer.varint(lease.subscription.value);
  writer.varint(lease.epoch);
  writer.varint(lease.partition.topic.value);
  writer.varint(lease.partition.partition.value);
  writer.u64(lease.key_hash);
  writer.varint(static_cast<std::uint64_t>(lease.offset.value));
  writer.varint(lease.number);
}

Lease read_lease(ByteReader& reader) {
  Lease lease;
  lease.subscription = SubscriptionId{static_cast<std::uint32_t>(reader.varint())};
  lease.epoch = static_cast<std::uint32_t>(reader.varint());
  lease.partition.topic = TopicId{static_cast<std::uint32_t>(reader.varint())};
  lease.partition.partition = PartitionId{static_cast<std::uint32_t>(reader.varint())};
  lease.key_hash = reader.u64();
  lease.offset = Offset{static_cast<std::int64_t>(reader.varint())};
  lease.number = reader.varint();
  return lease;
}

// Base64 with the alphabet that needs no escaping in URLs, without padding.
std::string url_text(std::string_view bytes) {
  std::string text;
  record::base64_encode(bytes, text);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  text.resize(text.find_last_not_of('=') + 1);
  return text;
}

std::optional<std::string> from_url_text(std::string_view text) {
  std::string padded{text};
  std::ranges::replace(padded, '-', '+');
  std::ranges::replace(padded, '_', '/');
  padded.append((4 - padded.size() % 4) % 4, '=');
  std::string bytes;
  if (!record::base64_decode(padded, bytes)) return std::nullopt;
  return bytes;
}

}  // namespace

const Topic* Catalogue::find_topic(std::string_view name) const {
  const auto found = topics.find(name);
  return found == topics.end() ? nullptr : found->second.get();
}

const Subscription* Catalogue::find_subscription(std::string_view name) const {
  const auto found = subscriptions.find(name);
  return found == subscriptions.end() ? nullptr : found->second.get();
}

std::string lease_token(const Lease& lease) {
  std::string bytes;
  ByteWriter writer{bytes};
  writer.u8(token_version);
  write_lease(writer, lease);
  return url_text(bytes);
}

Result<Lease> parse_lease_token(std::string_view token) {
  const auto bytes = from_url_text(token);
  if (bytes) {
    ByteReader reader{*bytes};
    const bool known = reader.u8() == token_version;
    const Lease lease = read_lease(reader);
    if (known && reader.done()) return lease;
  }
  return fail(Code::bad_request, "the lease is not a token of this server", "lease");
}

std::string encode_settled(const Settled& settled) {
  std::string bytes;
  ByteWriter writer{bytes};
  writer.u8(settled_version);
  writer.varint(settled.settled);
  writer.varint(settled.refused.size());
  for (const RefusedLease& refused : settled.refused) {
    write_lease(writer, refused.lease);
    writer.text(name(refused.code));
  }
  writer.varint(settled.places.size());
  for (const Place& place : settled.places) {
    writer.varint(place.topic.value);
    writer.varint(place.partition.value);
    writer.varint(static_cast<std::uint64_t>(place.offset.value));
    writer.u8(place.duplicate ? 1 : 0);
  }
  return bytes;
}

Result<Settled> decode_settled(std::string_view bytes) {
  ByteReader reader{bytes};
  Settled settled;
  const bool known = reader.u8() == settled_version;
  settled.settled = static_cast<std::uint32_t>(reader.varint());
  for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    RefusedLease refused{read_lease(reader), {}};
    const CodeInfo* known_code = find_code(reader.text());
    refused.code = known_code == nullptr ? Code::lease_lost : known_code->code;
    settled.refused.push_back(refused);
  }
  for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    Place place;
    place.topic = TopicId{static_cast<std::uint32_t>(reader.varint())};
    place.partition = PartitionId{static_cast<std::uint32_t>(reader.varint())};
    place.offset = Offset{static_cast<std::int64_t>(reader.varint())};
    place.duplicate = reader.u8() != 0;
    settled.places.push_back(place);
  }
  if (!known || !reader.done()) return fail(Code::wrong_format, "a remembered settle cannot be read");
  return settled;
}

}  // namespace continuo::node
