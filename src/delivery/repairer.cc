#include "continuo/delivery/repairer.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "continuo/node/healing.h"
#include "continuo/node/record_finder.h"
#include "continuo/node/thread_name.h"
#include "continuo/record/edited_event.h"
#include "continuo/routing/repairs.h"

namespace continuo::delivery {
namespace {

constexpr std::uint32_t at_once = 20;
constexpr Millis lease{60'000};
constexpr Millis longest_wait{30'000};
constexpr std::chrono::seconds pause_when_refused{1};  // overloaded, or the node has stopped
constexpr std::string_view who = "declared repair";

}  // namespace

class Repairer::Work final : public node::Edge {
 public:
  explicit Work(node::Node& node) : node_(node) {}

  void deliver(node::Mail mail) override {
    const std::scoped_lock lock{mutex_};
    mail_.push_back(std::move(mail));
    changed_.notify_one();
  }

  void start() {
    wants_definitions = true;
    node_.add_edge(*this);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  void stop() {
    if (!thread_.joinable()) return;
    cancelled_->store(true, std::memory_order_release);
    thread_.request_stop();
    changed_.notify_one();
    thread_.join();
    node_.remove_edge(*this);
  }

 private:
  // A subscription with declared repairs; they are compiled again when they change.
  struct Repaired {
    std::string declared;
    std::optional<routing::Repairs> repairs;
    bool asked = false;
    bool refused = false;  // asked again after a pause
  };

  void run(const std::stop_token& stop) {
    node::name_thread("repairer");
    while (!stop.stop_requested()) {
      follow();
      std::deque<node::Mail> mail;
      {
        std::unique_lock lock{mutex_};
        const auto something = [this] { return !mail_.empty(); };
        const bool pause = std::ranges::any_of(all_, [](const auto& each) { return each.second.refused; });
        if (!pause)
          changed_.wait(lock, stop, something);
        else if (!changed_.wait_for(lock, stop, pause_when_refused, something))
          for (auto& [id, repaired] : all_)
            if (std::exchange(repaired.refused, false)) repaired.asked = false;
        mail.swap(mail_);
      }
      for (node::Mail& each : mail)
        for (auto& answer : each.answers) answer();
    }
  }

  // Asks for heads wherever repairs are declared and nobody asks yet.
  void follow() {
    if (auto current = node_.catalogue(); current != seen_) {
      const auto before = std::exchange(seen_, std::move(current));
      NameMap<node::Subscription>::differences(before->subscriptions, seen_->subscriptions,
                                               [this](const auto&, const auto& old, const auto& now) {
                                                 if (old && (!now || now->id != old->id)) all_.erase(old->id);
                                                 if (now) follow(*now);
                                               });
    }
    for (auto& [id, repaired] : all_)
      if (repaired.repairs && !repaired.asked) ask(id, repaired);
  }

  void follow(const node::Subscription& subscription) {
    const std::string& declared = subscription.settings.repairs;
    if (declared.empty()) {
      all_.erase(subscription.id);
      return;
    }
    Repaired& repaired = all_[subscription.id];
    if (repaired.declared == declared) return;
    repaired.declared = declared;
    repaired.repairs.reset();
    if (auto parsed = routing::Repairs::parse(repaired.declared)) repaired.repairs.emplace(std::move(*parsed));
  }

  void ask(SubscriptionId id, Repaired& repaired) {
    repaired.asked = true;
    node::ReceiveRepairs receive{id, engines::RepairBy::declared, at_once, lease, longest_wait, cancelled_};
    node_.healing().receive(*this, std::move(receive), [this, id](Result<std::vector<node::RepairDelivery>> heads) {
      const auto found = all_.find(id);
      if (found == all_.end()) return;
      found->second.refused = !heads;
      found->second.asked = !heads;
      if (heads && !heads->empty()) repair(id, *found->second.repairs, *heads);
    });
  }

  void repair(SubscriptionId id, routing::Repairs& repairs, const std::vector<node::RepairDelivery>& heads) {
    std::vector<node::SettleRepair> settled;
    node::RecordFinder finder{[this](PartitionRef ref, Offset offset) { return node_.read_one(ref, offset); }};
    for (const node::RepairDelivery& head : heads) settled.push_back(look_at(repairs, finder, head));
    node_.healing().settle(*this, id, std::move(settled), std::string(who), [](Result<node::RepairsSettled>) {});
  }

  // What was edited before and failed again is looked at as it is now.
  node::SettleRepair look_at(routing::Repairs& repairs, node::RecordFinder& finder, const node::RepairDelivery& head) {
    node::SettleRepair answer;
    answer.settle.lease = head.lease;
    answer.settle.outcome = engines::RepairSettle::Outcome::needs_person;
    const node::ParkedKey& parked = head.parked;
    const auto catalogue = node_.catalogue();
    const auto record = node::find_delivered(finder, *catalogue, parked.partition, parked.head, parked.edited);
    if (!record) return refused(answer, "the event cannot be read: " + record.error().detail);
    std::string scratch, json;
    const std::string_view topic = catalogue->topic_name(parked.partition.topic);
    const record::Event event = record::event_of(*record, {topic, parked.partition.partition}, scratch);
    const routing::Repair* found =
        repairs.find({parked.failure.code, parked.failure.message, parked.fingerprint, parked.attempts},
                     {&event, record->key, &*record});
    if (found == nullptr) return refused(answer, "no declared repair fits");
    record::write_json(event, nullptr, parked.head, json);
    auto patched = found->apply(json);
    if (!patched) return refused(answer, "the repair " + found->name + " does not fit: " + patched.error().detail);
    auto edited = record::edit_event(json, *patched);
    if (!edited) return refused(answer, "the repair " + found->name + " makes no event: " + edited.error().detail);
    answer.settle.outcome = engines::RepairSettle::Outcome::repaired;
    answer.settle.reason = found->name;
    answer.event = {std::move(edited->body), record->timestamp_ms, std::move(edited->difference)};
    return answer;
  }

  static node::SettleRepair refused(node::SettleRepair answer, std::string why) {
    answer.settle.reason = std::move(why);
    return answer;
  }

  node::Node& node_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<node::Mail> mail_;
  std::jthread thread_;
  // The thread's own.
  std::shared_ptr<const node::Catalogue> seen_ = std::make_shared<const node::Catalogue>();
  std::map<SubscriptionId, Repaired> all_;
  const std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
};

Repairer::Repairer(node::Node& node) : work_(std::make_unique<Work>(node)) {}
Repairer::~Repairer() { stop(); }
void Repairer::start() { work_->start(); }
void Repairer::stop() { work_->stop(); }

}  // namespace continuo::delivery
