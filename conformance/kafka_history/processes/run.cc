#include "run.h"

#include <fmt/format.h>
#include <fmt/os.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>

#include "continuo/history/check.h"
#include "drain.h"
#include "members.h"
#include "process.h"
#include "server.h"
#include "shared_history.h"

namespace continuo::history {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string new_folder() {
  auto pattern = (std::filesystem::temp_directory_path() / "continuo-history-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder can be made");
  return pattern;
}

class Run {
 public:
  explicit Run(const RunSettings& settings)
      : settings_(settings),
        folder_(settings.folder.empty() ? new_folder() : settings.folder),
        topics_(fmt::format("orders:{},audit:3", settings.partitions)),
        places_(topics_),
        random_(settings.seed),
        server_(settings.server, folder_, {"--journal-size", "64MiB"}) {}

  int operator()() {
    server_.start();
    make_topics(server_.address(), places_);
    start_producers();
    members_.emplace(groups_, settings_.consumers, random_(), history_,
                     [this](const MemberRole& role) { return start_member(role); });
    start_observers();
    trouble();
    finish();
    return report();
  }

 private:
  struct Disturbance {
    Clock::time_point when;
    bool kill;
  };

  // --- the processes
  // ---------------------------------------------------------------------------------------------------

  pid_t start(const char* what, const Role& role, std::vector<std::string> more) {
    std::vector<std::string> command = {
        settings_.self, what,    "--history", std::to_string(history_.file()), "--address", server_.address(),
        "--topics",     topics_, "--id",      std::to_string(role.id),         "--seed",    std::to_string(role.seed)};
    command.insert(command.end(), more.begin(), more.end());
    return start_process(command);
  }

  /// Of four producers one is not idempotent, one gives records up early, and each compresses otherwise. After it gave
  /// something up, librdkafka sends under a new epoch what it was not told of before: doubles are its own.
  void start_producers() {
    constexpr std::array codecs = {"none", "lz4", "zstd", "gzip", "snappy"};
    for (int each = 0; each < settings_.producers; ++each) {
      ProducerRole role;
      role.id = static_cast<std::uint32_t>(each);
      role.seed = random_();
      const bool idempotent = each % 4 != 3, patient = each % 4 != 2;
      kinds_.push_back({.idempotent = idempotent && patient});
      std::vector<std::string> more = {"--compression", codecs[(each + settings_.seed) % codecs.size()],
                                       "--linger",      std::to_string(each % 2 == 0 ? 0 : 20),
                                       "--batch",       std::to_string(each % 2 == 0 ? 20 : 10'000),
                                       "--timeout",     std::to_string(patient ? 60'000 : 2500),
                                       "--rate",        std::to_string(settings_.rate)};
      if (!idempotent) more.emplace_back("--not-idempotent");
      producers_.push_back(start("producer", role, more));
    }
  }

  pid_t start_member(const MemberRole& role) {
    std::vector<std::string> more = {"--group", role.group, "--strategy", role.strategy};
    if (!role.instance.empty()) more.insert(more.end(), {"--instance", role.instance});
    return start("member", role, more);
  }

  void start_observers() {
    for (std::uint32_t group = 0; group < groups_.size(); ++group) {
      Role role;
      role.id = members_->stranger(group);
      role.seed = random_();
      observers_.push_back(start("observer", role, {"--group", groups_[group].name}));
    }
  }

  // --- what happens to the server
  // --------------------------------------------------------------------------------------

  /// Each at a random moment of its own share of the time.
  std::vector<Disturbance> plan() {
    std::vector<Disturbance> planned;
    const auto begin = Clock::now() + milliseconds(1500);
    const int span = std::max(settings_.seconds * 1000 - 2000, 1);
    const auto add = [&](int count, bool kill) {
      for (int each = 0; each < count; ++each) {
        const int share = span / count;
        const auto within = static_cast<int>(random_() % static_cast<std::uint64_t>(share + 1));
        planned.push_back({begin + milliseconds(each * share + within), kill});
      }
    };
    add(settings_.kills, true);
    add(settings_.pauses, false);
    std::ranges::sort(planned, {}, &Disturbance::when);
    return planned;
  }

  void trouble() {
    const auto planned = plan();
    auto next = planned.begin();
    const auto end = Clock::now() + seconds(settings_.seconds);
    while (Clock::now() < end || next != planned.end()) {
      if (next != planned.end() && Clock::now() >= next->when) {
        next->kill ? kill_server() : pause_server();
        ++next;
      }
      members_->disturb();
      look_after_the_others();
      std::this_thread::sleep_for(milliseconds(10));
    }
  }

  void kill_server() {
    server_.kill();
    history_.add({.kind = Kind::restarted});
    ++kills_;
    std::this_thread::sleep_for(milliseconds(random_() % 4 == 0 ? random_() % 3000 : random_() % 200));
    // At times it is killed again while it recovers.
    for (; !settings_.let_start && random_() % 3 == 0; ++kills_) {
      server_.begin_start();
      std::this_thread::sleep_for(milliseconds(random_() % 60));
      server_.kill();
      history_.add({.kind = Kind::restarted});
    }
    server_.start();
  }

  /// Long enough, at times, that requests are given up and sent again beside the first.
  void pause_server() {
    server_.freeze();
    std::this_thread::sleep_for(milliseconds(random_() % 5000));
    server_.thaw();
    ++pauses_;
  }

  void look_after_the_others() {
    if (!server_.runs()) throw std::runtime_error("the server ended by itself, see " + folder_ + "/server.log");
    for (pid_t& producer : producers_) {
      if (producer == 0) continue;
      if (const auto code = ended(producer)) {
        trouble_.push_back(fmt::format("a producer ended with {}", *code));
        producer = 0;
      }
    }
  }

  // --- the end
  // -----------------------------------------------------------------------------------------------------------

  void finish() {
    for (const auto producer : producers_) {
      if (producer != 0) kill(producer, SIGTERM);
    }
    for (const auto producer : producers_) {
      const auto code = producer == 0 ? 0 : wait_or_kill(producer, settings_.patience_s * 3 / 2);
      if (code != 0) trouble_.push_back(fmt::format("a producer ended with {}", code));
    }
    members_->settle();
    const auto look_after = [this] { members_->look_after(); };
    for (std::uint32_t group = 0; group < groups_.size(); ++group) {
      const std::string& name = groups_[group].name;
      std::string missing;
      if (catches_up(server_.address(), name, places_, seconds(settings_.patience_s), look_after, missing)) continue;
      trouble_.push_back(
          fmt::format("the group {} stands still:{}; members: {}", name, missing, members_->states(group)));
    }
    members_->end();
    trouble_.insert(trouble_.end(), members_->failures().begin(), members_->failures().end());
    for (const auto observer : observers_) kill(observer, SIGTERM);
    for (const auto observer : observers_) wait_or_kill(observer, 10);
    drain(server_.address(), places_, history_);
    server_.kill();
  }

  History history() const {
    History made{.operations = history_.operations(),
                 .producers = kinds_,
                 .clients = members_->clients(),
                 .places = {},
                 .groups = {}};
    for (const auto& place : places_.all()) made.places.push_back(fmt::format("{}/{}", place.topic, place.partition));
    for (const auto& group : groups_) made.groups.push_back(group.name);
    return made;
  }

  void print_counts(const History& history) const {
    std::array<std::uint64_t, 32> counts{};
    std::set<std::pair<std::uint32_t, std::int32_t>> generations;
    for (const auto& operation : history.operations) {
      ++counts[static_cast<std::size_t>(operation.kind)];
      if (operation.kind != Kind::owns) continue;
      generations.emplace(history.clients.at(operation.actor).group, operation.generation);
    }
    const auto of = [&](Kind kind) { return counts[static_cast<std::size_t>(kind)]; };
    fmt::print("records: {} sent, {} acknowledged, {} refused, {} unknown, {} polled, {} in the log\n", of(Kind::sent),
               of(Kind::acknowledged), of(Kind::refused), of(Kind::sent) - of(Kind::acknowledged) - of(Kind::refused),
               of(Kind::polled), of(Kind::drained));
    fmt::print("offsets: {} commits, {} acknowledged, {} refused; {} fetched\n", of(Kind::commit_begun),
               of(Kind::commit_done), of(Kind::commit_refused), of(Kind::fetched));
    fmt::print("groups: {} generations, {} assignments, {} places owned\n", generations.size(), of(Kind::assigned),
               of(Kind::owns));
    fmt::print("{}\nserver: {} kills, {} pauses; {} operations in the history\n", members_->counts(), kills_, pauses_,
               history.operations.size());
  }

  int report() {
    const auto history = this->history();
    print_counts(history);
    const auto findings = check(history);
    for (const auto& each : trouble_) fmt::print("FOUND {}\n", each);
    for (const auto& each : findings.kept()) {
      fmt::print("FOUND {}: {}\n", name(each.anomaly), each.what);
      for (const auto index : each.proof) fmt::print("      {}\n", describe(history, index));
    }
    for (std::size_t each = 0; each < anomalies; ++each) {
      const auto anomaly = static_cast<Anomaly>(each);
      if (findings.count(anomaly) > 0) fmt::print("{} times {}\n", findings.count(anomaly), name(anomaly));
    }
    const auto total = findings.total() + trouble_.size();
    fmt::print("seed {}: {} findings\n", settings_.seed, total);
    if (total > 0 || settings_.keep) {
      auto file = fmt::output_file(folder_ + "/history.txt");
      for (std::size_t index = 0; index < history.operations.size(); ++index) {
        file.print("{}\n", describe(history, index));
      }
      fmt::print("the history and the server's data are in {}\n", folder_);
    } else {
      std::filesystem::remove_all(folder_);
    }
    return total > 0 ? 1 : 0;
  }

  const RunSettings settings_;
  const std::string folder_;
  const std::string topics_;
  const Places places_;
  const std::vector<Group> groups_ = {{.name = "range", .strategy = "range"},
                                      {.name = "sticky", .strategy = "cooperative-sticky"},
                                      {.name = "fixed",
                                       .strategy = settings_.seed % 2 == 0 ? "range" : "cooperative-sticky",
                                       .has_static_members = true}};
  std::mt19937_64 random_;
  SharedHistory history_;
  Server server_;
  std::optional<Members> members_;
  std::vector<Producer> kinds_;
  std::vector<pid_t> producers_, observers_;
  std::vector<std::string> trouble_;
  int kills_ = 0, pauses_ = 0;
};

}  // namespace

int run(const RunSettings& settings) { return Run(settings)(); }

}  // namespace continuo::history
