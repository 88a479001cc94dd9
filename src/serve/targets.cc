// Targets of subscriptions, as far as they are checked against what this server allows and what else is defined.
#include <fmt/format.h>

#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"
#include "continuo/wire/http/copy_cycles.h"

namespace continuo::serve {
namespace {

Result<void> check_address(const Door& door, const wire::http::WebhookTarget& webhook) {
  if (door.options.allow_private_webhooks || !wire::http::is_private_host(webhook.url.host)) return {};
  return fail(Code::bad_setting,
              fmt::format("'{}' is not on the internet, and this server sends webhooks nowhere else", webhook.url.host),
              "target.webhook.url", "a public address; or continuo serve --allow-private-webhooks");
}

Result<void> check_copies(const node::Catalogue& catalogue, const wire::http::TopicCopy& added) {
  std::vector<std::string> into;  // views into them must not move
  into.reserve(catalogue.subscriptions.size());
  std::vector<wire::http::TopicCopy> others;
  for (const auto& [name, subscription] : catalogue.subscriptions) {
    if (!wire::http::is_topic_target(subscription->settings.target)) continue;
    const auto target = wire::http::parse_target(subscription->settings.target);
    if (name == added.subscription || !target || !target->topic) continue;
    others.push_back({name, subscription->settings.topics, into.emplace_back(target->topic->name)});
  }
  const std::string way = wire::http::copy_cycle(added, others);
  if (way.empty()) return {};
  return fail(Code::bad_setting, "copies would go round: " + way, "target.topic.name", "copy into another topic");
}

}  // namespace

Result<wire::http::DeliveryTarget> checked_target(const Door& door, std::string_view name,
                                                  node::SubscriptionSettings& settings) {
  const auto catalogue = door.node.catalogue();
  const node::Subscription* known = catalogue->find_subscription(name);
  auto filled = wire::http::with_kept_secrets(settings.target, known != nullptr ? known->settings.target : "");
  if (!filled) return pass(filled);
  settings.target = *std::move(filled);
  auto target = wire::http::parse_target(settings.target);
  if (!target) return target;
  if (target->webhook)
    if (auto fine = check_address(door, *target->webhook); !fine) return pass(fine);
  if (target->topic)
    if (auto fine = check_copies(*catalogue, {name, settings.topics, target->topic->name}); !fine) return pass(fine);
  return target;
}

}  // namespace continuo::serve
