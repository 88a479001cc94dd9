// What those who heal remember - repairs, releases, moves - and what the node told of it on `continuo.events`.
//
// The topic of events is the witness: what passes an event over, edits it or buries it is told in the same commit. So
// it is read before anything is judged, and what it says is what happened: an event told as passed over is done and
// never comes again, one of which nothing is told is still owed. What was asked names its number as the reason;
// answered with yes it must have been told, answered with no it must never be.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "continuo/engines/subscriptions.h"
#include "continuo/node/healing.h"
#include "continuo/simulator/oracle.h"

namespace continuo::simulator {

using VerbNumber = std::uint64_t;
using Place = std::pair<PartitionRef, Offset>;

/// One request of somebody who heals.
struct Verb {
  /// What is told of it. `quiet`: perhaps nothing.
  enum class Told : std::uint8_t { released, skipped, edited, cancelled, moved, quiet };
  Told told = Told::quiet;
  SubscriptionId subscription;
  std::set<Place> heads;      ///< of the keys it is for
  std::vector<Place> goes;    ///< cancelled: all that leaves with the key
  std::vector<Place> may_go;  ///< and what does unless it was gone before
  std::string value;          ///< edited: what consumers get instead
  Outcome outcome = Outcome::unanswered;
  std::set<Place> told_of;  ///< so far
};

class HealingOracle {
 public:
  // --- what is asked ---
  VerbNumber asks(Verb verb);
  VerbNumber next_verb() const { return verbs_.size() + 1; }
  /// Of an answer that was given, after all that is durable was heard.
  void answered(Oracle& out, VerbNumber number, const Result<void>& answer);
  static std::string reason(VerbNumber number) { return "verb " + std::to_string(number); }
  /// A release of many keys was begun; it goes on by itself until it is told that it ended.
  void releases(SubscriptionId id, std::uint64_t release) { releases_[{id, release}].begun = true; }

  // --- names: what is told names topics and subscriptions, which come and go ---
  /// From here on the name is that of this one.
  void topic_is(const std::string& name, TopicId id, Offset from) { topics_[name].emplace_back(from, id); }
  void subscription_is(const std::string& name, SubscriptionId id, Offset from) {
    subscriptions_[name].emplace_back(from, id);
  }
  /// After a restart: those that are not in the catalogue never were.
  void forget_lost(const node::Catalogue& catalogue);

  // --- what is told ---
  Offset heard() const { return heard_; }
  void hear(Oracle& out, Offset at, std::string_view type, std::string_view subject, std::string_view data,
            WallTime wall);
  /// A record of a topic of dead letters.
  void read_letter(Oracle& out, PartitionRef partition, const record::Record& record);
  void begin_reading_letters() { letters_read_.clear(); }
  void end_reading_letters(Oracle& out, const std::map<PartitionRef, node::PartitionState>& letters);

  // --- checks ---
  /// Nothing was told of the event from there on: who had its head to repair it has it still.
  bool untouched(SubscriptionId id, const Place& place, Offset since) const {
    const auto found = last_told_.find({id, place});
    return found == last_told_.end() || found->second < since;
  }
  /// Everything was delivered and settled: no key drains any more.
  void check_drained(Oracle& out, SubscriptionId id, const node::Catalogue& catalogue) const;
  /// The event whose letter lies there; null: none.
  const Place* letter_at(const Place& place) const {
    const auto found = letters_.find(place);
    return found == letters_.end() ? nullptr : &found->second.second;
  }
  /// What stands for the event, if anything was told to.
  const std::string* edit_of(SubscriptionId id, PartitionRef partition, Offset offset) const;
  /// Between groups only: everything there is is durable.
  void check(Oracle& out, const engines::SubscriptionsEngine& engine, const node::Catalogue& catalogue);
  /// After a restart: what nobody was answered happened as was told, or never will.
  void decide(Oracle& out);
  /// All letters of a queue of dead letters were received and settled.
  void check_letters_settled(Oracle& out, SubscriptionId id, const std::vector<TopicId>& topics,
                             const std::map<PartitionRef, node::PartitionState>& partitions) const;

  struct Tally {
    std::uint64_t verbs = 0, parked = 0, skipped = 0, edited = 0, cancelled = 0, letters = 0, moved = 0, storms = 0,
                  releases = 0, expired = 0;
    void add(const Tally& more) {
      verbs += more.verbs, parked += more.parked, skipped += more.skipped, edited += more.edited;
      cancelled += more.cancelled, letters += more.letters, moved += more.moved, storms += more.storms;
      releases += more.releases, expired += more.expired;
    }
  };
  const Tally& tally() const { return tally_; }

 private:
  using Event = std::pair<SubscriptionId, Place>;
  struct Release {
    bool begun = false, ended = false;
    std::uint64_t keys = 0;  ///< told as released by it
  };
  template <class T>
  using Names = std::map<std::string, std::vector<std::pair<Offset, T>>, std::less<>>;
  struct Telling;
  void hear_of_key(Oracle& out, const Telling& told);
  void hear_of_release(Oracle& out, const Telling& told);
  void hear_of_letter(Oracle& out, const Telling& told);
  void hear_of_cancel(Oracle& out, const Telling& told);
  void hear_of_subscription(Oracle& out, const Telling& told);
  void pass_over(Oracle& out, const Event& event, const std::string& how);
  Verb* verb_of(Oracle& out, const Telling& told, Verb::Told expected);

  std::map<VerbNumber, Verb> verbs_;
  Names<TopicId> topics_;
  Names<SubscriptionId> subscriptions_;
  Offset heard_{0};
  std::map<Event, Offset> last_told_;                                       // of each
  std::set<std::tuple<SubscriptionId, PartitionRef, std::string>> drains_;  // keys that were released
  std::set<Event> parked_;                                                  // ever
  std::map<Event, VerbNumber> edits_;                                       // the last one
  std::map<Place, Event> letters_;                                          // by their places
  std::map<Place, std::string> letters_read_;                               // and what is there
  std::set<SubscriptionId> storms_;                                         // that stand
  std::map<std::pair<SubscriptionId, std::uint64_t>, Release> releases_;
  Tally tally_;
};

}  // namespace continuo::simulator
