// Topics, made and removed.
#include "requests.h"
#include "scenarios.h"

namespace continuo::conformance {
namespace {

CreateTopicsRequest configured(const std::string& name, const std::string& config, std::optional<std::string> value) {
  CreateTopicsRequest request = create_of(name);
  request.topics[0].configs = {{config, std::move(value)}};
  return request;
}

void made(Run& run) {
  for (std::int16_t version = 2; version <= 7; ++version)
    run.ask("make", create_of("made-in-" + std::to_string(version), 2), version);
  Run::wait(200);
  run.ask_in_all("one that exists", create_of("made-in-2", 2));
  CreateTopicsRequest several = create_of("several-1");
  several.topics.push_back(create_of("bad name").topics[0]);
  several.topics.push_back(create_of("several-2").topics[0]);
  run.ask("good and bad", several);
  several = create_of("twice");
  several.topics.push_back(create_of("twice", 2).topics[0]);
  several.topics.push_back(create_of("once").topics[0]);
  run.ask("one twice, one once", several);
  CreateTopicsRequest asked = create_of("only-asked", 3);
  asked.validate_only = true;
  run.ask_in_all("only asked", asked);
  asked.topics[0].name = "made-in-2";
  run.ask("only asked, exists", asked);
  run.ask("none", CreateTopicsRequest{});
}

void names(Run& run) {
  for (const char* name : {"", ".", "..", "no name", "what/ever", "a:b", "gr\xc3\xbc\xc3\x9f"})
    run.ask("the name '" + std::string{name} + "'", create_of(name));
  run.ask("a name of 249", create_of(std::string(249, 'n')));
  run.ask("a name of 250", create_of(std::string(250, 'n')));
  run.ask("with a dot", create_of("same.name"));
  Run::wait(200);
  run.ask("with an underscore, where one with a dot is", create_of("same_name"));
}

void counts(Run& run) {
  for (const std::int32_t partitions : {0, -1, -2})
    run.ask(std::to_string(partitions) + " partitions", create_of("n" + std::to_string(partitions), partitions));
  run.ask("-1 partitions in version 3", create_of("n-1-3", -1), 3);
  for (const std::int16_t factor : {-1, 0, 2, -2}) {
    CreateTopicsRequest request = create_of("f" + std::to_string(factor));
    request.topics[0].replication_factor = factor;
    run.ask("replication factor " + std::to_string(factor), request);
  }
  const auto assign = [&run](std::string_view step, const std::string& name,
                             std::vector<CreateTopicsRequest::Assignment> assignments, std::int32_t partitions = -1) {
    CreateTopicsRequest request = create_of(name, partitions);
    request.topics[0].replication_factor = partitions == -1 ? -1 : 1;
    request.topics[0].assignments = std::move(assignments);
    run.ask(step, request);
  };
  assign("assigned to the broker", "assigned", {{0, {1}}, {1, {1}}});
  assign("assigned to another", "assigned-2", {{0, {2}}});
  assign("assigned and counted", "assigned-3", {{0, {1}}}, 1);
  assign("assigned to nobody", "assigned-4", {{0, {}}});
  assign("assigned twice to one", "assigned-5", {{0, {1, 1}}});
  assign("the second partition only", "assigned-6", {{1, {1}}});
  assign("a partition twice", "assigned-7", {{0, {1}}, {0, {1}}});
}

void with_settings(Run& run) {
  run.ask("a good setting", configured("set-1", "retention.ms", "86400000"));
  run.ask("an unknown setting", configured("set-2", "retention.msec", "1"));
  run.ask("a setting without a value", configured("set-3", "retention.ms", std::nullopt));
  run.ask("a value that is no number", configured("set-4", "retention.ms", "long"));
  run.ask("a value too small", configured("set-5", "retention.ms", "-2"));
  run.ask("a size without end", configured("set-6", "retention.bytes", "-1"));
  run.ask("an odd policy", configured("set-7", "cleanup.policy", "burn"));
  run.ask("an empty setting name", configured("set-8", "", "1"));
}

void removed(Run& run) {
  for (std::int16_t version = 1; version <= 6; ++version) {
    const std::string name = "removed-" + std::to_string(version);
    make_topic(run, name);
    DeleteTopicsRequest request{{{name, {}}}, {name}, 5'000};
    run.ask("delete", request, version);
  }
  run.ask_in_all("an unknown one", DeleteTopicsRequest{{{"nowhere", {}}}, {"nowhere"}, 5'000});
  make_topic(run, "removed-by-id");
  MetadataRequest ask;
  ask.topics = {{{{}, "removed-by-id"}}};
  const auto known = run.ask("its id", ask);
  DeleteTopicsRequest by_id{{{std::nullopt, {}}}, {}, 5'000};
  if (!known.topics.empty()) by_id.topics[0].topic_id = known.topics[0].topic_id;
  run.ask("by id", by_id);
  Run::wait(200);
  run.ask("by id again", by_id);
  by_id.topics[0].topic_id = {};
  run.ask("neither name nor id", by_id);
  make_topic(run, "removed-twice");
  run.ask("twice in a request", DeleteTopicsRequest{{{"removed-twice", {}}, {"removed-twice", {}}}, {}, 5'000});
  run.ask("a name that cannot be", DeleteTopicsRequest{{{"no name", {}}}, {}, 5'000});
  run.ask("none", DeleteTopicsRequest{});
}

// A topic of a name that was used before is another one, and empty.
void made_again(Run& run) {
  make_topic(run, "again");
  run.ask("fill", produce_to("again", 0, batch_of({"old"})));
  run.ask("delete", DeleteTopicsRequest{{{"again", {}}}, {}, 5'000});
  Run::wait(300);
  run.ask("produce to what was", produce_to("again", 0, batch_of({"lost"})));
  run.ask("fetch what was", fetch_from("again", 0, 0));
  make_topic(run, "again");
  run.ask("the new one is empty", fetch_from("again", 0, 0));
  run.ask("produce", produce_to("again", 0, batch_of({"new"})));
}

}  // namespace

void topics(Run& run) {
  run.play("CreateTopics", made);
  run.play("Names of topics", names);
  run.play("Counts of partitions and replicas", counts);
  run.play("CreateTopics with settings", with_settings);
  run.play("DeleteTopics", removed);
  run.play("A topic made again", made_again);
}

}  // namespace continuo::conformance
