// The whole node in one thread: the core over the embedded log over a simulated disk, step by step, as the simulation
// wants it.
//
// What EmbeddedNode does with three threads, this does with calls: a group is closed, written and made visible by three
// of them, and anything may happen in between. Answers run at once, inside `publish`, `close` or `fail`; they must not
// call back into the node. After a failure every step is a no-op, and all that waits was answered node_failed.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "continuo/base/random.h"
#include "continuo/disk/simulated_disk.h"
#include "continuo/log/embedded_log.h"
#include "continuo/node/core.h"
#include "continuo/node/kept_places.h"
#include "continuo/simulator/virtual_clock.h"

namespace continuo::simulator {

/// Sizes so small that every limit is met within a few steps.
struct NodeSettings {
  std::uint32_t slots = 5;
  std::uint64_t slot_bytes = 32u << 10;
  std::size_t max_group = 12u << 10;  ///< a slot holds two of them, whatever comes
  std::uint64_t topic_segment_bytes = 4u << 10;
  std::uint64_t write_behind_piece = 1u << 10;
  Micros write_behind_age{200'000};
  std::uint64_t ballast_bytes = 0;
  bool accept_loss = false;
  node::Limits limits = {.checkpoint_slice_bytes = 48, .trim_slice = 4};  ///< a unit or two at a time
};

class SimulatedNode {
 public:
  /// Opens the folder, recovers, writes the first group. Errors as Node::open.
  static Result<std::unique_ptr<SimulatedNode>> start(disk::SimulatedDisk& disk, VirtualClock& clock, Random& random,
                                                      const NodeSettings& settings);
  ~SimulatedNode();

  node::Core& core() { return *core_; }
  log::EmbeddedLog& home() { return *home_; }
  node::Edge& edge() { return edge_; }
  bool failed() const { return failure_.has_value(); }
  const std::optional<Error>& failure() const { return failure_; }

  /// Whether a command of about this size may be given now; ends the open group first if it must. False: failed, or the
  /// ring is full.
  bool admit(std::size_t bytes);

  // --- the core's thread ---
  void tick();
  /// Ends the open group; true when one is in flight now.
  bool close();
  /// Puts the group in flight on the disk. False when there is none that is not.
  bool write();
  /// Makes the written group visible and runs its answers.
  void publish();
  bool in_flight() const { return flying_ != nullptr; }
  /// All of it, until nothing is open.
  void flush();
  void seal();

  // --- the write-behind thread ---
  void work();
  /// Reads records that are in the way of a trim and gives them to the core, a few at a time.
  void keep();
  /// One slice of a checkpoint; true when a job is ready for run_checkpoint.
  bool checkpoint(bool force);
  /// Runs the job, if there is one, and tells the core.
  void run_checkpoint();
  /// A whole checkpoint, flushing first.
  void checkpoint_now();
  /// Trims that the topics' retention asks for; each is told before it is done.
  void retention(const std::function<void(PartitionRef, Offset)>& told);

  /// Reads what subscriptions have not considered, and offers it: one offer for each that takes any. False when there
  /// was nothing.
  bool feed();

  /// The batch of the record at exactly `offset`, or its copy, as Node::read_one.
  Result<std::shared_ptr<const std::string>> read_one(PartitionRef partition, Offset offset);

  /// A hash over every group written so far, what was answered, and when.
  std::uint64_t effects() const { return effects_; }
  /// A hash over all that clients can see.
  std::uint64_t visible_state();
  /// A group's members and what they are assigned, in words.
  std::string members_of(const std::string& group) const;

 private:
  SimulatedNode(disk::SimulatedDisk& disk, VirtualClock& clock, Random& random, const NodeSettings& settings);
  Result<void> open();
  void fail(const Error& error);
  void fold(const log::Group& group);
  bool offer(const node::FeedPosition& position);
  const engines::SubscriptionSettings& settings_of(SubscriptionId id) const;
  static void leave_out(const log::Batches& batches, const std::string& filter, node::Offer& offer);

  class ImmediateEdge final : public node::Edge {
   public:
    void deliver(node::Mail mail) override {
      for (auto& answer : mail.answers) answer();
    }
  };

  disk::SimulatedDisk& disk_;
  VirtualClock& clock_;
  Random& random_;
  NodeSettings settings_;
  ImmediateEdge edge_;
  std::unique_ptr<log::EmbeddedLog> home_;
  node::KeptPlaces kept_places_;
  std::unique_ptr<node::Core> core_;
  std::unique_ptr<node::ClosedGroup> flying_;
  bool flying_written_ = false;
  std::optional<node::CheckpointJob> job_;
  std::optional<node::KeepJob> keep_job_;
  std::optional<Error> failure_;
  std::uint64_t effects_ = 0;
};

}  // namespace continuo::simulator
