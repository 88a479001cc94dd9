// What an oracle holds that knows only what was answered: the events a subscription owes of a key, in the order of the
// log; the latest of values that replace each other.
//
// An event is done when somebody was told so. One whose end was decided and not told when the node stopped may be done
// or not: where the key stands when it is next seen says it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "continuo/base/ids.h"

namespace continuo::engines {

/// Of one key.
class Owed {
 public:
  void add(Offset offset) { events_.push_back({offset, Is::owed}); }
  std::size_t size() const { return static_cast<std::size_t>(std::ranges::count(events_, Is::owed, &Event::is)); }
  /// The key stands at this event: those before it are done, and those from it on are not.
  testing::AssertionResult at(Offset offset) {
    const auto here = std::ranges::find(events_, offset, &Event::offset);
    if (here == events_.end()) return testing::AssertionFailure() << offset.value << " was done before";
    if (here->is == Is::doing) return testing::AssertionFailure() << offset.value << " is done already";
    const auto missed = std::find_if(events_.begin(), here, [](const Event& each) { return each.is == Is::owed; });
    if (missed != here) return testing::AssertionFailure() << missed->offset.value << " comes before " << offset.value;
    if (here->is == Is::unsure)
      for (auto each = here; each != events_.end() && each->is == Is::unsure; ++each) each->is = Is::owed;
    events_.erase(std::remove_if(events_.begin(), here, [](const Event& each) { return each.is == Is::unsure; }), here);
    return testing::AssertionSuccess();
  }
  testing::AssertionResult doing(Offset offset) {
    const auto stands = at(offset);
    if (stands) std::ranges::find(events_, offset, &Event::offset)->is = Is::doing;
    return stands;
  }
  /// Somebody was told that it is done.
  testing::AssertionResult done(Offset offset) {
    const auto here = std::ranges::find(events_, offset, &Event::offset);
    if (here == events_.end()) return testing::AssertionSuccess();  // with a later one
    if (std::any_of(events_.begin(), here + 1, [](const Event& each) { return each.is == Is::owed; }))
      return testing::AssertionFailure() << offset.value << " was told to be done, and is not";
    events_.erase(events_.begin(), here + 1);
    return testing::AssertionSuccess();
  }
  /// The node stopped.
  void stopped() {
    for (Event& each : events_)
      if (each.is == Is::doing) each.is = Is::unsure;
  }
  /// The first so many that are not done, of a key of which it is known how it stands.
  std::vector<Offset> begin(std::size_t count) const {
    std::vector<Offset> all;
    for (const Event& each : events_)
      if (each.is == Is::owed && all.size() < count) all.push_back(each.offset);
    return all;
  }
  void forget(Offset offset) {
    std::erase_if(events_, [&](const Event& each) { return each.offset == offset; });
  }
  void put_before(std::span<const Offset> offsets) {
    for (auto each = offsets.rbegin(); each != offsets.rend(); ++each) events_.push_front({*each, Is::owed});
  }

 private:
  enum class Is {
    owed,
    doing,  // done, and nobody was told
    unsure  // it was being done when the node stopped
  };
  struct Event {
    Offset offset;
    Is is;
  };
  std::deque<Event> events_;
};

/// The latest of some values: one of those it may be since the node stopped, or what was decided since.
class Latest {
 public:
  void becomes(Offset value) { decided_.push_back(value); }
  /// Somebody was told of that one.
  void told(Offset value) {
    const auto here = std::ranges::find(decided_, value);
    if (here == decided_.end()) return;  // after a later one
    may_be_ = {value};
    decided_.erase(decided_.begin(), here + 1);
  }
  void stopped() {
    may_be_.insert(may_be_.end(), decided_.begin(), decided_.end());
    decided_.clear();
  }
  testing::AssertionResult is(std::optional<Offset> value) {
    if (!decided_.empty() ? decided_.back() != value : std::ranges::find(may_be_, value) == may_be_.end())
      return testing::AssertionFailure() << "another value, or none";
    if (decided_.empty()) may_be_ = {value};
    return testing::AssertionSuccess();
  }

 private:
  std::vector<std::optional<Offset>> may_be_{std::nullopt};
  std::vector<Offset> decided_;
};

}  // namespace continuo::engines
