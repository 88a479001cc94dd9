// The deterministic core: takes commands one after the other, lets the engines decide, applies what they decide, and
// fills groups with it.
//
// No threads, no I/O of its own, no waiting: a driver (threads.cc, or the simulator) calls in, writes the groups it
// closes, and reports them written. State runs ahead of the disk by the open group and the one in flight; answers never
// do: each goes to its edge when the newest group that existed at its decision is durable.
//
//   core.publish(...); core.settle(...);                       // commands: fill the open group
//   if (auto group = core.close()) { home.write(group->log); core.written(std::move(group)); }
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "continuo/base/random.h"
#include "continuo/engines/groups/groups.h"
#include "continuo/engines/kept.h"
#include "continuo/engines/producers.h"
#include "continuo/engines/subscriptions.h"
#include "continuo/engines/topics.h"
#include "continuo/log/seam/home.h"
#include "continuo/node/closed_group.h"
#include "continuo/node/core_waiting.h"
#include "continuo/node/groups.h"
#include "continuo/record/batch.h"

namespace continuo::node {

class Core {
 public:
  Core(log::Home& home, Clock& clock, Random& random, const Limits& limits);
  ~Core();

  /// Rebuilds state from the home, then opens it for writing.
  Result<void> recover();

  // --- commands: see Node for what they mean. Each may be refused; the answer waits as it must. ---
  void create_topic(Edge& edge, std::string name, TopicSettings settings, bool by_system, Answer<Put<Topic>> answer);
  void change_topic(Edge& edge, std::string name, const TopicChange& change, bool only_checked, Answer<Topic> answer);
  void delete_topic(Edge& edge, std::string name, Answer<void> answer);
  /// Answered when what consumers hold is copied: see keep_job.
  void trim(Edge& edge, TopicId topic, PartitionId partition, Offset before, Answer<PartitionState> answer);
  void skip_damaged(Edge& edge, PartitionRef partition, Offset from, Offset next, std::string reason,
                    Answer<void> answer);
  void publish(Edge& edge, std::vector<NewRecord> records, Answer<Published> answer);
  void produce(Edge& edge, std::vector<NewBatch> batches, Answer<std::vector<Result<BatchPlace>>> answer);
  void number_producer(Edge& edge, Answer<std::int64_t> answer);
  void producers_of(Edge& edge, PartitionRef partition, Answer<std::vector<ProducerState>> answer);
  void join_group(Edge& edge, engines::JoinGroup request, Answer<engines::JoinAnswer> answer);
  void sync_group(Edge& edge, engines::SyncGroup request, Answer<engines::SyncAnswer> answer);
  void heartbeat(Edge& edge, const engines::Membership& who, Answer<engines::GroupError> answer);
  void leave_group(Edge& edge, const engines::LeaveGroup& request, Answer<GroupOutcomes> answer);
  void commit_offsets(Edge& edge, const engines::CommitOffsets& request, Answer<GroupOutcomes> answer);
  void committed_offsets(Edge& edge, const std::string& group, Answer<std::vector<CommittedOffset>> answer);
  void delete_group(Edge& edge, const std::string& group, Answer<engines::GroupError> answer);
  void delete_offsets(Edge& edge, const engines::DeleteOffsets& request, Answer<GroupOutcomes> answer);
  void list_groups(Edge& edge, Answer<std::vector<engines::GroupSummary>> answer);
  void describe_group(Edge& edge, const std::string& group, Answer<std::optional<engines::GroupDescription>> answer);
  void survey_groups(Edge& edge, const engines::SurveyGroups& wanted, Answer<engines::GroupsSurvey> answer);
  void put_subscription(Edge& edge, const std::string& name, const SubscriptionSettings& settings,
                        const std::vector<std::pair<PartitionRef, Offset>>& begin, Answer<Put<Subscription>> answer);
  void change_subscription(Edge& edge, const std::string& name, SubscriptionChange change,
                           Answer<ChangedSubscription> answer);
  void delete_subscription(Edge& edge, const std::string& name, Answer<void> answer);
  void pause(Edge& edge, SubscriptionId id, bool paused, Answer<void> answer);
  void receive(Edge& edge, Receive receive, Answer<Received> answer);
  void settle(Edge& edge, Settle settle, Answer<Settled> answer);
  void return_leases(Edge& edge, std::vector<Lease> leases, Answer<void> answer);
  void subscription_state(Edge& edge, SubscriptionId id, Answer<SubscriptionState> answer);
  void survey_subscriptions(Edge& edge, const SurveySubscriptions& wanted, Answer<SubscriptionsSurvey> answer);
  void find_parked(Edge& edge, SubscriptionId id, std::uint64_t key_hash, Answer<ParkedKey> answer);
  void parked(Edge& edge, SubscriptionId id, const ParkedQuery& query, Answer<std::vector<ParkedKey>> answer);
  void retry_parked(Edge& edge, SubscriptionId id, std::uint64_t key_hash, const Asked& asked, Answer<void> answer);
  void skip_parked(Edge& edge, SubscriptionId id, std::uint64_t key_hash, const Asked& asked, Answer<void> answer);
  void cancel_parked(Edge& edge, SubscriptionId id, std::uint64_t key_hash, Asked asked, Answer<std::uint64_t> answer);
  void edit_parked(Edge& edge, EditParked edit, Answer<void> answer);
  void release_parked(Edge& edge, const ReleaseParked& release, Answer<Release> answer);
  void stop_release(Edge& edge, SubscriptionId id, Answer<Release> answer);
  void last_release(Edge& edge, SubscriptionId id, Answer<std::optional<Release>> answer);
  void receive_repairs(Edge& edge, ReceiveRepairs receive, Answer<std::vector<RepairDelivery>> answer);
  void settle_repairs(Edge& edge, SubscriptionId id, std::vector<SettleRepair> repairs, const std::string& by,
                      Answer<RepairsSettled> answer);
  void seek(Edge& edge, const Seek& seek, Answer<Subscription> answer);
  void feed_positions(Edge& edge, const std::vector<SubscriptionId>& of, Answer<std::vector<FeedPosition>> answer);
  void offer(Edge& edge, Offer offer, Answer<OfferCredit> answer);
  void offer_all(Edge& edge, const std::vector<Offer>& offers, Answer<std::vector<Result<OfferCredit>>> answer);

  class QueueWork;
  QueueWork& queues() { return *queues_; }

  // --- the driver ---
  /// Whether a command of about this size still fits into the open group. When not: close, write, ask again.
  bool has_room(std::size_t bytes) const;
  bool anything_open() const;     ///< whether the open group holds anything to be written
  std::size_t open_size() const;  ///< bytes in the open group
  /// Ends the open group; null when there is nothing to write (answers that waited for nothing are delivered, or join
  /// the group in flight).
  std::unique_ptr<ClosedGroup> close();
  /// The group is on the disk: makes it visible and delivers its answers.
  void written(std::unique_ptr<ClosedGroup> group);
  /// Due timers, waiting receivers, jobs. Call between groups, and at latest at next_due().
  void tick();
  /// Milliseconds until tick() has something to do; none: nothing is due.
  std::optional<Millis> next_due() const;
  /// Everything from now on, and all that waits, is answered with node_failed. `in_flight`: the group whose write
  /// failed, or null.
  void fail(const Error& error, std::unique_ptr<ClosedGroup> in_flight);

  /// Advances a checkpoint round by one slice, beginning one when the ring asks for it, or `force`. Gives the job when
  /// it is complete and durable.
  std::optional<CheckpointJob> checkpoint(bool force);
  /// The job is done, or was refused for want of space and is to be tried again.
  void checkpoint_done(bool committed, std::vector<log::UnitImage> units);
  bool checkpointing() const { return round_ != nullptr; }

  /// Records that are in the way of a trim; none: nothing is to be read. One at a time: `keep` brings the first of
  /// them, as many as were read, and the trim goes on.
  std::optional<KeepJob> keep_job();
  void keep(const KeepJob& job, std::vector<ReadRecord> records);

  // --- questions ---
  Now now();
  std::shared_ptr<const Catalogue> catalogue() const { return catalogue_; }
  std::uint64_t secret() const { return topics_.secret(); }
  Sequence last_written() const { return written_; }
  bool idle() const { return !open_ && !in_flight_; }
  const engines::TopicsEngine& topics() const { return topics_; }
  const engines::SubscriptionsEngine& subscriptions() const { return subscriptions_; }
  const engines::GroupsEngine& groups() const { return groups_; }
  const engines::ProducersEngine& producers() const { return producers_; }
  std::size_t kept_records() const { return kept_.size(); }
  /// All copies there are, for readers that follow ClosedGroup::kept from here on.
  void tell_kept(const std::function<void(const KeptChange&)>& tell) const;
  void fill(Stats& stats) const;
  void add_edge(Edge& edge) { edges_.insert(&edge); }  ///< that wants to hear of new records
  void remove_edge(Edge& edge);
  /// Retention by time waits when the wall clock jumped.
  bool wall_trusted() const { return now_.elapsed >= distrust_wall_until_; }

 private:
  struct Open;
  struct Round;
  class Recovery;
  Result<void> make_room_to_start();
  void follow_home();
  void follow_home(PartitionRef partition, const log::PartitionState& stored);
  Open& open();
  void begin_frame();
  void end_frame();
  template <class T>
  void effect(const T& effect);               // encodes into the frame; the caller applies
  void apply(const engines::Effect& effect);  // encodes and applies a subscriptions effect
  void lay(const NewRecord& record, Offset offset);
  void finish_batch(PartitionRef partition);
  template <class T>
  void reply(Edge& edge, Answer<T> answer, Result<T> result);
  template <class T>
  bool refuse_if_failed(Edge& edge, Answer<T>& answer);
  void deliver(Edge& edge, std::move_only_function<void()> task);
  void send(ClosedGroup& group);
  Result<engines::PublishDecision> decide(const std::vector<NewRecord>& records) const;
  std::vector<Place> commit(const std::vector<NewRecord>& records, const engines::PublishDecision& decision);
  Result<BatchPlace> append(NewBatch batch);
  bool stamps_appends(TopicId topic) const;
  std::string fresh_member(const engines::JoinGroup& request);
  void apply_groups(const std::vector<engines::Effect>& effects);
  void take(engines::GroupOutcome outcome);
  void forget_group_waiters(const Edge& edge);
  void fail_group_waiters();
  void topic_removed(TopicId topic);
  void define_topic(const engines::TopicDefined& defined);
  void make_topic(const engines::TopicDefined& defined);  // inside a frame
  Result<engines::TopicChanged> plan_change(const std::string& name, const TopicChange& change) const;
  void make_change(const engines::TopicChanged& changed);                          // the same
  void drop_topic(const engines::TopicDeleted& deleted, const std::string& name);  // the same
  void advance_trim(std::size_t most);
  void pass_over(Trimming& trim, std::size_t most);
  void end_trim(Result<PartitionState> result);
  Offset first_of(const engines::HeadUnit& head) const;
  bool is_node_topic(TopicId topic) const;
  void note_leaving(const engines::Effect& effect);
  void release_kept();
  void trim_copies();
  void tell_loss(const engines::TrimLoss& loss, PartitionRef partition, std::string_view topic, std::string_view where);
  void tell_passed_over(const Offer& offer);
  void tell_dropped(const std::vector<engines::Effect>& effects, std::string_view topic);
  std::vector<std::pair<PartitionRef, Offset>> starts(const std::vector<TopicId>& topics,
                                                      engines::StartFrom from) const;
  void announce(std::string_view type, std::string_view subject, std::string_view data_json);
  Result<void> carry_out(SubscriptionId id, Result<std::vector<engines::Effect>> effects);
  void advance_cancel();
  void end_cancel(Result<std::uint64_t> result);
  PartitionRef system_partition(std::string_view name);
  void lay_edit(PartitionRef edits, EditedEvent event);
  void trim_edits();
  bool serve_repairs(const ReceiveRepairs& receive, std::vector<RepairDelivery>& deliveries);
  void serve_repairers();
  void forget_healing(const Edge& edge);
  void fail_healing();
  void lay_trim(PartitionRef partition, Offset before);
  void follow(SubscriptionId before, SubscriptionId now);
  void note_use(SubscriptionId id);
  void end_idle();
  std::optional<Elapsed> next_idle_look() const;
  void tell(const engines::Effect& effect);
  void tell(std::string type, SubscriptionId id, std::string data);
  void tell_key(std::string type, const engines::KeyRef& key, const ParkedKey& at, std::string rest);
  void tell_parked(const engines::KeyParked& parked);
  void tell_release(const engines::ReleaseChanged& release);
  void tell_storm(const engines::StormChanged& storm);
  void tell_drained(const engines::KeyRef& key, std::size_t leaving);
  void flush_told();
  void begin_burying();
  void bury(const std::vector<ReadRecord>& records);
  void bury(const Dying& dying, const ReadRecord& record);
  void park_unreadable(const engines::KeyRef& key);
  std::optional<PartitionRef> dead_letter_partition(const std::string& name, std::uint32_t murmur);
  void maybe_ready(SubscriptionId id) { maybe_ready_.insert(id); }
  void serve_waiting();
  bool serve(const Receive& receive, Received& received);
  void expire_waiting();
  void wake_starved();
  void run_jobs();
  std::shared_ptr<const Catalogue> build_catalogue();
  Topic topic_of(const engines::TopicUnit& unit) const;
  Subscription subscription_of(const engines::SubscriptionUnit& unit);
  void take_offer(const Offer& offer, const engines::SubscriptionsEngine::OfferDecision& decision);
  std::shared_ptr<std::atomic<std::uint64_t>>& matched(SubscriptionId id);

  log::Home& home_;
  Clock& clock_;
  Random& random_;
  Limits limits_;
  engines::Ledger ledger_;
  engines::TopicsEngine topics_;
  engines::SubscriptionsEngine subscriptions_;
  engines::KeptRecordsEngine kept_{ledger_};
  engines::ProducersEngine producers_{ledger_};
  engines::GroupsEngine groups_{ledger_};

  Now now_;                // of the open group, or the last one
  Micros steady_zero_{0};  // steady time at which elapsed was `elapsed_zero_`
  Elapsed elapsed_zero_;
  std::int64_t wall_minus_elapsed_ = 0;
  Elapsed distrust_wall_until_{-1};
  std::uint64_t wall_jumps_ = 0;
  std::uint64_t wall_jumps_told_ = 0;

  std::unique_ptr<Open> open_;
  bool in_flight_ = false;
  std::map<Edge*, std::vector<std::move_only_function<void()>>>
      after_flight_;    // answers that only wait for the group in flight
  Sequence closed_{0};  // newest closed group
  Sequence written_{0};
  std::shared_ptr<Verdict> verdict_ = std::make_shared<Verdict>();
  bool failed_ = false;
  std::set<std::string> changed_topics_, changed_subscriptions_;  // names, since catalogue_
  std::shared_ptr<const Catalogue> catalogue_ = std::make_shared<Catalogue>();

  std::set<Edge*> edges_;
  std::set<Edge*> removed_;  // while a group is in flight that may have answers for them
  std::map<SubscriptionId, std::vector<Starved>> starved_;
  std::map<SubscriptionId, std::deque<Waiter>> waiting_;
  std::map<std::uint64_t, GroupWaiter> group_waiters_;  // by token
  std::uint64_t last_token_ = 0;
  std::set<SubscriptionId> maybe_ready_;
  std::map<SubscriptionId, std::shared_ptr<std::atomic<std::uint64_t>>> matched_;  // events taken since the start
  std::set<TopicId> topics_gone_;              // deleted, with cursors and keys of subscriptions left
  std::map<TopicId, std::string> gone_names_;  // of those deleted since the start
  bool remains_ = false;                       // deleted subscriptions left something

  const std::unique_ptr<QueueWork> queues_;

  std::deque<Trimming> trims_;  // the first is under way
  bool keeping_ = false;        // and waits for records to be read
  std::optional<KeepJob> keep_job_;
  std::set<std::pair<PartitionRef, Offset>> left_;  // kept, and perhaps nobody waits for them any more
  std::optional<std::pair<PartitionRef, Offset>> unchecked_ =
      std::pair<PartitionRef, Offset>{};  // after a start: the same of all from here on

  std::deque<Cancelling> cancels_;      // the first is under way
  std::vector<Repairer> repairers_;     // who wait for something to repair
  bool broken_came_ = false;            // since they were looked at
  std::vector<Told> told_;              // by the frame that is open
  std::multimap<Offset, Dying> dying_;  // what the job that reads dead letters is for
  Elapsed idle_looked_at_;

  std::unique_ptr<Round> round_;
  std::vector<log::UnitImage> kept_images_;  // of a checkpoint that found no space

  std::uint64_t written_groups_ = 0, frames_ = 0, journal_bytes_ = 0, published_ = 0, duplicates_ = 0, settled_ = 0,
                leases_lost_ = 0;
};

}  // namespace continuo::node
