#include "members.h"

#include <fmt/format.h>

#include <array>
#include <csignal>

#include "process.h"

namespace continuo::history {

using std::chrono::milliseconds;

Members::Members(std::vector<Group> groups, int of_each, std::uint64_t seed, SharedHistory& history, Start start)
    : groups_(std::move(groups)), history_(history), start_(std::move(start)), random_(seed) {
  for (std::uint32_t group = 0; group < groups_.size(); ++group) {
    for (int each = 0; each < of_each; ++each) {
      seats_.push_back({.group = group, .number = static_cast<std::uint32_t>(each)});
      if (each < (of_each + 1) / 2) join(seats_.back());
    }
  }
}

std::uint32_t Members::stranger(std::uint32_t group) {
  const auto client = static_cast<std::uint32_t>(clients_.size());
  clients_.push_back({.group = group, .member = client});
  return client;
}

void Members::disturb() {
  reap();
  for (auto* seats : {&seats_, &replaced_}) {
    for (Seat& seat : *seats) {
      if (seat.state == State::frozen && Clock::now() >= seat.until) thaw(seat);
    }
  }
  if (Clock::now() < next_) return;
  // Every other second something in each group.
  next_ = Clock::now() + milliseconds(random_() % (3000 / groups_.size()));
  happen_to(seats_[random_() % seats_.size()]);
}

void Members::happen_to(Seat& seat) {
  if (seat.state == State::gone) return join(seat);
  if (seat.state != State::runs) return;
  // Whoever ends without leaving stops its group until its session is over: more of that, and the groups do nothing
  // else.
  const auto dice = random_() % 20;
  if (dice < 5) return leave(seat);
  if (dice < 7) return die(seat);
  if (dice < 9) return freeze(seat, milliseconds(100 + random_() % 2000));    // its session lasts
  if (dice < 10) return freeze(seat, milliseconds(6500 + random_() % 3000));  // its session is over when it wakes
  if (dice < 11) return hang(seat);
  if (dice < 13 && groups_[seat.group].has_static_members) return replace(seat);
}

void Members::join(Seat& seat) {
  const Group& group = groups_[seat.group];
  seat.client = stranger(seat.group);
  MemberRole role;
  role.id = seat.client;
  role.seed = random_();
  role.group = group.name;
  role.strategy = group.strategy;
  if (group.has_static_members) {
    role.instance = fmt::format("{}-{}", group.name, seat.number);
    clients_.back().member = 1'000'000 + seat.group * 1000 + seat.number;
  }
  seat.process = start_(role);
  seat.state = State::runs;
  ++joined_;
}

void Members::leave(Seat& seat) {
  kill(seat.process, SIGTERM);
  seat.state = State::leaves;
  ++left_;
}

void Members::die(Seat& seat) {
  kill(seat.process, SIGKILL);
  gone(seat, wait_for(seat.process));
  ++died_;
}

void Members::freeze(Seat& seat, milliseconds time) {
  kill(seat.process, SIGSTOP);
  seat.state = State::frozen;
  seat.until = Clock::now() + time;
  ++frozen_;
}

void Members::hang(Seat& seat) {
  kill(seat.process, SIGUSR1);
  ++hung_;
}

void Members::replace(Seat& seat) {
  freeze(seat, milliseconds(500 + random_() % 5000));
  replaced_.push_back(seat);
  join(seat);
  ++replaced_count_;
}

void Members::thaw(Seat& seat) {
  kill(seat.process, SIGCONT);
  seat.state = State::runs;
}

/// Fenced off is as it should be where members are replaced. An assertion in librdkafka 2.0 that ends members which
/// close before their first assignment (its issue 4312) is a way to die like others.
void Members::gone(Seat& seat, int code) {
  const Group& group = groups_[seat.group];
  const bool fenced = code == exit_fatal && group.has_static_members;
  if (code == 128 + SIGABRT) ++aborted_;
  if (code != 0 && !fenced && code < 128)
    failures_.push_back(fmt::format("a member of {} ended with {}", group.name, code));
  history_.add({.kind = Kind::client_died, .actor = seat.client});
  seat.process = 0;
  seat.state = State::gone;
}

void Members::reap() {
  for (auto* seats : {&seats_, &replaced_}) {
    for (Seat& seat : *seats) {
      if (seat.process == 0) continue;
      if (const auto code = ended(seat.process)) gone(seat, *code);
    }
  }
  std::erase_if(replaced_, [](const Seat& seat) { return seat.state == State::gone; });
}

void Members::settle() {
  for (Seat& seat : replaced_) {
    kill(seat.process, SIGKILL);
    gone(seat, wait_for(seat.process));
  }
  replaced_.clear();
  for (Seat& seat : seats_) {
    if (seat.state == State::frozen) thaw(seat);
  }
  look_after();
  came_back_ = 0;
}

void Members::look_after() {
  reap();
  for (Seat& seat : seats_) {
    if (seat.state != State::gone) continue;
    join(seat);
    ++came_back_;
  }
}

std::string Members::states(std::uint32_t group) const {
  std::string text;
  for (const Seat& seat : seats_) {
    if (seat.group != group) continue;
    constexpr std::array names = {"gone", "runs", "leaves", "frozen"};
    text += fmt::format("{}{} {} (process {})", text.empty() ? "" : ", ", seat.number,
                        names.at(static_cast<std::size_t>(seat.state)), seat.process);
  }
  return text;
}

void Members::end() {
  for (Seat& seat : seats_) {
    if (seat.process != 0) kill(seat.process, SIGTERM);
  }
  for (Seat& seat : seats_) {
    if (seat.process == 0) continue;
    gone(seat, wait_or_kill(seat.process, 20));
  }
}

std::string Members::counts() const {
  return fmt::format(
      "members: {} joined, {} left, {} died, {} froze, {} hung, {} replaced, {} aborted, {} back at the end", joined_,
      left_, died_, frozen_ - replaced_count_, hung_, replaced_count_, aborted_, came_back_);
}

}  // namespace continuo::history
