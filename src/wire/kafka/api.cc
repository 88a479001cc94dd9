#include "continuo/wire/kafka/api.h"

#include <fmt/format.h>

#include <algorithm>

namespace continuo::wire::kafka {
namespace {

constexpr Api table[] = {
#define CONTINUO_KAFKA_API(NAME, KEY, MIN, MAX, SERVED, FLEXIBLE) {ApiKey::NAME, #NAME, MIN, MAX, SERVED, FLEXIBLE},
    CONTINUO_KAFKA_APIS(CONTINUO_KAFKA_API)
#undef CONTINUO_KAFKA_API
};

// Tagged fields that nobody here knows.
void skip_tags(ByteReader& in) {
  const std::uint64_t count = in.varint();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    in.varint();
    in.raw(in.varint());
  }
}

std::optional<std::string> classic_string(ByteReader& in) {
  const auto length = in.be<std::int16_t>();
  if (length == -1) return std::nullopt;
  if (length < -1) in.fail();
  return std::string{in.raw(static_cast<std::uint64_t>(length))};
}

}  // namespace

std::span<const Api> apis() { return table; }

const Api* find_api(std::int16_t key) {
  const auto found = std::ranges::find(table, ApiKey{key}, &Api::key);
  return found == std::end(table) ? nullptr : found;
}

Result<Request> read_request(std::string_view frame) {
  ByteReader in{frame};
  Request request;
  request.header.api_key = in.be<std::int16_t>();
  request.header.api_version = in.be<std::int16_t>();
  request.header.correlation_id = in.be<std::int32_t>();
  if (!in.ok()) return fail(Code::bad_request, "a Kafka request is shorter than its header");
  request.api = find_api(request.header.api_key);
  if (request.api != nullptr) {
    const std::int16_t version = request.header.api_version;
    request.supported = version >= request.api->first_served && version <= request.api->max_version;
    request.header.client_id = classic_string(in);
    // A newer ApiVersions than is known has a newer header than is known, perhaps: its fields are not looked at.
    if (request.supported && request.api->flexible(version)) skip_tags(in);
    if (!in.ok())
      return fail(Code::bad_request, fmt::format("the header of a Kafka request ({} version {}) cannot be read",
                                                 request.api->name, version));
  }
  request.body = in.rest();
  return request;
}

std::unexpected<Error> malformed(const Request& request) {
  return fail(Code::bad_request,
              fmt::format("the Kafka request {} version {} cannot be read: it ends early or has an impossible length",
                          request.api->name, request.header.api_version));
}

void begin_answer(Output& out, const Api& api, std::int16_t version, std::int32_t correlation_id) {
  ByteWriter writer{out.bytes};
  writer.be(std::int32_t{0});
  writer.be(correlation_id);
  if (api.flexible(version) && api.key != ApiKey::api_versions) writer.varint(0);
}

void end_frame(Output& out) {
  store(out.bytes.data(), big_endian(static_cast<std::int32_t>(out.size() - sizeof(std::int32_t))));
}

void begin_request(Output& out, const Api& api, std::int16_t version, std::int32_t correlation_id,
                   const std::optional<std::string>& client_id) {
  ByteWriter writer{out.bytes};
  writer.be(std::int32_t{0});
  writer.be(static_cast<std::int16_t>(api.key));
  writer.be(version);
  writer.be(correlation_id);
  writer.be(client_id ? static_cast<std::int16_t>(client_id->size()) : std::int16_t{-1});
  if (client_id) writer.raw(*client_id);
  if (api.flexible(version)) writer.varint(0);
}

}  // namespace continuo::wire::kafka
