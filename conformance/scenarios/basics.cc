// What clients ask first, and what is no request.
#include "requests.h"
#include "scenarios.h"

namespace continuo::conformance {
namespace {

MetadataRequest metadata_of(std::optional<std::string> topic, bool make = false) {
  MetadataRequest request;
  request.topics = {{{{}, std::move(topic)}}};
  request.allow_auto_topic_creation = make;
  return request;
}

void versions(Run& run) {
  run.ask_in_all("versions", ApiVersionsRequest{"differential", "1.0"});
  run.ask("no name", ApiVersionsRequest{"", ""}, 3);
  run.ask("a name with blanks", ApiVersionsRequest{"no name", "1.0"}, 3);
  run.ask_bytes("a version of the future", {"\0\0\0\x0f\0\x12\0\x63\0\0\0\x07\xff\xff\0\x02x\x02y", 19});
}

void metadata(Run& run) {
  make_topic(run, "known", 3);
  run.ask_in_all("a topic", metadata_of("known"));
  run.ask_in_all("an unknown topic", metadata_of("unknown"), 4);
  MetadataRequest all;
  run.ask_in_all("all topics", all, 1);
  MetadataRequest nothing;
  nothing.topics.emplace();
  run.ask_in_all("an empty list", nothing);
  for (const char* name : {"", ".", "..", "no name", "what/ever", "a:b", "gr\xc3\xbc\xc3\x9f"}) {
    run.ask("the name '" + std::string{name} + "'", metadata_of(name));
    run.ask("the name '" + std::string{name} + "', to be made", metadata_of(name, true));
  }
  run.ask("a name of 249", metadata_of(std::string(249, 'n')));
  run.ask("a name of 250", metadata_of(std::string(250, 'n')));
  MetadataRequest twice;
  twice.topics = {{{{}, "known"}, {{}, "known"}, {{}, "unknown"}}};
  twice.allow_auto_topic_creation = false;
  run.ask("a topic twice", twice);
}

// The first answer may or may not have the topic already; a client asks again.
void made_when_asked_for(Run& run) {
  for (const std::int16_t version : {0, 3, 4, 9, 12}) {
    const std::string name = "made-" + std::to_string(version);
    run.ask("ask for it", metadata_of(name, true), version);
    Run::wait(500);
    run.ask("ask again", metadata_of(name, true), version);
  }
}

void metadata_by_id(Run& run) {
  make_topic(run, "by-id");
  const auto answer = run.ask("its id", metadata_of("by-id"));
  MetadataRequest by_id = metadata_of(std::nullopt);
  if (!answer.topics.empty()) by_id.topics->at(0).topic_id = answer.topics[0].topic_id;
  run.ask("by id", by_id);
  by_id.topics->at(0).topic_id.bytes[3] ^= 1;
  run.ask("by an unknown id", by_id);
  run.ask("neither name nor id", metadata_of(std::nullopt));
  by_id.topics->at(0).name = "by-id";
  run.ask("both name and id", by_id);
  run.ask("an id in version 11", by_id, 11);
}

void cluster(Run& run) {
  run.ask_in_all("cluster", DescribeClusterRequest{});
  DescribeClusterRequest request;
  request.include_cluster_authorized_operations = true;
  run.ask("with operations", request);
  request.endpoint_type = 2;
  run.ask("controllers", request);
  request.endpoint_type = 9;
  run.ask("an unknown type", request);
}

void coordinators(Run& run) {
  FindCoordinatorRequest request;
  request.key = "a-group";
  request.coordinator_keys = {"a-group", "another"};
  const auto found = [](const FindCoordinatorResponse& answer) {
    return !answer.coordinators.empty() && answer.coordinators[0].error_code == 0;
  };
  run.settle(request, 4, found);  // Kafka makes its topic of offsets now, and its topic of transactions then
  run.ask_in_all("of a group", request);
  request.key_type = 1;
  run.settle(request, 4, found);
  run.ask_in_all("of a transaction", request, 1);
  request.key_type = 0;
  request.coordinator_keys.clear();
  run.ask("of none", request);
  request.coordinator_keys = {""};
  request.key = "";
  run.ask("of a group without a name", request, 2);
  run.ask("of groups without a name", request);
  request.key = "a-group";
  request.coordinator_keys = {"a-group"};
  request.key_type = 7;
  run.ask("of an unknown type", request, 2);
  run.ask("of an unknown type, several", request);
}

void no_requests(Run& run) {
  run.ask_bytes("an unknown API", {"\0\0\0\x0c\x01\xf4\0\0\0\0\0\x01\xff\xff\0\0", 16});
  run.ask_bytes("a negative API", {"\0\0\0\x0c\xff\xf4\0\0\0\0\0\x01\xff\xff\0\0", 16});
  run.ask_bytes("Metadata in version 99", {"\0\0\0\x0e\0\x03\0\x63\0\0\0\x01\xff\xff\0\0\0\0", 18});
  run.ask_bytes("Metadata in version -1", {"\0\0\0\x0e\0\x03\xff\xff\0\0\0\x01\xff\xff\0\0\0\0", 18});
  run.ask_bytes("Fetch in version 3", {"\0\0\0\x0e\0\x01\0\x03\0\0\0\x01\xff\xff\0\0\0\0", 18});
  run.ask_bytes("half a header", {"\0\0\0\x06\0\x03\0\x01\0\0", 10});
  run.ask_bytes("a fetch that ends early", {"\0\0\0\x10\0\x01\0\x04\0\0\0\x01\xff\xff\xff\xff\xff\xff\0\0", 20});
  run.ask_bytes("an array of 2^31 - 1", {"\0\0\0\x0e\0\x03\0\x01\0\0\0\x01\xff\xff\x7f\xff\xff\xff", 18});
  run.ask_bytes("an array of -2", {"\0\0\0\x0e\0\x03\0\x01\0\0\0\x01\xff\xff\xff\xff\xff\xfe", 18});
  run.ask_bytes("a string of 32,767", {"\0\0\0\x10\0\x03\0\x01\0\0\0\x01\xff\xff\0\0\0\x01\x7f\xff", 20});
  run.ask_bytes("bytes behind the end", {"\0\0\0\x13\0\x03\0\x04\0\0\0\x01\xff\xff\0\0\0\0\0more", 23});
  run.ask_bytes("a frame of no bytes", {"\0\0\0\0", 4});
  run.ask_bytes("a frame of -1", {"\xff\xff\xff\xff", 4});
  run.ask_bytes("a frame of 2^31 - 1", {"\x7f\xff\xff\xff", 4});
  run.ask_bytes("HTTP", "GET / HTTP/1.1\r\nHost: here\r\n\r\n");
}

void unknown_tags(Run& run) {
  // Heartbeat version 4: flexible; group "g", generation 1, member "stranger"; tags 77 and 1000 behind it and in the
  // header.
  const std::string_view body{
      "\0\x0c\0\x04\0\0\0\x01\0\x01t\x01\x09\x02hi"
      "\x02g\0\0\0\x01\x09stranger\0"
      "\x02\x4d\x01x\xe8\x07\x00",
      39};
  std::string frame(4, '\0');
  store(frame.data(), big_endian(static_cast<std::int32_t>(body.size())));
  run.ask_bytes("tags that nobody knows", frame + std::string{body});
}

}  // namespace

void basics(Run& run) {
  run.play("ApiVersions", versions);
  run.play("Metadata", metadata);
  run.play("Metadata makes topics", made_when_asked_for);
  run.play("Metadata by id", metadata_by_id);
  run.play("DescribeCluster", cluster);
  run.play("FindCoordinator", coordinators);
  run.play("What is no request", no_requests);
  run.play("Tagged fields", unknown_tags);
}

}  // namespace continuo::conformance
