// Idempotent producers: what is taken, what is known, what is refused, and that a restart forgets nothing.
#include "continuo/engines/producers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <deque>

#include "continuo/engines/recorded_test.h"

namespace continuo::engines {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr PartitionRef zero{TopicId{1}, PartitionId{0}}, one{TopicId{1}, PartitionId{1}}, other{TopicId{2}, {}};
constexpr std::uint32_t last_number = 0x7fff'ffff;

struct Machine {
  Ledger ledger;
  ProducersEngine engine{ledger, {.producers = 5, .forgotten_after = Millis{1'000}}};
  Result<void> apply(const Effect& effect, Elapsed now) {
    return engine.replay(effect.type, effect.version, effect.payload, now);
  }
  Result<void> restore(std::string_view key, std::string_view bytes, Sequence stamp) {
    return engine.restore(key, bytes, stamp);
  }
};

class ProducersTest : public testing::Test {
 protected:
  ProducersEngine& engine() { return recorded_.live().engine; }
  // What became of a batch: its offset, that it was there already, or a refusal.
  Result<std::optional<Offset>> send(NumberedBatch batch, Elapsed now = Elapsed{0}) {
    auto decided = engine().decide(batch);
    if (!decided || *decided) return decided;
    const BatchProduced produced{batch.partition,     batch.producer, batch.epoch, batch.first_sequence,
                                 batch.last_sequence, Offset{next_},  WallTime{7}};
    next_ += sequence_after(batch.last_sequence, last_number + 2 - batch.first_sequence);
    recorded_.commit({encode(produced)}, now);
    return decided;
  }
  Result<std::optional<Offset>> send(std::uint32_t first, std::uint32_t last, std::uint32_t epoch = 0) {
    return send({zero, ProducerId{4}, epoch, first, last});
  }
  static testing::AssertionResult appended(const Result<std::optional<Offset>>& sent) {
    return sent && !*sent ? testing::AssertionSuccess() : testing::AssertionFailure() << "known or refused";
  }
  static Code refusal(const Result<std::optional<Offset>>& sent) { return sent ? Code::breach : sent.error().code; }

  Recorded<Machine> recorded_;
  std::int64_t next_ = 0;
};

TEST_F(ProducersTest, BatchesFollowEachOther) {
  EXPECT_TRUE(appended(send(0, 9)));
  EXPECT_TRUE(appended(send(10, 10)));
  EXPECT_EQ(refusal(send(12, 13)), Code::out_of_order);
  EXPECT_TRUE(appended(send(11, 20)));
}

TEST_F(ProducersTest, ABatchSentAgainIsKnownByItsFirstPlace) {
  for (std::uint32_t number = 0; number < 6; ++number) EXPECT_TRUE(appended(send(number, number)));
  for (std::uint32_t number = 1; number < 6; ++number) EXPECT_EQ(**send(number, number), Offset{number});
  EXPECT_EQ(refusal(send(0, 0)), Code::out_of_order) << "more than five batches ago";
  EXPECT_EQ(refusal(send(4, 5)), Code::out_of_order) << "not the batches that were sent";
}

TEST_F(ProducersTest, ARestartForgetsNothing) {
  EXPECT_TRUE(appended(send(0, 4)));
  recorded_.checkpoint(~std::size_t{0});
  EXPECT_TRUE(appended(send(5, 6)));
  recorded_.restart();
  EXPECT_EQ(**send(0, 4), Offset{0});
  EXPECT_EQ(**send(5, 6), Offset{5});
  EXPECT_TRUE(appended(send(7, 7)));
}

TEST_F(ProducersTest, ANewEpochBeginsAtZeroAndFencesTheOld) {
  EXPECT_TRUE(appended(send(0, 4)));
  EXPECT_EQ(refusal(send(5, 5, 1)), Code::out_of_order);
  EXPECT_TRUE(appended(send(0, 0, 1)));
  EXPECT_EQ(refusal(send(5, 5, 0)), Code::fenced);
  EXPECT_EQ(refusal(send(0, 4, 0)), Code::fenced);
}

TEST_F(ProducersTest, OfAnUnknownProducerAnyNumberIsTaken) {
  EXPECT_TRUE(appended(send(17, 20)));
  EXPECT_TRUE(appended(send(21, 21)));
}

TEST_F(ProducersTest, NumbersGoOnAtZeroAfterTheLast) {
  EXPECT_TRUE(appended(send(last_number - 1, 1)));
  EXPECT_TRUE(appended(send(2, 2)));
  EXPECT_TRUE((*send(last_number - 1, 1)).has_value());
}

TEST_F(ProducersTest, PartitionsAndProducersAreApart) {
  EXPECT_TRUE(appended(send({zero, ProducerId{4}, 0, 0, 0})));
  EXPECT_TRUE(appended(send({one, ProducerId{4}, 0, 0, 0})));
  EXPECT_TRUE(appended(send({zero, ProducerId{5}, 0, 0, 0})));
  EXPECT_THAT(engine().of(zero), SizeIs(2));
}

TEST_F(ProducersTest, ThoseHeardOfLongAgoAreForgotten) {
  EXPECT_TRUE(appended(send({zero, ProducerId{1}, 0, 0, 0}, Elapsed{0})));
  EXPECT_TRUE(appended(send({zero, ProducerId{2}, 0, 0, 0}, Elapsed{10})));
  EXPECT_TRUE(appended(send({zero, ProducerId{1}, 0, 1, 1}, Elapsed{20})));
  EXPECT_EQ(engine().next_due(), Elapsed{1'010});
  EXPECT_THAT(engine().decide_expired(Elapsed{1'009}, 10), IsEmpty());
  const auto gone = engine().decide_expired(Elapsed{1'010}, 10);
  ASSERT_THAT(gone, SizeIs(1));
  EXPECT_EQ(gone[0].producer, ProducerId{2});
  recorded_.commit({encode(gone[0])}, Elapsed{1'010});
  recorded_.restart();
  engine().recovered();
  EXPECT_EQ(engine().size(), 1u);
  EXPECT_EQ(engine().next_due(), Elapsed{1'020});
}

TEST_F(ProducersTest, BeyondTheLimitTheOneHeardOfLongestAgoIsForgotten) {
  for (std::int64_t id = 0; id < 7; ++id) EXPECT_TRUE(appended(send({zero, ProducerId{id}, 0, 0, 0}, Elapsed{id})));
  const auto gone = engine().decide_expired(Elapsed{7}, 10);
  ASSERT_THAT(gone, SizeIs(2));
  EXPECT_EQ(gone[1].producer, ProducerId{1});
}

TEST_F(ProducersTest, GoWithTheirTopic) {
  EXPECT_TRUE(appended(send({zero, ProducerId{1}, 0, 0, 0})));
  EXPECT_TRUE(appended(send({one, ProducerId{1}, 0, 0, 0})));
  EXPECT_TRUE(appended(send({other, ProducerId{1}, 0, 0, 0})));
  engine().topic_removed(TopicId{1});
  EXPECT_EQ(engine().size(), 1u);
  EXPECT_THAT(engine().of(other), SizeIs(1));
}

TEST_F(ProducersTest, IdsAreGivenOnce) {
  EXPECT_EQ(engine().next(), ProducerId{0});
  recorded_.commit({encode(engine().decide_number())}, Elapsed{0});
  EXPECT_EQ(engine().next(), ProducerId{1});
  recorded_.checkpoint(~std::size_t{0});
  recorded_.commit({encode(engine().decide_number())}, Elapsed{0});
  recorded_.restart();
  EXPECT_EQ(engine().next(), ProducerId{2});
}

// A producer that sends, loses answers, sends again what it may, and a broker that is restarted at any time: each batch
// is appended once, in order.
RC_GTEST_PROP(Producers, AppendEachBatchOnceInOrder, ()) {
  Recorded<Machine> recorded;
  std::vector<std::uint32_t> log;        // first numbers, as appended
  std::deque<std::uint32_t> unanswered;  // may have been appended or not
  std::uint32_t next = 0;
  const auto send = [&](std::uint32_t number) {
    const NumberedBatch batch{zero, ProducerId{9}, 0, number, number};
    const auto decided = recorded.live().engine.decide(batch);
    if (!decided) return false;
    if (*decided) RC_ASSERT(log[static_cast<std::size_t>((*decided)->value)] == number);
    if (*decided) return true;
    recorded.commit({encode(BatchProduced{zero, ProducerId{9}, 0, number, number,
                                          Offset{static_cast<std::int64_t>(log.size())}, WallTime{0}})},
                    Elapsed{0});
    log.push_back(number);
    return true;
  };
  send(next++);  // from here on it is known
  for (int step = 0; step < 200; ++step) switch (*rc::gen::inRange(0, 6)) {
      case 0:
      case 1:  // a new one, whose answer may be lost, or which is itself lost
        if (unanswered.size() == ProducerUnit::most_batches) break;
        unanswered.push_back(next++);
        if (*rc::gen::arbitrary<bool>()) send(unanswered.back());
        break;
      case 2:  // again, from the oldest on
        for (const std::uint32_t number : unanswered) RC_ASSERT(send(number));
        unanswered.clear();
        break;
      case 3:  // again, one in the middle of the order
        if (!unanswered.empty()) send(unanswered[*rc::gen::inRange<std::size_t>(0, unanswered.size())]);
        break;
      case 4: recorded.checkpoint(*rc::gen::inRange<std::size_t>(1, 100)); break;
      default: recorded.restart();
    }
  for (std::size_t i = 0; i < log.size(); ++i) RC_ASSERT(log[i] == i);
  RC_ASSERT(recorded.content() == recorded.replayed_content());
}

}  // namespace
}  // namespace continuo::engines
