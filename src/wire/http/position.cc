#include "continuo/wire/http/position.h"

#include <algorithm>
#include <charconv>

#include "continuo/base/bytes.h"
#include "continuo/record/base64.h"

namespace continuo::wire::http {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t max_token_bytes = 16 * 1024;

std::unexpected<Error> bad_position(std::string_view text) {
  return fail(
      Code::bad_position, "'" + std::string(text.substr(0, 60)) + "' is not a position", "from",
      "earliest, latest, a time like 2026-11-21T08:30:00Z, a value of Continuo-Next, or with `partition` an offset");
}

bool read_entries(ByteReader& reader, Position& position) {
  const std::uint64_t count = reader.varint();
  std::int64_t previous = -1;
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    const std::uint64_t partition = reader.varint(), offset = reader.varint();
    if (partition > 0xffffffffu || static_cast<std::int64_t>(partition) <= previous) return false;
    if (offset > static_cast<std::uint64_t>(max_offset.value)) return false;
    previous = static_cast<std::int64_t>(partition);
    position.next.emplace_back(PartitionId{static_cast<std::uint32_t>(partition)},
                               Offset{static_cast<std::int64_t>(offset)});
  }
  return reader.done();
}

}  // namespace

void base64url_encode(std::string_view bytes, std::string& out) {
  const std::size_t start = out.size();
  record::base64_encode(bytes, out);
  while (out.size() > start && out.back() == '=') out.pop_back();
  for (std::size_t i = start; i < out.size(); ++i) {
    if (out[i] == '+') out[i] = '-';
    if (out[i] == '/') out[i] = '_';
  }
}

std::optional<std::string> base64url_decode(std::string_view text) {
  std::string plain(text);
  for (char& c : plain) {
    if (c == '+' || c == '/' || c == '=') return std::nullopt;
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  plain.append((4 - plain.size() % 4) % 4, '=');
  std::string bytes;
  if (!record::base64_decode(plain, bytes)) return std::nullopt;
  return bytes;
}

std::string write_position(const Position& position) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.u8(version);
  writer.varint(position.topic.value);
  writer.varint(static_cast<std::uint64_t>(std::max<std::int64_t>(position.since.ms, 0)));
  writer.varint(position.next.size());
  for (const auto& [partition, offset] : position.next) {
    writer.varint(partition.value);
    writer.varint(static_cast<std::uint64_t>(offset.value));
  }
  std::string token;
  base64url_encode(bytes, token);
  return token;
}

Result<Position> parse_position(std::string_view token) {
  if (token.empty() || token.size() > max_token_bytes) return bad_position(token);
  const auto bytes = base64url_decode(token);
  if (!bytes) return bad_position(token);
  ByteReader reader(*bytes);
  Position position;
  if (reader.u8() != version) return bad_position(token);
  const std::uint64_t topic = reader.varint(), since = reader.varint();
  if (topic > 0xffffffffu || since > static_cast<std::uint64_t>(max_offset.value)) return bad_position(token);
  position.topic = TopicId{static_cast<std::uint32_t>(topic)};
  position.since.ms = static_cast<std::int64_t>(since);
  if (!read_entries(reader, position)) return bad_position(token);
  return position;
}

Result<From> parse_from(std::string_view text, bool partition_given) {
  if (text == "earliest") return Earliest{};
  if (text == "latest") return Latest{};
  std::int64_t offset = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (error == std::errc{} && end == text.data() + text.size() && offset >= 0) {
    if (partition_given) return Offset{offset};
    return fail(Code::bad_position, "an offset is a place in one partition", "from",
                "give `partition` too, or a position");
  }
  if (text.find(':') != std::string_view::npos) {
    if (auto time = parse_time(text)) return *time;
    return bad_position(text);
  }
  auto position = parse_position(text);
  if (!position) return pass(position);
  return std::move(*position);
}

}  // namespace continuo::wire::http
