// One machine with its clients: disk, clock, node, and what the clients remember. Scenarios and the simulation are
// written in these calls.
//
// A call gives one request to the node and returns; its answer runs when the driver gets that far (`flush`, or the
// single steps of `node`). Requests to a node that failed, or has no room, are not sent: the clients wait.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "continuo/simulator/clients.h"
#include "continuo/simulator/group_oracle.h"
#include "continuo/simulator/healing_oracle.h"
#include "continuo/simulator/oracle.h"
#include "continuo/simulator/simulated_node.h"

namespace continuo::simulator {

/// An event to be.
struct Draft {
  std::string topic;
  std::uint32_t partition = 0;
  std::string key;
  std::size_t size = 100;      ///< of its value, about
  std::string payload;         ///< behind its number instead, when not empty
  EventNumber same_id_as = 0;  ///< takes another event's identity
  Millis delay{0}, ttl{0};     ///< 0: none
};

class World {
 public:
  World(std::uint64_t seed, const NodeSettings& settings);

  // --- life ---
  /// Starts a node on the disk and checks everything the clients remember. False when it could not start; a breach
  /// unless `may_fail`.
  bool start(bool may_fail = false);
  /// Takes a node that was started on this disk; nothing is checked.
  void adopt(std::unique_ptr<SimulatedNode> node) { node_ = std::move(node); }
  bool running() const { return node_ && !node_->failed(); }
  /// The process dies; the disk stays as it is.
  void kill();
  /// The process dies and the power goes: the disk is one that a machine might find.
  void cut_power(Random& random);
  /// The process is gone, and this is the disk from now on.
  void move_to(std::unique_ptr<disk::SimulatedDisk> disk);
  /// Another world with the same memory on another disk; no node runs in it.
  std::unique_ptr<World> fork(std::unique_ptr<disk::SimulatedDisk> disk, std::uint64_t seed) const;
  /// The disk as the next process finds it.
  std::unique_ptr<disk::SimulatedDisk> image() const { return disk_->kill_image(); }
  void advance(Millis by);

  // --- requests ---
  void create_topic(const std::string& name, const node::TopicSettings& settings);
  void delete_topic(const std::string& name);
  void trim(const std::string& topic, std::uint32_t partition, Offset before);
  /// 0 when it was not sent.
  RequestNumber publish(const std::vector<Draft>& drafts);
  void repeat(RequestNumber request);
  void put_subscription(const std::string& name, const node::SubscriptionSettings& settings);
  void delete_subscription(const std::string& name);
  void pause(const std::string& name, bool paused);
  void receive(const std::string& name, std::uint32_t max, Millis wait = Millis{0});
  /// Settles in one request; what is published goes with it.
  RequestNumber settle(SubscriptionId id, std::vector<node::Lease> acks, std::vector<node::Nack> nacks,
                       std::vector<node::Extend> extends, const std::vector<Draft>& drafts = {});
  /// Acknowledges all that is held, one request for each key's run.
  void settle_all(const std::string& name);

  // --- healing ---
  /// As the core has them now, which may be ahead of the disk.
  std::vector<node::ParkedKey> parked(const std::string& name);
  void retry(const std::string& name, std::uint64_t key_hash);
  void skip(const std::string& name, std::uint64_t key_hash);
  /// Of the first key that is parked.
  void retry_parked(const std::string& name);
  void skip_parked(const std::string& name);
  void cancel(const std::string& name, const node::ParkedKey& key);
  void edit(const std::string& name, const node::ParkedKey& key, bool release);
  void receive_repairs(const std::string& name, node::RepairBy who, Millis wait = Millis{0});
  /// Answers one of `repairs`.
  void settle_repair(std::size_t which, engines::RepairSettle::Outcome how);
  /// A failed head that a workflow has, as far as it knows.
  struct HeldRepair {
    node::RepairDelivery delivery;
    Elapsed until;  ///< not over before this
    Offset since;   ///< what is told from there on was decided later
    bool doubtful;  ///< it may be over for other reasons
  };
  const std::vector<HeldRepair>& repairs() const { return repairs_; }
  void release(const std::string& name, const node::ReleaseFilter& filter, std::uint32_t rate, bool stop);
  void stop_release(const std::string& name);
  void seek(const std::string& name, const std::vector<std::pair<PartitionRef, Offset>>& to, node::ParkedFate fate);

  // --- queues ---
  void put_queue(const std::string& name, node::SubscriptionSettings settings);
  void remove_queue(const std::string& name);
  void purge(const std::string& name);
  /// What is held of NAME.dead goes back into the queue.
  void redrive(const std::string& name);

  // --- idempotent producers, by name ---
  /// Asks for a number; the producer begins anew with it. What it had under way is nobody's any more.
  void number_producer(const std::string& name);
  /// One request, a batch for each partition among the drafts. Not more than a producer may have under way.
  void produce(const std::string& name, const std::vector<Draft>& drafts);
  /// All that is not acknowledged, once more.
  void resend(const std::string& name);
  /// The last batches that were acknowledged, once more.
  void resend_known(const std::string& name);
  /// The next epoch begins; what was under way in the old one is nobody's any more.
  void raise_epoch(const std::string& name);
  /// A batch of an epoch that is over comes late.
  void resend_outlived(const std::string& name);
  /// A batch with a number left out before it.
  void produce_too_early(const std::string& name, const Draft& draft);
  Producer& producer(const std::string& name) { return producers_[name]; }

  // --- consumers of groups, by name ---
  Consumer& consumer(const std::string& name) { return consumers_[name]; }
  /// What comes next: joins, syncs, or says it lives.
  void act(const std::string& name);
  void leave(const std::string& name);
  /// Stops without a word. Comes back as it was, or with nothing known but its instance.
  void hang(const std::string& name) { lose(consumers_[name], false); }
  void die(const std::string& name) { lose(consumers_[name], true); }
  void commit(const std::string& name, const std::map<PartitionRef, Offset>& offsets);
  /// One that was sent in the generation before, and comes late.
  void commit_late(const std::string& name, const std::map<PartitionRef, Offset>& offsets);
  /// By somebody who is no member.
  void commit_alone(const std::string& group, const std::map<PartitionRef, Offset>& offsets);
  void fetch(const std::string& group);
  void delete_offsets(const std::string& group, const std::string& topic, std::uint32_t partition);
  void delete_group(const std::string& group);

  // --- the node ---
  SimulatedNode& node() { return *node_; }
  void flush() {
    if (node_) node_->flush();
  }
  void tick() {
    if (node_) node_->tick();
  }
  /// Offers and delivers until nothing is new.
  void feed();
  void retention();
  void checkpoint() {
    if (node_) node_->checkpoint_now();
  }
  void work() {
    if (node_) node_->work(), node_->keep();
  }

  // --- checks ---
  /// Everything that can be read, against what is remembered.
  void check(bool restarted);
  /// Delivers and settles all there is, passing over nothing; then nothing may be missing.
  void drain();
  /// A second recovery of the disk as it is now changes nothing that can be seen.
  void check_second_recovery();

  disk::SimulatedDisk& disk() { return *disk_; }
  VirtualClock& clock() { return clock_; }
  Random& random() { return random_; }
  Oracle& oracle() { return oracle_; }
  const Oracle& oracle() const { return oracle_; }
  const GroupOracle& groups() const { return groups_; }
  const HealingOracle& healing() const { return healing_; }
  NodeSettings& settings() { return settings_; }
  Elapsed elapsed() { return node_->core().now().elapsed; }
  /// A hash over all nodes that ran here.
  std::uint64_t effects() const { return effects_; }
  bool tolerates_damage = false;                     ///< damaged_data while reading is no breach
  std::function<void(const std::string&)> listener;  ///< hears what clients ask and are answered; may be empty

 private:
  SentEvent event_of(const Draft& draft, TopicId topic);
  std::vector<SentEvent> events_of(const std::vector<Draft>& drafts);
  std::vector<node::NewRecord> records_of(const Request& request) const;
  void send_publish(RequestNumber request);
  void send_settle(RequestNumber request);
  bool admit(std::size_t bytes) { return node_ && node_->admit(bytes); }
  void read_partition(PartitionRef ref, const node::PartitionState& state, bool letters);
  void check_readable(SubscriptionId id, PartitionRef ref, Offset offset, std::optional<Offset> edited);
  void check_delivered(SubscriptionId id, const node::Delivery& delivery);
  void check_parked();
  Offset told_next();
  void note_names(const std::string& name, Offset from);
  void note_gone(const std::string& name);
  void hear();
  void check_repair_lost(const node::Lease& lease, Offset since);
  void verb_answered(VerbNumber number, const Result<void>& answer);
  std::set<Place> heads_of(const std::string& name, std::uint64_t key_hash);
  Offset cursor_of(SubscriptionId id, PartitionRef partition);
  static bool busy(const node::Core& core, SubscriptionId id);
  node::EditedEvent edited(PartitionRef partition, Offset offset, const std::string& value);
  std::map<PartitionRef, node::PartitionState> read_all();
  void drain(const std::string& name, SubscriptionId id);
  void drain_producers();
  void drain_consumers();
  void send_batches(const std::string& name, const std::vector<RequestNumber>& batches);
  void batch_answered(const std::string& name, RequestNumber number, const Result<node::BatchPlace>& answer);
  RequestNumber number_batch(Producer& producer, std::vector<SentEvent> events, std::int32_t left_out);
  void lose(Consumer& consumer, bool forgets);
  void join(const std::string& name);
  void sync(const std::string& name);
  void heartbeat(const std::string& name);
  void commit(engines::Membership who, const std::map<PartitionRef, Offset>& offsets);
  void joined(const std::string& name, std::uint64_t attempt, const Result<engines::JoinAnswer>& answer);
  void synced(const std::string& name, std::uint64_t attempt, const engines::Membership& who,
              const Result<engines::SyncAnswer>& answer);
  void fold_node();
  void hang_up();
  void tell(const std::function<std::string()>& what) {
    if (listener) listener(what());
  }

  std::unique_ptr<disk::SimulatedDisk> disk_;
  VirtualClock clock_;
  SeededRandom random_;
  Oracle oracle_;
  NodeSettings settings_;
  GroupOracle groups_;
  HealingOracle healing_;
  std::vector<HeldRepair> repairs_;  // that were received
  std::map<std::string, Producer> producers_;
  std::map<std::string, Consumer> consumers_;
  std::unique_ptr<SimulatedNode> node_;
  EventNumber next_event_ = 1;
  std::uint64_t effects_ = 0;
};

}  // namespace continuo::simulator
