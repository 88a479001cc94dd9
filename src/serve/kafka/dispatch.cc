// From a request's bytes to its handler.
#include "continuo/serve/kafka/handlers.h"
#include "continuo/serve/kafka/session.h"

namespace continuo::serve {
namespace {

using namespace wire::kafka;

// Reads the request as what `act` takes; a client whose requests cannot be read is no client.
template <class T>
void with(KafkaCall& call, const Request& request, void (*act)(KafkaCall&, T)) {
  auto message = read_body<T>(request);
  if (!message) return call.session().broken();
  act(call, *std::move(message));
}

}  // namespace

void handle(KafkaCall& call, const Request& request) {
  if (call.api().key == ApiKey::api_versions) return api_versions(call, request);
  if (call.api().key == ApiKey::produce && !request.supported) return refuse_old_produce(call, request);
  if (!request.supported) return call.session().broken();
  switch (call.api().key) {
    case ApiKey::produce: return with(call, request, produce);
    case ApiKey::fetch: return with(call, request, fetch);
    case ApiKey::list_offsets: return with(call, request, list_offsets);
    case ApiKey::metadata: return with(call, request, metadata);
    case ApiKey::offset_commit: return with(call, request, offset_commit);
    case ApiKey::offset_fetch: return with(call, request, offset_fetch);
    case ApiKey::find_coordinator: return with(call, request, find_coordinator);
    case ApiKey::join_group: return with(call, request, join_group);
    case ApiKey::heartbeat: return with(call, request, heartbeat);
    case ApiKey::leave_group: return with(call, request, leave_group);
    case ApiKey::sync_group: return with(call, request, sync_group);
    case ApiKey::describe_groups: return with(call, request, describe_groups);
    case ApiKey::list_groups: return with(call, request, list_groups);
    case ApiKey::delete_groups: return with(call, request, delete_groups);
    case ApiKey::offset_delete: return with(call, request, offset_delete);
    case ApiKey::create_topics: return with(call, request, create_topics);
    case ApiKey::delete_topics: return with(call, request, delete_topics);
    case ApiKey::delete_records: return with(call, request, delete_records);
    case ApiKey::init_producer_id: return with(call, request, init_producer_id);
    case ApiKey::offset_for_leader_epoch: return with(call, request, offset_for_leader_epoch);
    case ApiKey::describe_configs: return with(call, request, describe_configs);
    case ApiKey::describe_log_dirs: return with(call, request, describe_log_dirs);
    case ApiKey::describe_cluster: return with(call, request, describe_cluster);
    case ApiKey::alter_configs: return with(call, request, alter_configs);
    case ApiKey::incremental_alter_configs: return with(call, request, incremental_alter_configs);
    case ApiKey::create_partitions: return with(call, request, create_partitions);
    case ApiKey::describe_producers: return with(call, request, describe_producers);
    default: return call.session().broken();
  }
}

}  // namespace continuo::serve
