// Offsets by their place, their time, their epoch; deleted records.
#include "requests.h"
#include "scenarios.h"

namespace continuo::conformance {
namespace {

ListOffsetsRequest list_of(const std::string& topic, std::int64_t timestamp, std::int32_t partition = 0,
                           std::int32_t epoch = -1) {
  ListOffsetsRequest request;
  request.topics = {{topic, {{partition, epoch, timestamp}}}};
  return request;
}

// Batches of 2 at 1,000; of 1 at 3,000; of 2 at 2,000; of 1 at 3,000.
void fill(Run& run, const std::string& topic) {
  const auto add = [&](const std::vector<std::string>& values, std::int64_t after_ms) {
    run.ask("fill", produce_to(topic, 0, batch_of(values, {}, some_time + after_ms)));
  };
  add({"a", "b"}, 1'000);
  add({"c"}, 3'000);
  add({"d", "e"}, 2'000);
  add({"f"}, 3'000);
}

void by_time(Run& run) {
  make_topic(run, "timed", 2);
  fill(run, "timed");
  for (const std::int64_t special : {-1, -2, -3}) {
    run.ask_in_all("timestamp " + std::to_string(special), list_of("timed", special));
    run.ask_in_all("timestamp " + std::to_string(special) + " of an empty partition", list_of("timed", special, 1));
  }
  for (const std::int64_t special : {-4, -5, -6}) {
    run.ask("timestamp " + std::to_string(special), list_of("timed", special));
    run.ask("timestamp " + std::to_string(special) + " in version 1", list_of("timed", special), 1);
  }
  for (const std::int64_t after : {0, 1'000, 1'001, 2'000, 2'001, 3'000, 3'001})
    run.ask_in_all(std::to_string(after) + " ms", list_of("timed", some_time + after));
  run.ask("time 0", list_of("timed", 0));
  run.ask("a time in an empty partition", list_of("timed", some_time, 1));
  ListOffsetsRequest committed = list_of("timed", -1);
  committed.isolation_level = 1;
  run.ask("the end of what is committed", committed);
}

void not_there(Run& run) {
  make_topic(run, "listed");
  run.ask_in_all("an unknown topic", list_of("nowhere", -1));
  run.ask_in_all("an unknown partition", list_of("listed", -1, 9));
  for (const std::int32_t epoch : {0, 1, -2})
    run.ask_in_all("leader epoch " + std::to_string(epoch), list_of("listed", -1, 0, epoch), 4);
  ListOffsetsRequest twice = list_of("listed", -1);
  twice.topics[0].partitions.push_back({0, -1, -2});
  run.ask("a partition twice", twice);
  ListOffsetsRequest replica = list_of("listed", -1);
  replica.replica_id = 7;
  run.ask("as replica 7", replica);
  replica.replica_id = -2;
  run.ask("as the debugging consumer", replica);
}

void epochs(Run& run) {
  make_topic(run, "ended");
  fill(run, "ended");
  const auto ask = [&run](std::string_view step, const std::string& topic, std::int32_t partition, std::int32_t current,
                          std::int32_t epoch) {
    OffsetForLeaderEpochRequest request;
    request.replica_id = -1;
    request.topics = {{topic, {{partition, current, epoch}}}};
    run.ask_in_all(step, request);
  };
  ask("epoch 0", "ended", 0, -1, 0);
  ask("epoch 1", "ended", 0, -1, 1);
  ask("epoch -1", "ended", 0, -1, -1);
  ask("leader epoch 0", "ended", 0, 0, 0);
  ask("leader epoch 1", "ended", 0, 1, 0);
  ask("an unknown partition", "ended", 9, -1, 0);
  ask("an unknown topic", "nowhere", 0, -1, 0);
}

void deleted(Run& run) {
  make_topic(run, "deleted");
  fill(run, "deleted");
  const auto remove = [&run](std::string_view step, std::int64_t offset, std::int32_t partition = 0) {
    run.ask(step, DeleteRecordsRequest{{{"deleted", {{partition, offset}}}}, 5'000});
  };
  run.ask_in_all("before 1", DeleteRecordsRequest{{{"deleted", {{0, 1}}}}, 5'000});
  remove("before 0", 0);
  remove("before the end + 1", 7);
  remove("before -2", -2);
  remove("of an unknown partition", 1, 9);
  run.ask("of an unknown topic", DeleteRecordsRequest{{{"nowhere", {{0, 1}}}}, 5'000});
  run.ask("the first, inside a batch", list_of("deleted", -2));
  run.ask("fetch the first", fetch_from("deleted", 0, 1));
  run.ask("a time before it", list_of("deleted", some_time));
  remove("all", -1);
  remove("all again", -1);
  run.ask("the first now", list_of("deleted", -2));
  run.ask("a time now", list_of("deleted", some_time));
  run.ask("the newest time now", list_of("deleted", -3));
}

}  // namespace

void list_offsets(Run& run) {
  run.play("ListOffsets", by_time);
  run.play("ListOffsets of what is not", not_there);
  run.play("OffsetForLeaderEpoch", epochs);
  run.play("DeleteRecords", deleted);
}

}  // namespace continuo::conformance
