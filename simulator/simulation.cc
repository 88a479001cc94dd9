#include "continuo/simulator/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "continuo/base/hash.h"
#include "continuo/simulator/healing_mix.h"
#include "continuo/simulator/world.h"

namespace continuo::simulator {
namespace {

constexpr std::array topic_names{"t0", "t1", "t2", "t3"};
constexpr std::array subscription_names{"s0", "s1", "s2", "s3"};
constexpr std::array producer_names{"p0", "p1", "p2"};
constexpr std::array consumer_names{"c0", "c1", "c2", "c3", "c4"};  // c0 to c3 in group g0, c4 in g1
constexpr std::array group_names{"g0", "g1"};
constexpr Millis repeat_within{50'000};

NodeSettings settings_for(Random& dice) {
  NodeSettings settings;
  settings.slots = 4 + static_cast<std::uint32_t>(dice.below(3));
  settings.slot_bytes = (64u << 10) << dice.below(2);
  settings.max_group = 24u << 10;
  settings.topic_segment_bytes = (2u << 10) << dice.below(3);
  settings.write_behind_piece = 256u << dice.below(4);
  settings.ballast_bytes = dice.chance(1, 2) ? 8192 : 0;
  settings.limits.checkpoint_slice_bytes = dice.chance(1, 2) ? 48 : 4096;
  settings.limits.outstanding_per_subscription = dice.chance(1, 2) ? 20 : 20'000;
  return settings;
}

class Simulation {
 public:
  explicit Simulation(const SimulationOptions& options);
  SimulationReport run();

 private:
  enum class Of : std::uint8_t { all, kafka, healing };
  struct Action {
    const char* name;
    std::uint32_t weight;
    void (Simulation::*act)();
    bool always = false;  ///< without it nothing else happens
    Of of = Of::all;
    void (HealingMix::*heal)() = nullptr;
  };
  static std::vector<Action> actions();
  const Action& pick();
  void begin_healing();
  void step(const Action& action);
  void heal();
  void say(const std::string& what) {
    if (options_.trace) std::fprintf(stderr, "%s\n", what.c_str());
  }
  void listen();

  std::string any_topic() { return topic_names[dice_.below(topic_names.size())]; }
  std::string any_subscription() { return subscription_names[dice_.below(subscription_names.size())]; }
  static std::uint32_t partitions_of(const std::string& topic) {
    return static_cast<std::uint32_t>(topic.back() - '0') % 3 + 1;
  }
  Draft any_draft();
  std::vector<Draft> any_drafts();
  bool may_repeat(const Request& request);
  std::vector<std::vector<node::Lease>> held_runs(const std::string& name);

  // --- clients ---
  void publish() { world_.publish(any_drafts()); }
  void publish_much();
  void repeat();
  void reuse_id();
  void receive() {
    world_.receive(any_subscription(), 1 + static_cast<std::uint32_t>(dice_.below(6)),
                   Millis{dice_.chance(1, 4) ? 300 : 0});
  }
  void settle_some();
  void settle_all() { world_.settle_all(any_subscription()); }
  void settle_and_publish();
  void create_topic() { create_topic(any_topic()); }
  void create_topic(const std::string& name);
  void delete_topic() { world_.delete_topic(any_topic()); }
  void trim();
  void put_subscription();
  void delete_subscription() { world_.delete_subscription(any_subscription()); }
  void pause() { world_.pause(any_subscription(), dice_.chance(1, 3)); }

  // --- Kafka's clients ---
  std::string any_producer() { return producer_names[dice_.below(producer_names.size())]; }
  std::string any_consumer() { return consumer_names[dice_.below(consumer_names.size())]; }
  std::string any_group() { return group_names[dice_.below(group_names.size())]; }
  void name_consumers();
  std::map<PartitionRef, Offset> any_offsets();
  void produce();
  void resend() { world_.resend(any_producer()); }
  void resend_known() { world_.resend_known(any_producer()); }
  void number_producer() { world_.number_producer(any_producer()); }
  void raise_epoch() { world_.raise_epoch(any_producer()); }
  void resend_outlived() { world_.resend_outlived(any_producer()); }
  void produce_too_early() { world_.produce_too_early(any_producer(), any_draft()); }
  void consumer_acts() { world_.act(any_consumer()); }
  void all_consumers_act();
  void consumer_leaves() { world_.leave(any_consumer()); }
  void consumer_hangs() { world_.hang(any_consumer()); }
  void consumer_dies() { world_.die(any_consumer()); }
  void commit() { world_.commit(any_consumer(), any_offsets()); }
  void commit_late() { world_.commit_late(any_consumer(), any_offsets()); }
  void commit_alone() { world_.commit_alone(any_group(), any_offsets()); }
  void fetch_offsets() { world_.fetch(any_group()); }
  void delete_offsets();
  void delete_group() { world_.delete_group(any_group()); }

  // --- the node's threads ---
  void flush() { world_.flush(); }
  void close() { world_.node().close(); }
  void write() { world_.node().write(); }
  void make_visible() { world_.node().publish(); }
  void tick() { world_.tick(); }
  void feed() { world_.node().feed(); }
  void work() { world_.work(); }
  void slice() { world_.node().checkpoint(dice_.chance(1, 4)); }
  void run_checkpoint() { world_.node().run_checkpoint(); }
  void retention() { world_.retention(); }
  void seal() { world_.node().seal(); }
  void check() { world_.check(false); }

  // --- the world ---
  void a_moment() { world_.advance(Millis{1 + static_cast<std::int64_t>(dice_.below(40))}); }
  void a_while() { world_.advance(Millis{100 + static_cast<std::int64_t>(dice_.below(3'000))}); }
  void wall_jumps() { world_.clock().jump(Millis{static_cast<std::int64_t>(dice_.below(40'000)) - 20'000}); }
  void kill();
  void cut_power();
  void arm_cut() { world_.disk().cut_at(world_.disk().calls() + 1 + dice_.below(30)); }
  void arm_fault();
  void fill_disk();
  void end_faults();
  void restart();

  SimulationOptions options_;
  SeededRandom dice_;
  World world_;
  HealingMix healing_;
  std::vector<Action> actions_;
  std::uint64_t weight_ = 0;
  bool heals_ = false;
  bool faulty_ = false;
  bool full_ = false;
  SimulationReport report_;
};

Simulation::Simulation(const SimulationOptions& options)
    : options_(options),
      dice_(options.seed * 2 + 1),
      world_(options.seed, settings_for(dice_)),
      healing_(world_, dice_),
      actions_(actions()) {
  for (const HealingMix::Choice& each : HealingMix::choices())
    actions_.push_back({each.name, each.weight, nullptr, each.always, Of::healing, each.act});
  // Each seed has its own temper: some things never happen in it, others often.
  // Every other life is one of failing and healing, in which Kafka's clients do little.
  heals_ = dice_.chance(1, 2);
  for (Action& action : actions_) {
    constexpr std::array<std::uint32_t, 5> tempers{0, 1, 1, 2, 5};
    const auto temper = tempers[dice_.below(tempers.size())];
    action.weight *= action.always ? std::max(temper, 1u) : temper;
    if (heals_ && action.of == Of::healing) action.weight *= 4;
    if (heals_ && action.of == Of::kafka) action.weight = (action.weight + 7) / 8;
    weight_ += action.weight;
  }
  name_consumers();
  report_.seed = options.seed;
}

std::vector<Simulation::Action> Simulation::actions() {
  using S = Simulation;
  return {
      {"publish", 30, &S::publish, true},
      {"publish-much", 3, &S::publish_much},
      {"repeat", 8, &S::repeat},
      {"reuse-id", 2, &S::reuse_id},
      {"receive", 14, &S::receive, true},
      {"settle-some", 12, &S::settle_some, true},
      {"settle-all", 6, &S::settle_all},
      {"settle-and-publish", 4, &S::settle_and_publish},
      {"create-topic", 5, &S::create_topic, true},
      {"delete-topic", 1, &S::delete_topic},
      {"trim", 2, &S::trim},
      {"put-subscription", 5, &S::put_subscription, true},
      {"delete-subscription", 1, &S::delete_subscription},
      {"pause", 1, &S::pause},
      {"produce", 14, &S::produce, true, Of::kafka},
      {"resend", 6, &S::resend, false, Of::kafka},
      {"resend-known", 3, &S::resend_known, false, Of::kafka},
      {"number-producer", 1, &S::number_producer, true, Of::kafka},
      {"raise-epoch", 1, &S::raise_epoch, false, Of::kafka},
      {"resend-outlived", 1, &S::resend_outlived, false, Of::kafka},
      {"produce-too-early", 1, &S::produce_too_early, false, Of::kafka},
      {"consumer-acts", 10, &S::consumer_acts, false, Of::kafka},
      {"all-consumers-act", 16, &S::all_consumers_act, true, Of::kafka},
      {"consumer-leaves", 1, &S::consumer_leaves, false, Of::kafka},
      {"consumer-hangs", 1, &S::consumer_hangs, false, Of::kafka},
      {"consumer-dies", 1, &S::consumer_dies, false, Of::kafka},
      {"commit", 10, &S::commit, true, Of::kafka},
      {"commit-late", 2, &S::commit_late, false, Of::kafka},
      {"commit-alone", 2, &S::commit_alone, false, Of::kafka},
      {"fetch-offsets", 3, &S::fetch_offsets, false, Of::kafka},
      {"delete-offsets", 1, &S::delete_offsets, false, Of::kafka},
      {"delete-group", 1, &S::delete_group, false, Of::kafka},
      {"flush", 12, &S::flush, true},
      {"close", 6, &S::close},
      {"write", 6, &S::write},
      {"make-visible", 6, &S::make_visible},
      {"tick", 8, &S::tick, true},
      {"feed", 10, &S::feed, true},
      {"work", 10, &S::work},
      {"slice", 10, &S::slice},
      {"run-checkpoint", 6, &S::run_checkpoint},
      {"retention", 3, &S::retention},
      {"seal", 3, &S::seal},
      {"check", 2, &S::check},
      {"a-moment", 12, &S::a_moment, true},
      {"a-while", 4, &S::a_while},
      {"wall-jumps", 1, &S::wall_jumps},
      {"kill", 1, &S::kill},
      {"cut-power", 1, &S::cut_power},
      {"arm-cut", 1, &S::arm_cut},
      {"arm-fault", 1, &S::arm_fault},
      {"fill-disk", 1, &S::fill_disk},
      {"end-faults", 3, &S::end_faults},
  };
}

const Simulation::Action& Simulation::pick() {
  std::uint64_t at = dice_.below(weight_);
  for (const Action& action : actions_) {
    if (at < action.weight) return action;
    at -= action.weight;
  }
  return actions_.back();
}

void Simulation::listen() {
  if (!options_.trace) return;
  world_.listener = [](const std::string& what) { std::fprintf(stderr, "  %s\n", what.c_str()); };
  world_.disk().trace([](std::uint64_t call, const std::string& what) {
    std::fprintf(stderr, "    %llu %s\n", static_cast<unsigned long long>(call), what.c_str());
  });
}

SimulationReport Simulation::run() {
  listen();
  world_.start();
  if (heals_) begin_healing();
  for (report_.steps = 0; report_.steps < options_.steps && world_.oracle().ok(); ++report_.steps) {
    if (!world_.running()) restart();
    if (world_.running()) step(pick());
  }
  if (world_.oracle().ok()) heal();
  world_.kill();
  report_.answers = world_.oracle().answers();
  report_.events = world_.oracle().events().size();
  report_.batches = world_.oracle().batches();
  report_.generations = world_.groups().finished();
  report_.healing = world_.healing().tally();
  report_.effects = hash64(fmt::format("{} {} {}", world_.effects(), world_.disk().fingerprint(), report_.answers));
  report_.breaches = world_.oracle().breaches();
  return report_;
}

void Simulation::begin_healing() {
  for (const char* name : topic_names) create_topic(name);
  flush();
  healing_.put_all();
  flush();
}

void Simulation::step(const Action& action) {
  say(fmt::format("{} {}", report_.steps, action.name));
  if (action.heal != nullptr) return (healing_.*action.heal)();
  (this->*action.act)();
}

// Nothing fails any more: now all must come to its end.
void Simulation::heal() {
  say("heal");
  end_faults();
  world_.disk().cut_at(0);
  if (world_.disk().cut()) world_.cut_power(dice_);
  for (int attempt = 0; attempt < 2 && !world_.running(); ++attempt) {
    world_.kill();
    world_.start();
  }
  if (!world_.running() || !world_.oracle().ok()) return;
  world_.work();
  world_.checkpoint();
  world_.work();
  world_.drain();
  if (!world_.running()) return world_.oracle().breach("the node failed on a healthy disk");
  for (const auto& [number, request] : world_.oracle().requests())
    if (request.pending > 0) world_.oracle().breach(fmt::format("request {} was never answered", number));
  world_.check_second_recovery();
}

// ---- clients --------------------------------------------------------------------------------------------------------

Draft Simulation::any_draft() {
  const std::string topic = any_topic();
  const std::size_t size = dice_.chance(1, 8) ? 500 + dice_.below(1500) : dice_.below(120);
  return {topic,
          static_cast<std::uint32_t>(dice_.below(partitions_of(topic))),
          fmt::format("k{}", dice_.below(4)),
          size,
          {},
          0};
}

std::vector<Draft> Simulation::any_drafts() {
  std::vector<Draft> drafts;
  for (std::uint64_t count = 1 + dice_.below(3); count > 0; --count) drafts.push_back(any_draft());
  return drafts;
}

void Simulation::publish_much() {
  for (std::uint64_t count = dice_.below(12); count > 0; --count) publish();
}

bool Simulation::may_repeat(const Request& request) {
  const Elapsed now = world_.elapsed();
  return std::ranges::all_of(request.events, [&](EventNumber number) {
    const SentEvent& event = world_.oracle().events().at(number);
    return event.deduplicated && now.ms - event.sent.ms < repeat_within.count();
  });
}

void Simulation::repeat() {
  const auto& requests = world_.oracle().requests();
  if (requests.empty()) return;
  const RequestNumber number = requests.size() - dice_.below(std::min<std::size_t>(requests.size(), 12));
  if (may_repeat(requests.at(number))) world_.repeat(number);
}

void Simulation::reuse_id() {
  const auto& events = world_.oracle().events();
  if (events.empty()) return;
  const SentEvent& event = events.at(events.size() - dice_.below(std::min<std::size_t>(events.size(), 12)));
  if (!event.offset || event.same_id_as != event.number || !may_repeat(world_.oracle().requests().at(event.request)))
    return;
  for (const char* name : topic_names)
    if (world_.oracle().topic(name) == event.partition.topic) {
      Draft draft{name, event.partition.partition.value, event.key, 40, {}, event.number};
      world_.publish({draft});
    }
}

std::vector<std::vector<node::Lease>> Simulation::held_runs(const std::string& name) {
  std::map<std::pair<PartitionRef, std::uint64_t>, std::vector<node::Lease>> runs;
  if (const auto id = world_.oracle().subscription(name))
    for (const HeldLease& held : world_.oracle().readers()[*id].held)
      if (!held.settling || dice_.chance(1, 20))
        runs[{held.lease.partition, held.lease.key_hash}].push_back(held.lease);
  std::vector<std::vector<node::Lease>> all;
  for (auto& [key, run] : runs) all.push_back(std::move(run));
  return all;
}

void Simulation::settle_some() {
  const std::string name = any_subscription();
  std::vector<node::Lease> acks;
  std::vector<node::Nack> nacks;
  std::vector<node::Extend> extends;
  for (const auto& run : held_runs(name)) {
    if (dice_.chance(1, 3)) continue;
    const std::size_t done = dice_.below(run.size() + 1);
    acks.insert(acks.end(), run.begin(), run.begin() + static_cast<std::ptrdiff_t>(done));
    if (done == run.size()) continue;
    if (dice_.chance(1, 2))
      nacks.push_back({run[done], {"broken", "as the dice fell"}, {}});
    else if (dice_.chance(1, 2))
      extends.push_back({run[done], Millis{3'000}});
  }
  if (acks.empty() && nacks.empty() && extends.empty()) return;
  world_.settle(*world_.oracle().subscription(name), std::move(acks), std::move(nacks), std::move(extends));
}

void Simulation::settle_and_publish() {
  const std::string name = any_subscription();
  std::vector<node::Lease> acks;
  for (const auto& run : held_runs(name)) acks.insert(acks.end(), run.begin(), run.end());
  if (!acks.empty()) world_.settle(*world_.oracle().subscription(name), std::move(acks), {}, {}, any_drafts());
}

void Simulation::create_topic(const std::string& name) {
  node::TopicSettings settings;
  settings.partitions = partitions_of(name);
  if (name == "t1") settings.retention_bytes = 3'000;
  if (name == "t2") settings.retention_time = Millis{20'000};
  world_.create_topic(name, settings);
}

void Simulation::trim() {
  const std::string name = any_topic();
  const auto id = world_.oracle().topic(name);
  if (!id) return;
  const std::uint32_t partition = static_cast<std::uint32_t>(dice_.below(partitions_of(name)));
  const Offset end = world_.oracle().known_end({*id, PartitionId{partition}});
  world_.trim(name, partition,
              dice_.chance(1, 6)
                  ? max_offset
                  : Offset{static_cast<std::int64_t>(dice_.below(static_cast<std::uint64_t>(end.value) + 1))});
}

void Simulation::put_subscription() {
  const std::string name = any_subscription();
  node::SubscriptionSettings settings;
  settings.topics = {"t0"};
  settings.from = engines::StartFrom::earliest;
  settings.lease = Millis{2'000};
  settings.retry = {3, Millis{200}};
  if (name == "s1") settings.topics = {"t1", "t2"};
  if (name == "s2") settings.order_by = engines::OrderBy::none;
  if (name == "s2") settings.on_failure = engines::OnFailure::drop;
  if (name == "s1") settings.filter = R"({"key":["k0","k3"]})";
  if (name == "s3") settings.concurrency = 2;
  if (name == "s3") settings.topics = {"t3", "t0"};
  world_.put_subscription(name, settings);
}

// ---- Kafka's clients ------------------------------------------------------------------------------------------------

void Simulation::name_consumers() {
  for (const char* name : consumer_names) {
    Consumer& consumer = world_.consumer(name);
    consumer.group = group_names[name == consumer_names.back() ? 1 : 0];
    if (dice_.chance(1, 3)) consumer.instance = fmt::format("i-{}", name);
    consumer.requires_known_member = dice_.chance(1, 2);
    consumer.can_skip_assignment = dice_.chance(1, 2);
    consumer.topics = {"t0", dice_.chance(1, 2) ? "t1" : "t3"};
  }
}

std::map<PartitionRef, Offset> Simulation::any_offsets() {
  std::map<PartitionRef, Offset> offsets;
  for (std::uint64_t count = 1 + dice_.below(3); count > 0; --count) {
    const std::string topic = any_topic();
    const auto partition = static_cast<std::uint32_t>(dice_.below(partitions_of(topic)));
    if (const auto id = world_.oracle().topic(topic))
      offsets[{*id, PartitionId{partition}}] = Offset{static_cast<std::int64_t>(dice_.below(1'000))};
  }
  return offsets;
}

void Simulation::produce() {
  const std::string name = any_producer();
  if (world_.producer(name).id < 0) return world_.number_producer(name);
  auto drafts = any_drafts();
  if (dice_.chance(1, 2)) drafts.push_back(drafts.front());
  world_.produce(name, drafts);
}

// Rebalances take a few rounds, so that they end now and then.
void Simulation::all_consumers_act() {
  for (std::uint64_t round = dice_.below(4); round > 0 && world_.running(); --round) {
    for (const char* name : consumer_names)
      if (!dice_.chance(1, 6)) world_.act(name);
    a_moment();
    tick();
    if (dice_.chance(1, 2)) flush();
  }
}

void Simulation::delete_offsets() {
  const std::string topic = any_topic();
  world_.delete_offsets(any_group(), topic, static_cast<std::uint32_t>(dice_.below(partitions_of(topic))));
}

// ---- the world ------------------------------------------------------------------------------------------------------

void Simulation::kill() {
  ++report_.kills;
  world_.kill();
}

void Simulation::cut_power() {
  ++report_.power_cuts;
  faulty_ = full_;  // the next disk is as full as this one
  world_.cut_power(dice_);
  listen();
}

void Simulation::arm_fault() {
  using Fault = disk::SimulatedDisk::Fault;
  constexpr std::array faults{Fault::io_error, Fault::disk_full, Fault::disk_full, Fault::short_write};
  ++report_.faults;
  faulty_ = true;
  world_.disk().fail_at(world_.disk().calls() + 1 + dice_.below(30), faults[dice_.below(faults.size())],
                        dice_.chance(1, 3));
}

void Simulation::fill_disk() {
  const auto space = world_.disk().space();
  ++report_.faults;
  faulty_ = true;
  full_ = true;
  if (space) world_.disk().set_capacity(space->total_bytes - space->free_bytes + dice_.below(16'000));
}

void Simulation::end_faults() {
  faulty_ = full_ = false;
  world_.disk().heal();
  world_.disk().set_capacity(~0ull);
}

// The node is gone, by itself or not. The machine may have gone with it.
void Simulation::restart() {
  if (world_.disk().cut() || dice_.chance(1, 3))
    cut_power();
  else
    world_.kill();
  if (dice_.chance(3, 4)) end_faults();
  if (dice_.chance(1, 6)) arm_cut();  // the next one while it recovers
  say(fmt::format("{} start{}", report_.steps, faulty_ ? " on a faulty disk" : ""));
  const bool harmed = faulty_;
  if (world_.start(true)) return;
  ++report_.failed_starts;
  if (!harmed && !world_.disk().cut()) {
    world_.kill();
    world_.start();  // says why it cannot
  }
  end_faults();
}

}  // namespace

SimulationReport simulate(const SimulationOptions& options) { return Simulation{options}.run(); }

std::string to_string(const SimulationReport& report) {
  std::string text = fmt::format(
      "seed {}: {} steps, {} events, {} batches, {} generations, {} parked, {} verbs, {} edits, {} skipped, {} "
      "cancelled, {} dead letters, {} moves, {} storms, {} releases, {} expired, {} answers, {} power cuts, {} kills, "
      "{} faults, {} failed starts, effects {:016x}",
      report.seed, report.steps, report.events, report.batches, report.generations, report.healing.parked,
      report.healing.verbs, report.healing.edited, report.healing.skipped, report.healing.cancelled,
      report.healing.letters, report.healing.moved, report.healing.storms, report.healing.releases,
      report.healing.expired, report.answers, report.power_cuts, report.kills, report.faults, report.failed_starts,
      report.effects);
  for (const std::string& breach : report.breaches)
    text += fmt::format("\n  BREACH at step {}: {}", report.steps, breach);
  return text;
}

}  // namespace continuo::simulator
