#include "continuo/delivery/event_times.h"

#include <gtest/gtest.h>

#include "continuo/record/cloudevents.h"

namespace continuo::delivery {
namespace {

constexpr std::int64_t published = 1'000'000;

engines::Offer::Event times_of(const std::vector<record::Extension>& extensions, const TimesWanted& wanted) {
  record::Event event;
  event.id = "1";
  event.source = "/s";
  event.type = "T";
  event.extensions = extensions;
  std::string body;
  record::encode_record_body(event, body);
  record::BatchBuilder builder;
  builder.add(body, published);
  const std::string batch = builder.finish(Offset{7});
  record::RecordWalk walk{batch};
  const auto record = walk.next();
  engines::Offer::Event made{record->offset};
  add_times(*record, wanted, made);
  return made;
}

TEST(EventTimes, AreReadOfTheExtensions) {
  const TimesWanted queue{true, {}};
  const auto event =
      times_of({{"notbefore", "1970-01-01T00:00:05Z"}, {"expiretime", "1970-01-01T01:00:09+01:00"}}, queue);
  EXPECT_EQ(event.not_before, WallTime{5'000});
  EXPECT_EQ(event.expires, WallTime{9'000});
  EXPECT_EQ(times_of({{"expirytime", "1970-01-01T00:00:02Z"}}, queue).expires, WallTime{2'000});
  EXPECT_EQ(times_of({}, queue).not_before, WallTime{});
}

TEST(EventTimes, WhatIsNoTimeCountsAsNotSaid) {
  const auto event = times_of({{"notbefore", "tomorrow"}, {"expiretime", ""}}, {true, {}});
  EXPECT_EQ(event.not_before, WallTime{});
  EXPECT_EQ(event.expires, WallTime{});
}

TEST(EventTimes, OfDeadLettersAreThoseOfTheirLifeBefore) {
  const auto letter = times_of({{"notbefore", "1970-01-01T00:00:05Z"},
                                {"expiretime", "1970-01-01T00:00:09Z"},
                                {"deadtime", "1970-01-01T00:00:07Z"}},
                               {true, {}});
  EXPECT_EQ(letter.not_before, WallTime{});
  EXPECT_EQ(letter.expires, WallTime{});
}

TEST(EventTimes, WhatIsOverFirstCounts) {
  const TimesWanted wanted{true, Millis{2'000}};
  EXPECT_EQ(times_of({}, wanted).expires, WallTime{published + 2'000});
  EXPECT_EQ(times_of({{"expiretime", "1970-01-01T00:16:41Z"}}, wanted).expires, WallTime{published + 1'000});
  EXPECT_EQ(times_of({{"expiretime", "2030-01-01T00:00:00Z"}}, wanted).expires, WallTime{published + 2'000});
}

TEST(EventTimes, OnlyQueuesAndThoseThatLetEventsExpireLook) {
  engines::SubscriptionSettings settings;
  EXPECT_FALSE(times_wanted(settings).any);
  EXPECT_EQ(times_of({{"notbefore", "1970-01-01T00:00:05Z"}}, times_wanted(settings)).not_before, WallTime{});
  settings.ttl = Millis{5};
  EXPECT_TRUE(times_wanted(settings).any);
  settings = {};
  settings.queue = true;
  EXPECT_TRUE(times_wanted(settings).any);
}

}  // namespace
}  // namespace continuo::delivery
