// One partition in memory, and subscriptions that read it: what is read how often, who gets what, who is told when.
#include "continuo/delivery/lane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/base/random.h"
#include "continuo/record/cloudevents.h"

namespace continuo::delivery {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr PartitionRef zero{TopicId{1}, PartitionId{0}};

class LaneTest : public testing::Test {
 protected:
  // A batch of events of these types.
  void append(const std::vector<std::string>& types) {
    record::BatchBuilder builder;
    for (const std::string& type : types) {
      record::Event event;
      event.id = "1";
      event.source = "/test";
      event.type = type;
      std::string body;
      record::encode_record_body(event, body);
      builder.add(body, 1'000);
    }
    batches_[end_] = std::make_shared<const std::string>(builder.finish(end_));
    end_ = end_ + std::ssize(types);
  }
  // The batch there, of records of one length, reads as far as its last one.
  void damage(Offset at) {
    std::string bytes = *batches_.at(at);
    const auto records = static_cast<std::size_t>(record::read_batch_header(bytes)->record_count);
    const std::size_t length = (bytes.size() - record::BatchLayout::records) / records;
    bytes[bytes.size() - length] = '\x7f';
    whole_[at] = std::exchange(batches_.at(at), std::make_shared<const std::string>(bytes));
  }
  void mend(Offset at) { batches_.at(at) = whole_.at(at); }

  Result<node::Batches> read(Offset from, std::uint64_t max_bytes) {
    if (from < first_ || from > end_) return fail(Code::offset_out_of_range, "not there");
    node::Batches read;
    read.next = from;
    auto at = batches_.upper_bound(from);
    if (at != batches_.begin()) --at;
    for (std::uint64_t bytes = 0; at != batches_.end() && bytes < max_bytes && from < end_; ++at) {
      ++batches_read_;
      bytes += at->second->size();
      read.batches.push_back(at->second);
      read.next = record::read_batch_header(*at->second)->next_offset();
    }
    return read;
  }

  Cursor& stand(std::uint32_t id, const std::string& type, std::int64_t at, std::uint32_t credit = 1'000) {
    const Filter filter{
        1, std::make_shared<const routing::Pattern>(*routing::Pattern::parse(R"({"type":[")" + type + R"("]})"))};
    wanted_[SubscriptionId{id}] = filter;
    for (const auto& [each, its] : wanted_) filters_.want(each, its);
    filters_.settle();
    node::FeedPosition position{SubscriptionId{id}, 1, zero, Offset{at}, credit};
    return lane_.put(position, filter.pattern, id);
  }
  // Looks until nothing moves.
  void look_all() {
    while (lane_.look(now_, touched_)) {
    }
  }
  static std::vector<std::int64_t> matched(const Cursor& cursor) {
    std::vector<std::int64_t> all;
    for (const auto& event : cursor.matched) all.push_back(event.offset.value);
    return all;
  }
  std::vector<std::uint32_t> told() {
    std::vector<Cursor*> due;
    lane_.tell_due(now_, due);
    std::vector<std::uint32_t> ids;
    for (Cursor* cursor : due) {
      ids.push_back(cursor->at.subscription.value);
      cursor->at.next = Lane::seen(*cursor);  // as the answer has it
    }
    return ids;
  }

  Offset first_{0}, end_{0};
  std::map<Offset, std::shared_ptr<const std::string>> batches_, whole_;
  std::size_t batches_read_ = 0;
  TopicFilters filters_{"t"};
  std::map<SubscriptionId, Filter> wanted_;
  Lane lane_{
      zero,
      {[this](Offset from, std::uint64_t bytes) { return read(from, bytes); },
       [this]() -> Result<node::PartitionState> { return node::PartitionState{PartitionId{0}, first_, end_, 1}; }},
      filters_};
  std::vector<Cursor*> touched_;
  Micros now_{1'000'000};
};

TEST_F(LaneTest, OneReadingIsForAllThatStandThere) {
  for (int i = 0; i < 50; ++i) append({"T" + std::to_string(i), "X"});
  std::vector<Cursor*> all;
  for (std::uint32_t i = 0; i < 100; ++i) all.push_back(&stand(i, "T" + std::to_string(i), 0));
  look_all();
  EXPECT_EQ(batches_read_, 50u);
  for (std::uint32_t i = 0; i < 100; ++i) {
    EXPECT_EQ(matched(*all[i]), i < 50 ? std::vector<std::int64_t>{2 * i} : std::vector<std::int64_t>{});
    EXPECT_EQ(Lane::seen(*all[i]), Offset{100});
  }
  EXPECT_THAT(touched_, SizeIs(50));
}

TEST_F(LaneTest, PlacesOnTheWayAreTakenAlong) {
  for (int i = 0; i < 40; ++i) append(std::vector<std::string>(25, "T"));
  std::vector<Cursor*> all;
  for (std::uint32_t i = 0; i < 200; ++i) all.push_back(&stand(i, i % 2 == 0 ? "T" : "N", 5 * i));
  look_all();
  EXPECT_LE(batches_read_, 45u) << "not once for each of the 200 places";
  for (std::uint32_t i = 0; i < 200; ++i) {
    std::vector<std::int64_t> expected;
    for (std::int64_t offset = 5 * i; i % 2 == 0 && offset < 1'000; ++offset) expected.push_back(offset);
    EXPECT_EQ(matched(*all[i]), expected) << "from its own place on";
  }
}

TEST_F(LaneTest, WhoIsCloseBehindIsWaitedForAndWhoIsFarIsNot) {
  for (int i = 0; i < 60; ++i) append(std::vector<std::string>(1'000, "N"));
  const Cursor& close = stand(1, "A", 39'000);
  const Cursor& front = stand(2, "A", 41'000);
  const Cursor& far = stand(3, "A", 0);
  ASSERT_TRUE(lane_.look(now_, touched_));
  EXPECT_GT(Lane::seen(far), Offset{0});
  EXPECT_GT(Lane::seen(close), Offset{39'000}) << "far behind it is another one, and that is its own affair";
  EXPECT_TRUE(Lane::seen(front) == Offset{41'000} || front.cohort == close.cohort);
  look_all();
  EXPECT_EQ(front.cohort, close.cohort);
  EXPECT_EQ(front.cohort, far.cohort) << "all have met";
  EXPECT_EQ(Lane::seen(far), Offset{60'000});
}

TEST_F(LaneTest, WithoutCreditItStandsStillBeforeTheFirstThatDoesNotFit) {
  append({"A", "N", "A", "N", "A", "A"});
  Cursor& slow = stand(1, "A", 0, 2);
  const Cursor& other = stand(2, "N", 0);
  look_all();
  EXPECT_THAT(matched(slow), ElementsAre(0, 2));
  EXPECT_EQ(slow.cohort, nullptr);
  EXPECT_EQ(Lane::seen(slow), Offset{4});
  EXPECT_THAT(matched(other), ElementsAre(1, 3)) << "nobody waits for it";
  slow.matched.clear();
  slow.at.next = Offset{4};
  slow.at.credit = 5;
  lane_.join(slow);
  look_all();
  EXPECT_THAT(matched(slow), ElementsAre(4, 5));
  EXPECT_EQ(slow.cohort, other.cohort);
}

TEST_F(LaneTest, WithoutCreditItGoesOnWhileNothingMatches) {
  append({"N", "N", "N"});
  const Cursor& none = stand(1, "A", 0, 0);
  look_all();
  EXPECT_EQ(Lane::seen(none), Offset{3});
  append({"N", "A"});
  look_all();
  EXPECT_EQ(none.cohort, nullptr);
  EXPECT_EQ(Lane::seen(none), Offset{4});
}

TEST_F(LaneTest, WhatTheEngineDoesNotTakeIsLookedAtAgain) {
  append({"A", "A", "A", "N"});
  Cursor& cursor = stand(1, "A", 0, 10);
  look_all();
  cursor.at.credit = 1;
  lane_.keep_within_credit(cursor);
  EXPECT_THAT(matched(cursor), ElementsAre(0));
  EXPECT_EQ(cursor.cohort, nullptr);
  EXPECT_EQ(Lane::seen(cursor), Offset{1});
}

TEST_F(LaneTest, TheEngineHearsOfPlacesNowAndThen) {
  append({"N"});
  stand(1, "A", 0);
  stand(2, "A", 0).busy = true;
  look_all();
  EXPECT_THAT(told(), IsEmpty()) << "not at once";
  EXPECT_TRUE(lane_.look_again());
  now_ += Millis{1'100};
  EXPECT_THAT(told(), ElementsAre(1));
  lane_.find(SubscriptionId{2})->busy = false;
  now_ += Millis{1'100};
  EXPECT_THAT(told(), ElementsAre(2)) << "once its offer is answered";
  now_ += Millis{1'100};
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_FALSE(lane_.look_again()) << "all was told";
}

TEST_F(LaneTest, TheEngineHearsSoonerOfPlacesFarOn) {
  for (int i = 0; i < 70; ++i) append(std::vector<std::string>(1'000, "N"));
  stand(1, "A", 0);
  look_all();
  EXPECT_THAT(told(), ElementsAre(1));
}

TEST_F(LaneTest, TrimmedRecordsArePassedOver) {
  append({"A", "A"});
  append({"A", "A"});
  const Cursor& cursor = stand(1, "A", 0);
  first_ = Offset{2};
  look_all();
  EXPECT_THAT(matched(cursor), ElementsAre(2, 3));
}

TEST_F(LaneTest, BeforeDamageItStandsAndGoesOnWhenItIsMended) {
  append({"A", "N"});
  append({"A", "A", "A"});
  append({"A"});
  const Cursor& cursor = stand(1, "A", 0);
  const Cursor& inside = stand(2, "A", 3);
  damage(Offset{2});
  testing::internal::CaptureStderr();
  look_all();
  EXPECT_NE(testing::internal::GetCapturedStderr().find("cannot read on"), std::string::npos);
  EXPECT_THAT(matched(cursor), ElementsAre(0)) << "nothing of the damaged batch";
  EXPECT_THAT(matched(inside), IsEmpty());
  EXPECT_EQ(Lane::seen(inside), Offset{3}) << "it does not go back";
  ASSERT_TRUE(lane_.look_again());
  EXPECT_FALSE(lane_.look(now_, touched_)) << "not again and again";
  mend(Offset{2});
  now_ += Millis{1'100};
  look_all();
  EXPECT_THAT(matched(cursor), ElementsAre(0, 2, 3, 4, 5));
  EXPECT_THAT(matched(inside), ElementsAre(3, 4, 5)) << "each once";
}

TEST_F(LaneTest, TheGoneAreForgotten) {
  append({"A"});
  stand(1, "A", 0);
  stand(2, "A", 0);
  lane_.remove(*lane_.find(SubscriptionId{1}));
  EXPECT_EQ(lane_.find(SubscriptionId{1}), nullptr);
  look_all();
  EXPECT_THAT(touched_, ElementsAre(lane_.find(SubscriptionId{2})));
  lane_.remove(*lane_.find(SubscriptionId{2}));
  EXPECT_TRUE(lane_.empty());
  EXPECT_FALSE(lane_.look(now_, touched_));
}

}  // namespace
}  // namespace continuo::delivery
