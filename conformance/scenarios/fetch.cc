// Records out.
#include "requests.h"
#include "scenarios.h"

namespace continuo::conformance {
namespace {

// Offsets 0-2, 3, 4-5.
void fill(Run& run, const std::string& topic, std::int32_t partition = 0) {
  for (const auto& values : {std::vector<std::string>{"a", "b", "c"}, {"d"}, {"e", "f"}})
    run.ask("fill", produce_to(topic, partition, batch_of(values)));
}

void places(Run& run) {
  make_topic(run, "places", 2);
  fill(run, "places");
  run.ask_in_all("the start", fetch_from("places", 0, 0));
  run.ask("inside a batch", fetch_from("places", 0, 2));
  run.ask("the last batch", fetch_from("places", 0, 5));
  run.ask_in_all("the end", fetch_from("places", 0, 6));
  run.ask_in_all("behind the end", fetch_from("places", 0, 7));
  run.ask("far behind the end", fetch_from("places", 0, 1'000'000'000));
  run.ask("before the start", fetch_from("places", 0, -1));
  run.ask("offset -2", fetch_from("places", 0, -2));
  run.ask("an empty partition", fetch_from("places", 1, 0));
  run.ask("behind the end of an empty one", fetch_from("places", 1, 1));
  DeleteRecordsRequest remove{{{"places", {{0, 4}}}}, 5'000};
  run.ask("delete the first four", remove);
  run.ask("before the first now", fetch_from("places", 0, 3));
  run.ask("the first now", fetch_from("places", 0, 4));
}

void sizes(Run& run) {
  make_topic(run, "sizes", 2);
  for (const std::int32_t partition : {0, 1})
    for (int i = 0; i < 3; ++i) run.ask("fill", produce_to("sizes", partition, batch_of({std::string(10'000, 'x')})));
  FetchRequest request = fetch_from("sizes", 0, 0);
  request.topics[0].partitions.push_back(request.topics[0].partitions[0]);
  request.topics[0].partitions[1].partition = 1;
  const auto bounded = [&](std::int32_t all, std::int32_t each) {
    request.max_bytes = all;
    for (auto& partition : request.topics[0].partitions) partition.partition_max_bytes = each;
    run.ask(std::to_string(all) + " in all, " + std::to_string(each) + " each", request);
  };
  bounded(1, 1'000'000);
  bounded(0, 1'000'000);
  bounded(-1, 1'000'000);
  bounded(1'000'000, 1);
  bounded(1'000'000, 0);
  bounded(1'000'000, -1);
  bounded(25'000, 1'000'000);
  bounded(1'000'000, 25'000);
}

void unknown_places(Run& run) {
  make_topic(run, "epochs");
  fill(run, "epochs");
  run.ask_in_all("an unknown topic", fetch_from("nowhere", 0, 0));
  run.ask_in_all("an unknown partition", fetch_from("epochs", 9, 0));
  run.ask("partition -1", fetch_from("epochs", -1, 0));
  for (const std::int32_t epoch : {0, 1, -1, -2}) {
    FetchRequest request = fetch_from("epochs", 0, 0);
    request.topics[0].partitions[0].current_leader_epoch = epoch;
    run.ask("leader epoch " + std::to_string(epoch), request);
  }
  for (const std::int32_t epoch : {0, 1}) {
    FetchRequest request = fetch_from("epochs", 0, 3);
    request.topics[0].partitions[0].last_fetched_epoch = epoch;
    run.ask("last fetched epoch " + std::to_string(epoch), request);
  }
  FetchRequest mixed = fetch_from("epochs", 0, 0);
  mixed.max_wait_ms = 5'000;
  mixed.min_bytes = 1'000'000;
  mixed.topics.push_back(fetch_from("nowhere", 0, 0).topics[0]);
  run.ask("one known, one unknown: no wait", mixed);
  FetchRequest nothing;
  nothing.max_wait_ms = 100;
  run.ask("nothing", nothing);
  FetchRequest twice = fetch_from("epochs", 0, 0);
  twice.topics[0].partitions.push_back(twice.topics[0].partitions[0]);
  run.ask("a partition twice", twice);
}

void sessions(Run& run) {
  make_topic(run, "sessions");
  fill(run, "sessions");
  const auto ask = [&run](std::string_view step, std::int32_t id, std::int32_t epoch) {
    FetchRequest request = fetch_from("sessions", 0, 0);
    request.session_id = id;
    request.session_epoch = epoch;
    return run.ask_in_all(step, request, 7);
  };
  ask("no session", 0, -1);
  ask("a session that is not", 12'345, 3);
  ask("a session that is not, to be closed", 12'345, -1);
  ask("a session that is not, to begin anew", 12'345, 0);
  ask("epoch 5 of session 0", 0, 5);
  FetchRequest request = fetch_from("sessions", 0, 0);
  request.session_epoch = 0;
  run.ask("a new session", request);
}

void committed_only(Run& run) {
  make_topic(run, "isolated");
  fill(run, "isolated");
  for (const std::int8_t level : {0, 1, 2}) {
    FetchRequest request = fetch_from("isolated", 0, 0);
    request.isolation_level = level;
    run.ask_in_all("isolation level " + std::to_string(level), request);
  }
  FetchRequest replica = fetch_from("isolated", 0, 0);
  replica.replica_id = 7;
  run.ask("as replica 7", replica);
  replica.replica_id = -2;
  run.ask("as the debugging consumer", replica);
  FetchRequest rack = fetch_from("isolated", 0, 0);
  rack.rack_id = "cellar";
  run.ask("from a rack", rack);
  FetchRequest other = fetch_from("isolated", 0, 0);
  other.cluster_id = "AAAAAAAAAAAAAAAAAAAAAA";
  run.ask("of another cluster", other);
}

void waiting(Run& run) {
  make_topic(run, "waiting");
  FetchRequest request = fetch_from("waiting", 0, 0);
  request.max_wait_ms = 300;
  run.ask("nothing comes", request);
  request.max_wait_ms = 10'000;
  const auto sent = run.send(request);
  run.ask("something comes", produce_to("waiting", 0, batch_of({"a"})), 9, 1);
  run.receive<FetchRequest>("woken by it", sent);
  request.max_wait_ms = 300;
  request.min_bytes = 1'000'000;
  run.ask("less than wanted comes", request);
  request.min_bytes = 0;
  request.topics[0].partitions[0].fetch_offset = 1;
  request.max_wait_ms = 10'000;
  run.ask("at least nothing", request);
}

}  // namespace

void fetch(Run& run) {
  run.play("Fetch", places);
  run.play("Fetch of a size", sizes);
  run.play("Fetch from what is not", unknown_places);
  run.play("Fetch sessions", sessions);
  run.play("Fetch isolation", committed_only);
  run.play("Fetch that waits", waiting);
}

}  // namespace continuo::conformance
