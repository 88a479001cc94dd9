// The requests of Kafka's protocol that are served, in which versions, and how one is framed.
//
// The list is what ApiVersions tells. Some versions stand in it that are answered with an error: clients infer features
// from them (docs/kafka.md says which and why).
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "continuo/base/errors.h"
#include "continuo/wire/kafka/codec.h"

namespace continuo::wire::kafka {

// name, key, first and last version advertised, first version served, first flexible version
#define CONTINUO_KAFKA_APIS(X)                 \
  X(produce, 0, 0, 10, 3, 9)                   \
  X(fetch, 1, 4, 12, 4, 12)                    \
  X(list_offsets, 2, 1, 8, 1, 6)               \
  X(metadata, 3, 0, 12, 0, 9)                  \
  X(offset_commit, 8, 2, 8, 2, 8)              \
  X(offset_fetch, 9, 1, 8, 1, 6)               \
  X(find_coordinator, 10, 0, 4, 0, 3)          \
  X(join_group, 11, 0, 9, 0, 6)                \
  X(heartbeat, 12, 0, 4, 0, 4)                 \
  X(leave_group, 13, 0, 5, 0, 4)               \
  X(sync_group, 14, 0, 5, 0, 4)                \
  X(describe_groups, 15, 0, 5, 0, 5)           \
  X(list_groups, 16, 0, 4, 0, 3)               \
  X(api_versions, 18, 0, 4, 0, 3)              \
  X(create_topics, 19, 2, 7, 2, 5)             \
  X(delete_topics, 20, 1, 6, 1, 4)             \
  X(delete_records, 21, 0, 2, 0, 2)            \
  X(init_producer_id, 22, 0, 4, 0, 2)          \
  X(offset_for_leader_epoch, 23, 2, 4, 2, 4)   \
  X(describe_configs, 32, 1, 4, 1, 4)          \
  X(alter_configs, 33, 0, 2, 0, 2)             \
  X(describe_log_dirs, 35, 1, 4, 1, 2)         \
  X(create_partitions, 37, 0, 3, 0, 2)         \
  X(delete_groups, 42, 0, 2, 0, 2)             \
  X(incremental_alter_configs, 44, 0, 1, 0, 1) \
  X(offset_delete, 47, 0, 0, 0, 32767)         \
  X(describe_cluster, 60, 0, 1, 0, 0)          \
  X(describe_producers, 61, 0, 0, 0, 0)

enum class ApiKey : std::int16_t {
#define CONTINUO_KAFKA_KEY(NAME, KEY, ...) NAME = KEY,
  CONTINUO_KAFKA_APIS(CONTINUO_KAFKA_KEY)
#undef CONTINUO_KAFKA_KEY
};

struct Api {
  ApiKey key;
  std::string_view name;
  std::int16_t min_version;   ///< advertised
  std::int16_t max_version;   ///< advertised and served
  std::int16_t first_served;  ///< below it, from min_version on: advertised, and answered with an error
  std::int16_t first_flexible;
  bool flexible(std::int16_t version) const { return version >= first_flexible; }
};

std::span<const Api> apis();
/// The entry, or nullptr: not served.
const Api* find_api(std::int16_t key);

/// What stands before a request's fields.
struct RequestHeader {
  std::int16_t api_key = 0;
  std::int16_t api_version = 0;
  std::int32_t correlation_id = 0;
  std::optional<std::string> client_id;
};

/// A request, its header read. `api` is null when the key is not served; `body` is then what follows the correlation
/// id.
struct Request {
  RequestHeader header;
  const Api* api = nullptr;
  bool supported = false;  ///< the version is served
  std::string_view body;
};

/// Reads the header of one frame, the four bytes of its length not included. Errors: bad_request.
Result<Request> read_request(std::string_view frame);

// The parts of the templates below that know no message.
std::unexpected<Error> malformed(const Request& request);
void begin_answer(Output& out, const Api& api, std::int16_t version, std::int32_t correlation_id);
void begin_request(Output& out, const Api& api, std::int16_t version, std::int32_t correlation_id,
                   const std::optional<std::string>& client_id);
void end_frame(Output& out);

/// Reads a request's fields. What stands behind them is not looked at, as in Kafka: some clients leave bytes there.
/// Errors: bad_request, naming the API and version.
template <class T>
Result<T> read_body(const Request& request) {
  T message;
  Reader reader{request.body, request.header.api_version, request.api->flexible(request.header.api_version)};
  reader.structure(message);
  if (!reader.ok()) return malformed(request);
  return message;
}

/// Writes one answer with its length and header. The answer to ApiVersions has the oldest header in every version, so
/// that a client can read it whatever it asked with (KIP-511).
template <class T>
Output write_answer(const Api& api, std::int16_t version, std::int32_t correlation_id, const T& message) {
  Output out;
  begin_answer(out, api, version, correlation_id);
  Writer writer{out, version, api.flexible(version)};
  writer.structure(message);
  end_frame(out);
  return out;
}

/// One request as a client sends it, with its length: for tests and tools.
template <class T>
std::string write_request(const Api& api, std::int16_t version, std::int32_t correlation_id,
                          const std::optional<std::string>& client_id, const T& message) {
  Output out;
  begin_request(out, api, version, correlation_id, client_id);
  Writer writer{out, version, api.flexible(version)};
  writer.structure(message);
  end_frame(out);
  return out.flat();
}

}  // namespace continuo::wire::kafka
