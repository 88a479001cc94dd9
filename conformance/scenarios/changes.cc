// What operators change: settings and partitions; and who produces.
#include "requests.h"
#include "scenarios.h"

namespace continuo::conformance {
namespace {

using Change = IncrementalAlterConfigsRequest::Config;

void look(Run& run, const std::string& topic) {
  Run::wait(200);
  DescribeConfigsRequest request;
  request.resources = {{ConfigResource::topic, topic, {{"retention.ms", "retention.bytes", "cleanup.policy"}}}};
  run.ask("look", request);
}

void altered(Run& run) {
  make_topic(run, "altered");
  const auto alter = [&run](std::string_view step, std::vector<AlterConfigsRequest::Config> configs,
                            const std::string& topic = "altered", std::int8_t type = ConfigResource::topic,
                            bool only_asked = false) {
    AlterConfigsRequest request;
    request.resources = {{type, topic, std::move(configs)}};
    request.validate_only = only_asked;
    run.ask_in_all(step, request);
  };
  alter("set one", {{"retention.ms", "1000000"}});
  look(run, "altered");
  alter("set the other: the first is its default again", {{"retention.bytes", "1000000"}});
  look(run, "altered");
  alter("only asked", {{"retention.ms", "5"}}, "altered", ConfigResource::topic, true);
  look(run, "altered");
  alter("an unknown setting", {{"no.such", "1"}});
  alter("a wrong value", {{"retention.ms", "soon"}});
  alter("no value", {{"retention.ms", std::nullopt}});
  alter("an unknown topic", {{"retention.ms", "1"}}, "nowhere");
  alter("an unknown type", {{"retention.ms", "1"}}, "altered", 9);
  alter("nothing: all are their defaults", {});
  look(run, "altered");
}

void incrementally(Run& run) {
  make_topic(run, "changed");
  const auto change = [&run](std::string_view step, std::vector<Change> changes, const std::string& topic = "changed",
                             std::int8_t type = ConfigResource::topic, bool only_asked = false) {
    IncrementalAlterConfigsRequest request;
    request.resources = {{type, topic, std::move(changes)}};
    request.validate_only = only_asked;
    run.ask_in_all(step, request);
  };
  using Request = IncrementalAlterConfigsRequest;
  change("set two", {{"retention.ms", Request::set, "1000000"}, {"retention.bytes", Request::set, "7000000"}});
  look(run, "changed");
  change("remove one", {{"retention.ms", Request::remove, std::nullopt}});
  look(run, "changed");
  change("remove it again", {{"retention.ms", Request::remove, std::nullopt}});
  change("append to a list", {{"cleanup.policy", Request::append, "delete"}});
  change("append to a number", {{"retention.ms", Request::append, "1"}});
  change("subtract from a number", {{"retention.ms", Request::subtract, "1"}});
  change("an unknown operation", {{"retention.ms", 9, "1"}});
  change("a setting twice", {{"retention.ms", Request::set, "1"}, {"retention.ms", Request::set, "2"}});
  change("set to nothing", {{"retention.ms", Request::set, std::nullopt}});
  change("an unknown setting", {{"no.such", Request::set, "1"}});
  change("a wrong value", {{"retention.ms", Request::set, "soon"}});
  change("only asked", {{"retention.ms", Request::set, "5"}}, "changed", ConfigResource::topic, true);
  change("an unknown topic", {{"retention.ms", Request::set, "1"}}, "nowhere");
  change("an unknown type", {{"retention.ms", Request::set, "1"}}, "changed", 9);
  IncrementalAlterConfigsRequest twice;
  twice.resources = {{ConfigResource::topic, "changed", {{"retention.ms", Request::set, "1"}}},
                     {ConfigResource::topic, "changed", {{"retention.ms", Request::set, "2"}}}};
  run.ask("a resource twice", twice);
  look(run, "changed");
}

void more_partitions(Run& run) {
  for (std::int16_t version = 0; version <= 3; ++version) {
    make_topic(run, "grown-" + std::to_string(version));
    run.ask("from 1 to 3", CreatePartitionsRequest{{{"grown-" + std::to_string(version), 3, {}}}, 5'000}, version);
  }
  Run::wait(200);
  MetadataRequest ask;
  ask.topics = {{{{}, "grown-0"}}};
  run.ask("three", ask);
  const auto grow = [&run](std::string_view step, const std::string& topic, std::int32_t count,
                           std::optional<std::vector<CreatePartitionsRequest::Assignment>> assignments = {},
                           bool only_asked = false) {
    run.ask(step, CreatePartitionsRequest{{{topic, count, std::move(assignments)}}, 5'000, only_asked});
  };
  grow("as many", "grown-0", 3);
  grow("fewer", "grown-0", 2);
  grow("none", "grown-0", 0);
  grow("-1", "grown-0", -1);
  grow("only asked", "grown-0", 5, {}, true);
  grow("an unknown topic", "nowhere", 3);
  grow("assigned", "grown-1", 4, {{{{1}}}});
  grow("assigned to another broker", "grown-2", 4, {{{{7}}}});
  grow("assigned too few", "grown-3", 5, {{{{1}}}});
  CreatePartitionsRequest twice{{{"grown-3", 6, {}}, {"grown-3", 7, {}}}, 5'000};
  run.ask("a topic twice", twice);
  run.ask("produce to a new one", produce_to("grown-0", 2, batch_of({"a"})));
}

void known_producers(Run& run) {
  make_topic(run, "producing", 2);
  const std::int64_t id = run.ask("a number", InitProducerIdRequest{}).producer_id;
  run.ask("fill", produce_to("producing", 0, batch_of({"a", "b"}, {id, 0, 0})));
  DescribeProducersRequest request;
  request.topics = {{"producing", {0, 1, 9}}, {"nowhere", {0}}};
  run.ask("who produces", request);
}

}  // namespace

void changes(Run& run) {
  run.play("AlterConfigs", altered);
  run.play("IncrementalAlterConfigs", incrementally);
  run.play("CreatePartitions", more_partitions);
  run.play("DescribeProducers", known_producers);
}

}  // namespace continuo::conformance
