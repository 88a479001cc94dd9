// Bodies of requests and answers as JSON. Inside the library.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "continuo/client/client.h"

namespace continuo::client {

std::string write_topic(const TopicSettings& settings);
std::string write_topic(const TopicChange& change);
std::string write_subscription(const SubscriptionSettings& settings);
std::string write_subscription(const SubscriptionChange& change);
std::string write_receive(const Receive& receive);
std::string write_settle(const Settle& settle);

// Errors of all below: connection_failed - what answers there is no Continuo server.

Result<Topic> read_topic(std::string_view name, std::string_view json);
Result<std::vector<std::string>> read_topics(std::string_view json);
/// The places of {"events":[{"partition":0,"offset":"41","duplicate":false}]}.
Result<std::vector<Place>> read_places(std::string_view json);
/// The places of {"filtered_from":[{"topic":"orders","partition":0,"offset":"41"}]}.
Result<std::vector<FilteredFrom>> read_filtered_from(std::string_view json);
Result<Settled> read_settled(std::string_view json);
/// {"deliveries":[{"lease":"...","attempt":1,"event":{...}}]}; events keep their data as it was written.
Result<std::vector<Delivery>> read_deliveries(std::string_view json);

}  // namespace continuo::client
