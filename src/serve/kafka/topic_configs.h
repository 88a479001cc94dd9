// A topic's settings under the names that Kafka's tools know.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/node/requests.h"
#include "continuo/wire/kafka/configs.h"

namespace continuo::serve {

/// One setting and its value.
struct TopicConfig {
  std::string_view name;
  std::string value;
  wire::kafka::ConfigSource source = wire::kafka::ConfigSource::built_in;
  bool read_only = false;
  std::int8_t type = 0;  ///< Kafka's number: 1 boolean, 2 string, 3 int, 5 long, 7 list
  std::string_view documentation;
  std::string default_value;
};

/// All there are, by name.
std::vector<TopicConfig> topic_configs(const node::TopicSettings& settings);

/// Says what one is to be; no value: its default. Errors (bad_setting): no setting of that name, not one of its values,
/// or one that cannot be had here.
Result<void> set_config(node::TopicChange& change, std::string_view name, const std::optional<std::string>& value);

/// A change to the defaults, of all that can be set by a name: what set_config says on top of it replaces everything.
node::TopicChange default_configs();

/// True for settings that are lists: they can be added to and taken from.
bool is_list_config(std::string_view name);

}  // namespace continuo::serve
