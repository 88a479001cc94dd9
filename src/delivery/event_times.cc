#include "continuo/delivery/event_times.h"

namespace continuo::delivery {
namespace {

constexpr WallTime none{};

WallTime time_in(const record::Header& header) {
  const auto time = parse_time(header.value.value_or(std::string_view{}));
  return time ? *time : none;
}

}  // namespace

TimesWanted times_wanted(const engines::SubscriptionSettings& settings) {
  return {settings.queue || settings.ttl, settings.ttl};
}

void add_times(const record::Record& record, const TimesWanted& wanted, engines::Offer::Event& event) {
  if (!wanted.any) return;
  record::HeaderWalk walk{record};
  bool dead = false;
  while (const auto header = walk.next()) {
    if (header->key == "ce_notbefore") event.not_before = time_in(*header);
    if (header->key == "ce_expiretime" || header->key == "ce_expirytime") event.expires = time_in(*header);
    dead = dead || header->key == "ce_deadtime";
  }
  if (dead) event.not_before = event.expires = none;  // of the life before
  if (!wanted.ttl || record.timestamp_ms < 0) return;
  const WallTime over{record.timestamp_ms + wanted.ttl->count()};
  if (event.expires == none || over < event.expires) event.expires = over;
}

}  // namespace continuo::delivery
