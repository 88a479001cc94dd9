// Settings and files, looked at.
#include "requests.h"
#include "scenarios.h"

namespace continuo::conformance {
namespace {

DescribeConfigsRequest describe_of(std::int8_t type, const std::string& name,
                                   std::optional<std::vector<std::string>> keys = {}) {
  DescribeConfigsRequest request;
  request.resources = {{type, name, std::move(keys)}};
  return request;
}

void of_topics(Run& run) {
  CreateTopicsRequest make = create_of("described");
  make.topics[0].configs = {{"retention.ms", "86400000"}};
  run.ask("make", make);
  Run::wait(200);
  run.ask_in_all("all", describe_of(ConfigResource::topic, "described"));
  DescribeConfigsRequest request =
      describe_of(ConfigResource::topic, "described", {{"retention.ms", "retention.bytes"}});
  run.ask_in_all("two", request);
  request.include_synonyms = request.include_documentation = true;
  run.ask_in_all("two with synonyms", request);
  run.ask("one that is not", describe_of(ConfigResource::topic, "described", {{"no.such", "retention.ms"}}));
  run.ask("none", describe_of(ConfigResource::topic, "described", {std::vector<std::string>{}}));
  run.ask_in_all("an unknown topic", describe_of(ConfigResource::topic, "nowhere"));
  run.ask("a name that cannot be", describe_of(ConfigResource::topic, "no name"));
  run.ask("no name", describe_of(ConfigResource::topic, ""));
}

void of_brokers(Run& run) {
  const std::vector<std::string> keys{"auto.create.topics.enable", "broker.id",         "default.replication.factor",
                                      "log.cleanup.policy",        "message.max.bytes", "num.partitions"};
  run.ask_in_all("some", describe_of(ConfigResource::broker, "1", keys));
  run.ask("the default of brokers", describe_of(ConfigResource::broker, "", keys));
  run.ask("another broker", describe_of(ConfigResource::broker, "7", keys));
  run.ask("a name that is no number", describe_of(ConfigResource::broker, "one", keys));
  for (const std::int8_t type : {0, 1, 3, 8, 16, 32})
    run.ask("resource type " + std::to_string(type), describe_of(type, "x"));
  DescribeConfigsRequest several = describe_of(ConfigResource::broker, "1", {{"num.partitions"}});
  several.resources.push_back({ConfigResource::topic, "nowhere", std::nullopt});
  run.ask("several", several);
  run.ask("nothing", DescribeConfigsRequest{});
}

void files(Run& run) {
  make_topic(run, "filed", 2);
  run.ask("fill", produce_to("filed", 1, batch_of({"a"})));
  run.ask_in_all("two partitions", DescribeLogDirsRequest{{{{"filed", {0, 1}}}}});
  run.ask("known and unknown", DescribeLogDirsRequest{{{{"filed", {1, 9}}, {"nowhere", {0}}}}});
  run.ask("none", DescribeLogDirsRequest{{std::vector<DescribeLogDirsRequest::Topic>{}}});
}

}  // namespace

void configs(Run& run) {
  run.play("DescribeConfigs of a topic", of_topics);
  run.play("DescribeConfigs of the broker", of_brokers);
  run.play("DescribeLogDirs", files);
}

}  // namespace continuo::conformance
