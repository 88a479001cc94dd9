// The members of all groups: they join, leave, die, freeze, hang, and static ones are replaced.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "roles.h"
#include "shared_history.h"

namespace continuo::history {

struct Group {
  std::string name;
  std::string strategy;
  bool has_static_members = false;
};

class Members {
 public:
  using Clock = std::chrono::steady_clock;
  /// Starts the process of a member.
  using Start = std::function<pid_t(const MemberRole&)>;

  Members(std::vector<Group> groups, int of_each, std::uint64_t seed, SharedHistory& history, Start start);

  /// Does what is due: at times something happens to some member.
  void disturb();
  /// Nothing happens to members any more: everybody polls, but who is about to leave, or to be found dead.
  void settle();
  /// Who is gone comes back. To be called again and again while the groups are to get on: a member that was leaving
  /// when they settled, or that ended since, is missed only then.
  void look_after();
  /// What each member of a group is thought to do, as text.
  std::string states(std::uint32_t group) const;
  /// All leave.
  void end();
  /// A client of a group that is no member, as its number.
  std::uint32_t stranger(std::uint32_t group);
  const std::vector<Client>& clients() const { return clients_; }
  /// How often something happened, as text.
  std::string counts() const;
  /// Members that ended in a way they should not, as text.
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  enum class State : std::uint8_t { gone, runs, leaves, frozen };
  struct Seat {
    std::uint32_t group;
    std::uint32_t number;
    pid_t process = 0;
    std::uint32_t client = 0;
    State state = State::gone;
    Clock::time_point until = {};  ///< frozen
  };

  void reap();
  void happen_to(Seat& seat);
  void join(Seat& seat);
  void leave(Seat& seat);
  void die(Seat& seat);
  void freeze(Seat& seat, std::chrono::milliseconds time);
  void hang(Seat& seat);
  void replace(Seat& seat);
  void thaw(Seat& seat);
  void gone(Seat& seat, int code);

  const std::vector<Group> groups_;
  SharedHistory& history_;
  const Start start_;
  std::mt19937_64 random_;
  std::vector<Client> clients_;
  std::vector<Seat> seats_;
  std::vector<Seat> replaced_;  ///< still there, and fenced off once they wake
  Clock::time_point next_ = Clock::now();
  int joined_ = 0, left_ = 0, died_ = 0, frozen_ = 0, hung_ = 0, replaced_count_ = 0, aborted_ = 0, came_back_ = 0;
  std::vector<std::string> failures_;
};

}  // namespace continuo::history
