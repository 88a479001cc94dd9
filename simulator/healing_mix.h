// What consumers, workflows, persons and operators do about failed events in a simulation, drawn from dice.
#pragma once

#include <span>
#include <string>

#include "continuo/base/random.h"
#include "continuo/simulator/world.h"

namespace continuo::simulator {

class HealingMix {
 public:
  HealingMix(World& world, Random& dice) : world_(world), dice_(dice) {}

  /// One thing that may be done, and how often it is.
  struct Choice {
    const char* name;
    std::uint32_t weight;
    void (HealingMix::*act)();
    bool always = false;  ///< without it nothing else happens
  };
  static std::span<const Choice> choices();

  /// Subscriptions and queues that give up in every way there is. Some fail much.
  void put_subscription();
  void put_queue();
  /// All there are.
  void put_all();
  void remove_queue();
  void change_of_place();

  /// Refuses what is held of a few keys: some for the same reason, so that storms come.
  void fail();
  void retry();
  void skip();
  void cancel();
  void edit();
  void receive_repairs();
  void settle_repair();
  void release();
  void stop_release();

  void send_messages();
  void receive_messages();
  void settle_messages();
  void purge();
  void redrive();

 private:
  std::string any_subscription();
  std::string any_healed();
  std::string any_queue();
  void put_subscription(const std::string& name);
  void put_queue(const std::string& name);
  std::optional<node::ParkedKey> any_parked(const std::string& name);

  World& world_;
  Random& dice_;
};

}  // namespace continuo::simulator
