#include "continuo/delivery/topic_filters.h"

#include <charconv>
#include <utility>

namespace continuo::delivery {
namespace {

std::string name_of(SubscriptionId id) { return std::to_string(id.value); }

SubscriptionId id_of(std::string_view name) {
  SubscriptionId id;
  std::from_chars(name.data(), name.data() + name.size(), id.value);
  return id;
}

}  // namespace

void TopicFilters::want(SubscriptionId id, const Filter& filter) {
  std::uint32_t& version = known_[id];
  if (std::exchange(version, filter.version) != filter.version) changes_.push_back({name_of(id), *filter.pattern});
}

void TopicFilters::forget(SubscriptionId id) {
  if (known_.erase(id) != 0) changes_.push_back({name_of(id), std::nullopt});
}

void TopicFilters::settle() {
  if (!changes_.empty()) set_.change(std::exchange(changes_, {}));
}

const std::vector<SubscriptionId>& TopicFilters::match(const routing::Input& input) {
  matched_.clear();
  for (const routing::NamedPattern* each : reader_.match(input)) matched_.push_back(id_of(each->name));
  return matched_;
}

}  // namespace continuo::delivery
