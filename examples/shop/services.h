// The services: which topics each reads, and how it answers an event. Pure but for what goes through the outbox.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/client/subscriber.h"

namespace shop {

struct Service {
  std::string_view name;           ///< also the name of its subscription
  std::vector<std::string> reads;  ///< topics
  std::vector<std::string> writes;
  continuo::Result<void> (*react)(const continuo::client::Delivery&, continuo::client::Outbox&);
};

/// order, payment, inventory, shipping, email, analytics.
std::span<const Service> all_services();
/// The service of that name, or nullptr.
const Service* find_service(std::string_view name);

/// Makes the topics and the subscription of a service, where they are not there yet.
continuo::Result<void> prepare(continuo::client::Client& client, const Service& service);
/// Makes one topic of the shop, where it is not there yet.
continuo::Result<void> prepare_topic(continuo::client::Client& client, const std::string& topic);
/// Works until stop is requested of the client.
continuo::Result<void> serve(continuo::client::Client& client, const Service& service);

}  // namespace shop
