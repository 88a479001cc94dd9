#include "continuo/node/requests.h"

#include <algorithm>
#include <map>
#include <set>

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

// The leases a settle names, each once, in the order of its lists.
std::vector<Lease> leases_of(const Settle& request) {
  std::vector<Lease> all;
  std::set<Lease> seen;
  const auto add = [&](const Lease& lease) {
    if (seen.insert(lease).second) all.push_back(lease);
  };
  for (const Lease& lease : request.acks) add(lease);
  for (const Nack& nack : request.nacks) add(nack.lease);
  for (const Extend& extend : request.extends) add(extend.lease);
  return all;
}

// Each by its distance from the lease after the one before.
void write_refused(ByteWriter& writer, const Settle& request, const std::vector<RefusedLease>& refused) {
  writer.varint(refused.size());
  if (refused.empty()) return;
  std::map<Lease, std::int64_t> numbers;
  for (const Lease& lease : leases_of(request)) numbers.try_emplace(lease, std::ssize(numbers));
  std::int64_t expected = 0;
  for (const RefusedLease& each : refused) {
    CHECK(each.code == Code::lease_lost, "there is no other reason to refuse a lease");
    const std::int64_t number = numbers.at(each.lease);
    writer.svarint(number - expected);
    expected = number + 1;
  }
}

bool read_refused(ByteReader& reader, const Settle& request, std::vector<RefusedLease>& refused) {
  std::uint64_t left = reader.varint();
  const std::vector<Lease> leases = left == 0 ? std::vector<Lease>{} : leases_of(request);
  std::int64_t expected = 0;
  for (; left > 0 && reader.ok(); --left) {
    const std::int64_t distance = reader.svarint();
    if (distance < -expected || distance >= std::ssize(leases) - expected) return false;
    refused.push_back({leases[static_cast<std::size_t>(expected + distance)], Code::lease_lost});
    expected += distance + 1;
  }
  return true;
}

// Places of events that follow each other, in the request and in their partition.
struct PlaceRun {
  std::size_t partition = 0;  // its place in the table of partitions
  bool duplicate = false;
  Offset first;
  std::uint64_t count = 0;
};

void write_places(ByteWriter& writer, const std::vector<Place>& places) {
  std::vector<PartitionRef> table;
  std::map<PartitionRef, std::size_t> known;
  std::vector<PlaceRun> runs;
  for (const Place& place : places) {
    const PartitionRef ref{place.topic, place.partition};
    const auto [at, fresh] = known.try_emplace(ref, table.size());
    if (fresh) table.push_back(ref);
    const bool goes_on = !runs.empty() && runs.back().partition == at->second &&
                         runs.back().duplicate == place.duplicate &&
                         runs.back().first + static_cast<std::int64_t>(runs.back().count) == place.offset;
    if (goes_on)
      ++runs.back().count;
    else
      runs.push_back({at->second, place.duplicate, place.offset, 1});
  }
  writer.varint(table.size());
  for (const PartitionRef& ref : table) writer.varint(ref.topic.value), writer.varint(ref.partition.value);
  writer.varint(runs.size());
  std::vector<std::int64_t> expected(table.size());
  for (const PlaceRun& run : runs) {
    writer.varint(run.partition * 2 + (run.duplicate ? 1 : 0));
    writer.varint(run.count);
    writer.svarint(run.first.value - expected[run.partition]);
    expected[run.partition] = run.first.value + static_cast<std::int64_t>(run.count);
  }
}

bool read_places(ByteReader& reader, const Settle& request, std::vector<Place>& places) {
  std::vector<std::pair<PartitionRef, std::uint64_t>> table;  // and the offset expected next
  for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    const TopicId topic{static_cast<std::uint32_t>(reader.varint())};
    table.push_back({{topic, PartitionId{static_cast<std::uint32_t>(reader.varint())}}, 0});
  }
  for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    const std::uint64_t kind = reader.varint(), count = reader.varint();
    if (kind / 2 >= table.size() || count > request.publish.size() - places.size()) return false;
    auto& [ref, next] = table[kind / 2];
    next += static_cast<std::uint64_t>(reader.svarint());
    for (std::uint64_t i = 0; i < count; ++i)
      places.push_back({ref.topic, ref.partition, Offset{static_cast<std::int64_t>(next++)}, (kind & 1) != 0});
  }
  return true;
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

std::string_view Catalogue::topic_name(TopicId id) const {
  for (const auto& [name, topic] : topics)
    if (topic->id == id) return name;
  return {};
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
std::string encode_settled(const Settle& request, const Settled& settled) {
  std::string bytes;
  ByteWriter writer{bytes};
  writer.u8(settled_version);
  writer.varint(settled.settled);
  write_refused(writer, request, settled.refused);
  write_places(writer, settled.places);
  return bytes;
}

Result<Settled> decode_settled(const Settle& request, std::string_view bytes) {
  ByteReader reader{bytes};
  Settled settled;
  const bool known = reader.u8() == settled_version;
  settled.settled = static_cast<std::uint32_t>(reader.varint());
  const bool read = known && read_refused(reader, request, settled.refused) &&
                    read_places(reader, request, settled.places) && reader.done();
  if (!read) return fail(Code::wrong_format, "a remembered settle cannot be read");
  return settled;
}

}  // namespace continuo::node
