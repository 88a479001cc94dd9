#include "continuo/delivery/push.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "continuo/delivery/push_metrics.h"
#include "continuo/delivery/topic_copy.h"
#include "continuo/delivery/webhook/loop.h"
#include "continuo/delivery/webhook/webhook.h"
#include "continuo/node/thread_name.h"
#include "continuo/wire/http/copy_cycles.h"
#include "continuo/wire/http/target.h"

namespace continuo::delivery {
namespace {

namespace asio = boost::asio;
using Failed = boost::system::error_code;

constexpr Millis drain_step{20}, give_back_time{1'000};

enum class Kind : std::uint8_t { webhooks, copies };

}  // namespace

struct Push::Registry {
  mutable std::mutex mutex;
  PushCountsByName counts;
};

class Push::Thread final : public node::Edge, public PushThread {
 public:
  Thread(Kind kind, node::Node& node, const PushOptions& options, Clock& clock, Registry& registry)
      : kind_(kind), node_(node), options_(options), clock_(clock), registry_(registry), alarm_(loop_.context) {
    Failed no_store;
    loop_.tls.set_default_verify_paths(no_store);
    loop_.tls.set_verify_mode(asio::ssl::verify_peer);
    SSL_CTX_set_min_proto_version(loop_.tls.native_handle(), TLS1_2_VERSION);
  }

  void start() {
    wants_definitions = true;
    node_.add_edge(*this);
    asio::post(loop_.context, [this] { follow(); });
    thread_ = std::thread([this] {
      node::name_thread(kind_ == Kind::webhooks ? "webhooks" : "copies");
      loop_.context.run();
    });
  }

  void stop() {
    if (!thread_.joinable()) return;
    asio::post(loop_.context, [this] { drain(); });
    thread_.join();
    node_.remove_edge(*this);
    pushers_.clear();
  }

  void deliver(node::Mail mail) override {
    asio::post(loop_.context, [this, letter = std::make_shared<node::Mail>(std::move(mail))] {
      follow();
      for (auto& answer : letter->answers) answer();
    });
  }

  // PushThread
  node::Node& node() override { return node_; }
  node::Edge& edge() override { return *this; }
  Clock& clock() override { return clock_; }
  webhook::Loop& loop() override { return loop_; }
  const node::Catalogue& catalogue() const override { return *catalogue_; }
  bool goes_round(SubscriptionId subscription) const override { return circles_.contains(subscription); }
  std::size_t& bytes_under_way() override { return bytes_under_way_; }
  void wake_at(SubscriptionId subscription, Micros at) override {
    const auto [known, added] = alarms_.try_emplace(subscription, at);
    if (!added && known->second <= at) return;
    known->second = at;
    if (!alarm_at_ || at < *alarm_at_) set_alarm(at);
  }

 private:
  void follow() {
    if (draining_) return;
    const auto current = node_.catalogue();
    if (current == catalogue_) return;
    const auto before = std::exchange(catalogue_, current);
    std::set<SubscriptionId> changed;
    NameMap<node::Subscription>::differences(before->subscriptions, current->subscriptions,
                                             [&](const auto&, const auto& old, const auto& now) {
                                               if (old && targets_.erase(old->id) != 0) changed.insert(old->id);
                                               if (now && is_ours(*now))
                                                 targets_[now->id] = now, changed.insert(now->id);
                                             });
    if (kind_ == Kind::webhooks) return go_on_with(changed);
    // What one copies into is in the way of others, and may be made or deleted.
    bool topics = false;
    NameMap<node::Topic>::differences(before->topics, current->topics, [&](const auto&...) { topics = true; });
    if (changed.empty() && !topics) return;
    for (const auto& [id, subscription] : targets_) changed.insert(id);
    find_circles();
    go_on_with(changed);
  }

  bool is_ours(const node::Subscription& subscription) const {
    const std::string& target = subscription.settings.target;
    return !target.empty() && (kind_ == Kind::copies) == wire::http::is_topic_target(target);
  }

  // Those that are gone end, and those with another target begin anew.
  void go_on_with(const std::set<SubscriptionId>& changed) {
    for (const SubscriptionId id : changed) {
      const auto target = targets_.find(id);
      auto known = pushers_.find(id);
      if (known != pushers_.end() && (target == targets_.end() || target->second->settings.target !=
                                                                      known->second->subscription().settings.target)) {
        end(*known->second);
        pushers_.erase(known);
        known = pushers_.end();
      }
      if (target == targets_.end()) continue;
      if (known != pushers_.end())
        known->second->changed(target->second);
      else
        begin(target->second);
    }
  }

  // Definitions are checked when they are made; two that were made at the same moment may have missed each other. Then
  // the later one stands still.
  void find_circles() {
    circles_.clear();
    std::vector<SubscriptionId> ids;
    std::deque<std::string> names;
    std::vector<wire::http::TopicCopy> copies;
    for (const auto& [id, subscription] : targets_) {
      const auto target = wire::http::parse_target(subscription->settings.target);
      if (!target || !target->topic) continue;
      ids.push_back(id);
      copies.push_back({subscription->name, subscription->settings.topics, names.emplace_back(target->topic->name)});
    }
    for (const std::size_t place : wire::http::closing_copies(copies)) circles_.insert(ids[place]);
  }

  void begin(const std::shared_ptr<const node::Subscription>& subscription) {
    const auto target = wire::http::parse_target(subscription->settings.target);
    if (!target) {
      if (!told_.contains(subscription->id))
        std::fprintf(stderr, "continuo: subscription %s has a target that this version does not know: %s\n",
                     subscription->name.c_str(), to_string(target.error()).c_str());
      told_.insert(subscription->id);
      return;
    }
    if (!(kind_ == Kind::webhooks ? target->webhook.has_value() : target->topic.has_value())) return;
    std::shared_ptr<Pusher> made;
    if (target->webhook)
      made = std::make_shared<webhook::Webhook>(*this, subscription, counts_of(*subscription, "webhook"),
                                                *target->webhook, options_.allow_private);
    else
      made = std::make_shared<TopicCopy>(*this, subscription, counts_of(*subscription, "topic"), target->topic->name);
    pushers_.emplace(subscription->id, made);
    made->go_on();
  }

  void end(Pusher& pusher) {
    pusher.stop();
    pusher.abort();
    const std::scoped_lock lock{registry_.mutex};
    registry_.counts.erase(pusher.subscription().name);
  }

  std::shared_ptr<PushCounts> counts_of(const node::Subscription& subscription, std::string_view target) {
    auto counts = std::make_shared<PushCounts>();
    const std::scoped_lock lock{registry_.mutex};
    registry_.counts[subscription.name] = {target, counts};
    return counts;
  }

  void set_alarm(Micros at) {
    alarm_at_ = at;
    alarm_.expires_after(std::max(at - clock_.steady(), Micros{0}));
    alarm_.async_wait([this](const Failed& cancelled) {
      if (!cancelled) ring();
    });
  }

  void ring() {
    alarm_at_.reset();
    const Micros now = clock_.steady();
    std::vector<SubscriptionId> due;
    for (const auto& [id, at] : alarms_)
      if (at <= now) due.push_back(id);
    for (const SubscriptionId id : due) alarms_.erase(id);
    for (const SubscriptionId id : due)
      if (const auto found = pushers_.find(id); found != pushers_.end()) found->second->go_on();
    std::optional<Micros> next;
    for (const auto& [id, at] : alarms_)
      if (!next || at < *next) next = at;
    if (next && (!alarm_at_ || *next < *alarm_at_)) set_alarm(*next);
  }

  void drain() {
    draining_ = true;
    for (const auto& [id, pusher] : pushers_) pusher->stop();
    drain_until(clock_.steady() + options_.drain);
  }

  void drain_until(Micros end) {
    const bool busy = std::ranges::any_of(pushers_, [](const auto& entry) { return entry.second->busy(); });
    if (!busy || clock_.steady() >= end) return give_up();
    alarm_.expires_after(drain_step);
    alarm_.async_wait([this, end](const Failed&) { drain_until(end); });
  }

  // The node answers in the order it was asked: with this answer, what was leased until now has been given back.
  void give_up() {
    for (const auto& [id, pusher] : pushers_) pusher->abort();
    node_.return_leases(*this, {}, [this](const Result<void>&) { loop_.context.stop(); });
    alarm_.expires_after(give_back_time);
    alarm_.async_wait([this](const Failed&) { loop_.context.stop(); });
  }

  const Kind kind_;
  node::Node& node_;
  const PushOptions options_;
  Clock& clock_;
  Registry& registry_;
  webhook::Loop loop_;
  asio::steady_timer alarm_;
  std::optional<Micros> alarm_at_;
  std::map<SubscriptionId, Micros> alarms_;
  std::shared_ptr<const node::Catalogue> catalogue_ = std::make_shared<const node::Catalogue>();
  std::map<SubscriptionId, std::shared_ptr<const node::Subscription>> targets_;  // of this kind, in catalogue_
  std::map<SubscriptionId, std::shared_ptr<Pusher>> pushers_;
  std::set<SubscriptionId> told_, circles_;
  std::size_t bytes_under_way_ = 0;
  bool draining_ = false;
  std::thread thread_;
};

Push::Push(node::Node& node, const PushOptions& options, Clock& clock)
    : registry_(std::make_unique<Registry>()),
      webhooks_(std::make_unique<Thread>(Kind::webhooks, node, options, clock, *registry_)),
      copies_(std::make_unique<Thread>(Kind::copies, node, options, clock, *registry_)) {}

Push::~Push() { stop(); }

void Push::start() {
  webhooks_->start();
  copies_->start();
}

void Push::stop() {
  webhooks_->stop();
  copies_->stop();
}

std::string Push::metrics() const {
  const std::scoped_lock lock{registry_->mutex};
  return push_metrics(registry_->counts);
}

}  // namespace continuo::delivery
