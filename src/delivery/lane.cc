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

// So few that read so much less than there is are shown events one by one: else each of their events would cost what
// it matches of all the others.
constexpr std::size_t few = 4, many = 16;

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

void Lane::remove_older(std::uint64_t round) {
  for (auto at = cursors_.begin(); at != cursors_.end();) {
    if (at->second->round == round) {
      ++at;
      continue;
    }
    leave(*at->second);
    at = cursors_.erase(at);
  }
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
  for (const auto& [at, cohort] : cohorts_) places.push_back(at);
  bool moved = false;
  for (const Offset at : places)
    if (const auto found = cohorts_.find(at); found != cohorts_.end())
      moved = look(*found->second, now, touched) || moved;
  return moved;
}

bool Lane::look(Cohort& cohort, Micros now, std::vector<Cursor*>& touched) {
  if (now < cohort.again_at) return false;
  auto batches = node_.read(partition, cohort.at, read_bytes);
  if (!batches) return cannot_read(cohort, batches.error(), now);
  Offset next = cohort.at;
  std::optional<Error> error;
  looking_ = true;  // the cohort stays, also when everybody leaves it
  for (const auto& batch : batches->batches) {
    auto after = walk(cohort, *batch, touched);
    if (!after) error = std::move(after.error());
    if (error || cohort.cursors.empty()) break;
    next = std::max(next, *after);
  }
  looking_ = false;
  if (cohort.cursors.empty()) {
    drop_if_empty(cohort);
    return false;
  }
  if (!error) next = std::max(next, batches->next);
  const bool moved = next != cohort.at;
  if (moved)
    move(cohort, next, now);
  else if (error)
    return cannot_read(cohort, *error, now);
  return moved;
}

// Of trimmed records retention was faster than the subscriptions: they go on at the first that is kept.
bool Lane::cannot_read(Cohort& cohort, const Error& error, Micros now) {
  if (error.code == Code::unknown_topic || error.code == Code::unknown_partition) return false;
  if (error.code == Code::offset_out_of_range) {
    const auto state = node_.partition_state(partition);
    if (!state || state->first <= cohort.at) return false;
    move(cohort, state->first, now);
    return true;
  }
  cohort.again_at = now + unreadable_pause;
  if (!std::exchange(cohort.complained, true))
    std::fprintf(stderr, "continuo: %zu subscriptions cannot read on: %s\n", cohort.cursors.size(),
                 to_string(error).c_str());
  return false;
}

// Gives the offset behind the batch. What was found in one that turns out to be damaged is forgotten again.
Result<Offset> Lane::walk(Cohort& cohort, const std::string& batch, std::vector<Cursor*>& touched) {
  const auto header = record::read_batch_header(batch);
  if (!header) return std::unexpected(header.error());
  if (header->control()) return header->next_offset();
  record::RecordWalk walk{batch};
  while (const auto record = walk.next()) {
    if (record->offset >= cohort.at) show(cohort, *record, touched);
    if (cohort.cursors.empty()) break;
  }
  if (!walk.damaged()) return header->next_offset();
  const Offset from = std::max(cohort.at, header->base_offset);
  for (Cursor* cursor : cohort.cursors)
    while (!cursor->matched.empty() && cursor->matched.back().offset >= from) cursor->matched.pop_back();
  return fail(Code::damaged_data, "a batch cannot be read");
}

void Lane::show(Cohort& cohort, const record::Record& record, std::vector<Cursor*>& touched) {
  const record::Event event = record::event_of(record, {filters_.topic(), partition.partition}, scratch_);
  const routing::Input input{&event, record.key, &record};
  wanting_.clear();
  if (cohort.cursors.size() <= few && filters_.size() > many) {
    for (Cursor* cursor : cohort.cursors) {
      if (!cursor->alone) cursor->alone.emplace(routing::Matcher::compile(std::array{cursor->filter.get()}));
      if (!cursor->alone->match(input).empty()) wanting_.push_back(cursor);
    }
  } else {
    for (const SubscriptionId id : filters_.match(input))
      if (Cursor* cursor = find(id); cursor != nullptr && cursor->cohort == &cohort) wanting_.push_back(cursor);
  }
  for (Cursor* cursor : wanting_) take(*cursor, record, touched);
}

void Lane::take(Cursor& cursor, const record::Record& record, std::vector<Cursor*>& touched) {
  if (cursor.matched.empty()) touched.push_back(&cursor);
  if (cursor.matched.size() >= std::min<std::size_t>(most_matched, cursor.at.credit))
    return stand_still(cursor, record.offset);
  cursor.matched.push_back({record.offset, cursor.at.by_key ? record::key_hash(record) : 0});
}

void Lane::move(Cohort& cohort, Offset to, Micros now) {
  auto moving = std::move(cohorts_.extract(cohort.at).mapped());
  moving->at = to;
  moving->again_at = Micros{0};
  moving->complained = false;
  if (!moving->untold_since) moving->untold_since = now;
  auto& there = cohorts_[to];
  if (!there) {
    there = std::move(moving);
    return;
  }
  if (there->cursors.size() < moving->cursors.size()) std::swap(there, moving);
  there->told = std::min(there->told, moving->told);
  if (moving->untold_since) there->untold_since = std::min(there->untold_since.value_or(now), *moving->untold_since);
  for (Cursor* cursor : moving->cursors) {
    cursor->cohort = there.get();
    cursor->place = there->cursors.size();
    there->cursors.push_back(cursor);
  }
}

// ---- telling --------------------------------------------------------------------------------------------------------

void Lane::tell_due(Micros now, std::vector<Cursor*>& due) {
  for (const auto& [at, cohort] : cohorts_) {
    if (!cohort->untold_since) continue;
    const std::size_t count = cohort->cursors.size();
    if (now - *cohort->untold_since < told_every(count) && at - cohort->told < told_after(count)) continue;
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
    if (cohort->untold_since) note(*cohort->untold_since + told_every(cohort->cursors.size()));
    if (cohort->complained) note(cohort->again_at);
  }
  return first;
}

}  // namespace continuo::delivery
