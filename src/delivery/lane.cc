#include "continuo/delivery/lane.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "continuo/record/cloudevents.h"
#include "continuo/record/partitioner.h"

namespace continuo::delivery {
namespace {

constexpr std::uint64_t read_bytes = 256 * 1024;
constexpr std::size_t most_matched = 2'000;  // of one subscription, in one offer
constexpr Millis unreadable_pause{1'000};
constexpr std::int64_t close_behind = 16'384;  // offsets

// So few that read so much less than there is are shown events one by one: else each of their events would cost what
// it matches of all the others.
constexpr std::size_t few = 4, many = 16;
constexpr routing::MatchingLimits alone{.automaton_bytes = 1u << 20};

// How long and how far a cohort moves on before the engine hears of it; more of them are told less often, so that
// telling stays a small part of the core's time.
Micros told_every(std::size_t cursors) { return Micros{1'000'000 + 100 * static_cast<std::int64_t>(cursors)}; }
std::int64_t told_after(std::size_t cursors) {
  return std::max<std::int64_t>(65'536, 32 * static_cast<std::int64_t>(cursors));
}

}  // namespace

// ---- cursors --------------------------------------------------------------------------------------------------------

Cursor* Lane::find(SubscriptionId id) {
  const auto found = cursors_.find(id);
  return found == cursors_.end() ? nullptr : found->second.get();
}

Cursor& Lane::put(const node::FeedPosition& at, std::shared_ptr<const routing::Pattern> filter, std::uint64_t number) {
  if (const Cursor* before = find(at.subscription)) remove(*before);
  auto& made = cursors_[at.subscription];
  made = std::make_unique<Cursor>();
  made->at = at;
  made->number = number;
  made->filter = std::move(filter);
  made->seen = at.next;
  join(*made);
  return *made;
}

void Lane::remove(const Cursor& cursor) {
  const auto found = cursors_.find(cursor.at.subscription);
  leave(*found->second);
  cursors_.erase(found);
}

void Lane::join(Cursor& cursor) {
  auto& cohort = cohorts_[cursor.seen];
  if (!cohort) {
    cohort = std::make_unique<Cohort>();
    cohort->at = cohort->told = cursor.seen;
  }
  cursor.cohort = cohort.get();
  cursor.place = cohort->cursors.size();
  cohort->cursors.push_back(&cursor);
}

void Lane::leave(Cursor& cursor) {
  Cohort* const cohort = cursor.cohort;
  if (cohort == nullptr) return;
  cohort->cursors[cursor.place] = cohort->cursors.back();
  cohort->cursors[cursor.place]->place = cursor.place;
  cohort->cursors.pop_back();
  cursor.cohort = nullptr;
  drop_if_empty(*cohort);
}

void Lane::drop_if_empty(const Cohort& cohort) {
  if (cohort.cursors.empty() && !looking_) cohorts_.erase(cohort.at);
}

void Lane::stand_still(Cursor& cursor, Offset at) {
  leave(cursor);
  cursor.seen = at;
}

void Lane::keep_within_credit(Cursor& cursor) {
  if (cursor.matched.size() <= cursor.at.credit) return;
  const Offset first_left = cursor.matched[cursor.at.credit].offset;
  cursor.matched.resize(cursor.at.credit);
  stand_still(cursor, first_left);
}

// ---- looking --------------------------------------------------------------------------------------------------------

bool Lane::look(Micros now, std::vector<Cursor*>& touched) {
  std::vector<Offset> places;
  places.reserve(cohorts_.size());
  for (const auto& [at, cohort] : cohorts_) places.push_back(at);
  bool moved = false;
  std::optional<Offset> behind;  // one that comes up from there
  for (const Offset at : places) {
    const auto found = cohorts_.find(at);
    if (found == cohorts_.end()) continue;  // taken along
    const bool waits = behind && at - *behind < close_behind;
    behind = waits ? std::optional{at} : look(*found->second, now, touched);
    moved = moved || behind;
  }
  return moved;
}

// Gives the new place, if it is one.
std::optional<Offset> Lane::look(Cohort& first, Micros now, std::vector<Cursor*>& touched) {
  if (now < first.again_at) return std::nullopt;
  const Offset from = first.at;
  auto batches = records_.read(from, read_bytes);
  if (!batches) return cannot_read(first, batches.error(), now);
  Cohort* cohort = &first;
  for (const auto& batch : batches->batches) {
    const auto header = record::read_batch_header(*batch);
    Result<void> walked;
    if (header) {
      cohort = &move(*cohort, std::max(cohort->at, header->base_offset), now);
      take_along(*cohort, header->next_offset());
      if (!header->control()) walked = walk(*cohort, *batch, touched);
    } else {
      walked = std::unexpected(header.error());
    }
    if (!walked) return cohort->at == from ? cannot_read(*cohort, walked.error(), now) : cohort->at;
    if (cohort->cursors.empty()) {
      drop_if_empty(*cohort);
      return std::nullopt;
    }
    cohort = &move(*cohort, header->next_offset(), now);
  }
  cohort = &move(*cohort, std::max(cohort->at, batches->next), now);
  if (cohort->at == from) return std::nullopt;
  return cohort->at;
}

// Of trimmed records retention was faster than the subscriptions: they go on at the first that is kept.
std::optional<Offset> Lane::cannot_read(Cohort& cohort, const Error& error, Micros now) {
  if (error.code == Code::unknown_topic || error.code == Code::unknown_partition) return std::nullopt;
  if (error.code == Code::offset_out_of_range) {
    const auto state = records_.state();
    if (!state || state->first <= cohort.at) return std::nullopt;
    return move(cohort, state->first, now).at;
  }
  cohort.again_at = now + unreadable_pause;
  if (!std::exchange(cohort.complained, true))
    std::fprintf(stderr, "continuo: %zu subscriptions cannot read on: %s\n", cohort.cursors.size(),
                 to_string(error).c_str());
  return std::nullopt;
}

// The cohort stays, also when everybody leaves it. What was found in a batch that turns out to be damaged is forgotten
// again.
Result<void> Lane::walk(Cohort& cohort, const std::string& batch, std::vector<Cursor*>& touched) {
  looking_ = true;
  record::RecordWalk walk{batch};
  while (const auto record = walk.next()) {
    if (record->offset >= cohort.at) show(cohort, *record, touched);
    if (cohort.cursors.empty()) break;
  }
  looking_ = false;
  if (!walk.damaged()) return {};
  for (Cursor* cursor : cohort.cursors)
    while (!cursor->matched.empty() && cursor->matched.back().offset >= seen(*cursor)) cursor->matched.pop_back();
  return fail(Code::damaged_data, "a batch cannot be read");
}

void Lane::show(Cohort& cohort, const record::Record& record, std::vector<Cursor*>& touched) {
  const record::Event event = record::event_of(record, {filters_.topic(), partition.partition}, scratch_);
  const routing::Input input{&event, record.key, &record};
  wanting_.clear();
  if (cohort.cursors.size() <= few && filters_.size() > many) {
    for (Cursor* cursor : cohort.cursors) {
      if (!cursor->alone) cursor->alone.emplace(routing::Matcher::compile(std::array{cursor->filter.get()}), alone);
      if (!cursor->alone->match(input).empty()) wanting_.push_back(cursor);
    }
  } else {
    for (const SubscriptionId id : filters_.match(input))
      if (Cursor* cursor = find(id); cursor != nullptr && cursor->cohort == &cohort) wanting_.push_back(cursor);
  }
  for (Cursor* cursor : wanting_)
    if (record.offset >= cursor->seen) take(*cursor, record, touched);
}

void Lane::take(Cursor& cursor, const record::Record& record, std::vector<Cursor*>& touched) {
  if (cursor.matched.empty()) touched.push_back(&cursor);
  if (cursor.matched.size() >= std::min<std::size_t>(most_matched, cursor.at.credit))
    return stand_still(cursor, record.offset);
  add_times(record, cursor.times,
            cursor.matched.emplace_back(record.offset, cursor.at.by_key ? record::key_hash(record) : 0));
}

// ---- moving on ------------------------------------------------------------------------------------------------------

// Gives the cohort that stands there now: those that stood there already are of it.
Cohort& Lane::move(Cohort& cohort, Offset to, Micros now) {
  if (cohort.at == to) return cohort;
  take_along(cohort, to);
  auto moving = std::move(cohorts_.extract(cohort.at).mapped());
  moving->at = to;
  moving->again_at = Micros{0};
  moving->complained = false;
  if (!moving->untold_since) moving->untold_since = now;
  auto& there = cohorts_[to];
  if (!there || there->cursors.size() < moving->cursors.size()) std::swap(there, moving);
  if (moving) merge(*there, *moving);
  return *there;
}

// Those that stand between the cohort and that offset are of it: what they have seen already is not shown to them.
void Lane::take_along(Cohort& cohort, Offset below) {
  for (auto at = cohorts_.upper_bound(cohort.at); at != cohorts_.end() && at->first < below;) {
    merge(cohort, *at->second);
    at = cohorts_.erase(at);
  }
}

void Lane::merge(Cohort& into, const Cohort& other) {
  into.told = std::min(into.told, other.told);
  if (other.untold_since)
    into.untold_since = std::min(into.untold_since.value_or(*other.untold_since), *other.untold_since);
  for (Cursor* cursor : other.cursors) {
    cursor->seen = seen(*cursor);
    cursor->cohort = &into;
    cursor->place = into.cursors.size();
    into.cursors.push_back(cursor);
  }
}

// ---- telling --------------------------------------------------------------------------------------------------------

void Lane::tell_due(Micros now, std::vector<Cursor*>& due) {
  for (const auto& [at, cohort] : cohorts_) {
    const auto since = cohort->untold_since;
    if (!since) continue;
    const std::size_t count = cohort->cursors.size();
    if (now - *since < told_every(count) && at - cohort->told < told_after(count)) continue;
    cohort->told = at;
    cohort->untold_since.reset();
    for (Cursor* cursor : cohort->cursors) {
      if (count > few) cursor->alone.reset();
      if (cursor->busy)
        cohort->untold_since = now;
      else if (cursor->at.next < at)
        due.push_back(cursor);
    }
  }
}

std::optional<Micros> Lane::look_again() const {
  std::optional<Micros> first;
  const auto note = [&](Micros at) { first = first ? std::min(*first, at) : at; };
  for (const auto& [at, cohort] : cohorts_) {
    if (const auto since = cohort->untold_since) note(*since + told_every(cohort->cursors.size()));
    if (cohort->complained) note(cohort->again_at);
  }
  return first;
}

}  // namespace continuo::delivery
