#include "continuo/base/time.h"

#include <gtest/gtest.h>

namespace continuo {
namespace {

TEST(Duration, ReadsAndWritesEveryUnit) {
  for (const char* text : {"0ms", "250ms", "30s", "15m", "12h", "7d"})
    EXPECT_EQ(format_duration(*parse_duration(text)), text);
  EXPECT_EQ(parse_duration("90s")->count(), 90'000);
}

TEST(Duration, RefusesWhatIsNone) {
  for (const char* text : {"", "5", "s", "-1s", "1.5s", "1 s", "1w", "99999999999999999999s", "40000000d"})
    EXPECT_EQ(parse_duration(text).error().code, Code::bad_setting) << text;
}

TEST(Time, ReadsOffsetsAndFractions) {
  EXPECT_EQ(parse_time("1970-01-01T00:00:00Z")->ms, 0);
  EXPECT_EQ(parse_time("1970-01-01T01:00:00.5+01:00")->ms, 500);
  EXPECT_EQ(parse_time("2026-11-21T08:30:00.1239Z")->ms, 1795249800123);
  EXPECT_EQ(format_time({1795249800123}), "2026-11-21T08:30:00.123Z");
  EXPECT_EQ(format_time({-1}), "1969-12-31T23:59:59.999Z");
}

TEST(Time, RefusesWhatIsNone) {
  for (const char* text :
       {"", "2026-11-21", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-21T08:30:00",
        "2026-11-21T08:30:00.Z", "2026-11-21T24:00:00Z", "2026-11-21T08:30:00+1:00", "2026-11-21T08:30:00Z "})
    EXPECT_FALSE(parse_time(text)) << text;
}

TEST(Size, ReadsUnits) {
  EXPECT_EQ(*parse_size("65536"), 65536u);
  EXPECT_EQ(*parse_size("64KiB"), 65536u);
  EXPECT_EQ(*parse_size("1GB"), 1'000'000'000u);
  EXPECT_FALSE(parse_size("1XB"));
  EXPECT_FALSE(parse_size("99999999TiB"));
  EXPECT_EQ(format_size(65536), "64KiB");
  EXPECT_EQ(format_size(1536), "1.5KiB");
}

}  // namespace
}  // namespace continuo
