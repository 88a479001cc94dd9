#include "continuo/record/edited_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/record/batch.h"
#include "continuo/record/cloudevents.h"

namespace continuo::record {
namespace {

using testing::HasSubstr;

constexpr std::string_view original =
    R"({"specversion":"1.0","id":"1","source":"/s","type":"paid","subject":"ann","time":"2020-01-01T00:00:00Z",)"
    R"("correlationid":"c7","datacontenttype":"application/json","data":{"amount":"12 EUR"}})";

TEST(EditedEvent, KeepsWhenItHappenedAndWhatItBelongsTo) {
  const auto made = edit_event(
      original, R"({"specversion":"1.0","id":"1","source":"/s","type":"paid","subject":"ann","data":{"amount":12}})");
  ASSERT_TRUE(made) << made.error().detail;
  BatchBuilder builder;
  builder.add(made->body, 0);
  const std::string batch = builder.finish(Offset{0});
  RecordWalk walk{batch};
  const auto record = walk.next();
  ASSERT_TRUE(record);
  std::string scratch;
  const Event event = event_of(*record, {}, scratch);
  EXPECT_EQ(event.time, "2020-01-01T00:00:00Z");
  EXPECT_EQ(event.extension("correlationid"), "c7");
  EXPECT_THAT(made->difference, HasSubstr(R"("path":"/data/amount")"));
  EXPECT_EQ(made->difference.find("/time"), std::string::npos) << "what is completed is no difference";
}

TEST(EditedEvent, MustBeAnEventUnderTheSameKey) {
  EXPECT_EQ(edit_event(original, R"({"specversion":"1.0","id":"1","type":"paid","subject":"ann"})").error().at,
            "event.source");
  EXPECT_EQ(
      edit_event(original, R"({"specversion":"1.0","id":"2","source":"/s","type":"paid","subject":"ann"})").error().at,
      "event.id");
  const auto other =
      edit_event(original, R"({"specversion":"1.0","id":"1","source":"/s","type":"paid","subject":"bob"})");
  EXPECT_EQ(other.error().code, Code::bad_event);
  EXPECT_EQ(other.error().at, "event.partitionkey");
  EXPECT_EQ(edit_event(original, "{").error().code, Code::bad_json);
}

}  // namespace
}  // namespace continuo::record
