#include "continuo/record/event.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

namespace continuo::record {
namespace {

Event minimal() { return {.id = "1", .source = "/shop", .type = "OrderPaid"}; }

// What the error names, or "" when the event is valid.
std::string fault(const Event& event, const EventLimits& limits = {}) {
  const auto ok = validate(event, limits);
  if (ok) return "";
  EXPECT_EQ(ok.error().code, Code::bad_event);
  return ok.error().at;
}

std::string fault_of_subject(std::string_view subject) {
  Event event = minimal();
  event.subject = subject;
  return fault(event);
}

std::string fault_of_extension(std::string_view name) {
  Event event = minimal();
  event.extensions = {{.name = name, .value = "x"}};
  return fault(event);
}

TEST(Event, TheKeyIsPartitionkeyElseSubject) {
  Event event = minimal();
  EXPECT_EQ(event.key(), "");
  event.subject = "order-7";
  EXPECT_EQ(event.key(), "order-7");
  event.extensions = {{.name = "other", .value = "x"}, {.name = "partitionkey", .value = "c42"}};
  EXPECT_EQ(event.key(), "c42");
  EXPECT_EQ(event.extension("other"), "x");
  EXPECT_EQ(event.extension("none"), "");
}

TEST(EventValidate, AsksForIdSourceAndType) {
  EXPECT_EQ(fault(minimal()), "");
  EXPECT_EQ(fault({.source = "/shop", .type = "t"}), "id");
  EXPECT_EQ(fault({.id = "1", .type = "t"}), "source");
  EXPECT_EQ(fault({.id = "1", .source = "/shop"}), "type");
}

TEST(EventValidate, TimeIsRfc3339) {
  Event event = minimal();
  event.time = "2026-11-21T08:30:00.5+01:00";
  EXPECT_EQ(fault(event), "");
  event.time = "yesterday";
  EXPECT_EQ(fault(event), "time");
}

TEST(EventValidate, TextIsUtf8WithoutControlCharacters) {
  EXPECT_EQ(fault_of_subject("größe 12 → 13 \U0001F600"), "");
  for (const std::string_view subject :
       {"a\nb", "12345678\x1f", "\x7f", "\u0085", "\xff", "\xc3", "\xed\xa0\x80", "\ufffe", "\ufdd0", "a\U0001fffe"})
    EXPECT_EQ(fault_of_subject(subject), "subject") << subject;
  EXPECT_EQ(fault_of_subject(std::string_view{"a\0b", 3}), "subject");
}

TEST(EventValidate, EveryControlCharacterIsFoundWhereverItStands) {
  EXPECT_TRUE(rc::check([] {
    const auto before = *rc::gen::container<std::string>(rc::gen::inRange('a', 'z'));
    const auto after = *rc::gen::container<std::string>(rc::gen::inRange('A', 'Z'));
    const auto control = *rc::gen::oneOf(rc::gen::inRange<char>(0, 0x20), rc::gen::just<char>(0x7f));
    RC_ASSERT(fault_of_subject(before + control + after) == "subject");
  }));
}

TEST(EventValidate, NamesOfExtensions) {
  for (const std::string_view name : {"a", "traceparent", "0123456789abcdefghij"})
    EXPECT_EQ(fault_of_extension(name), "");
  for (const std::string_view name : {"Upper", "with_underscore", "with-dash", "0123456789abcdefghijk", "é"})
    EXPECT_EQ(fault_of_extension(name), name);
  EXPECT_FALSE(validate(Event{.id = "1", .source = "/", .type = "t", .extensions = {{.name = "", .value = "x"}}}));
}

TEST(EventValidate, AnExtensionTakesNoNameThatIsTaken) {
  for (const std::string_view name :
       {"data", "id", "source", "type", "subject", "time", "specversion", "datacontenttype", "dataschema"})
    EXPECT_EQ(fault_of_extension(name), name);
}

TEST(EventValidate, NoExtensionTwice) {
  Event event = minimal();
  event.extensions = {{.name = "a", .value = "1"}, {.name = "b", .value = "2"}, {.name = "a", .value = "1"}};
  EXPECT_EQ(fault(event), "a");
}

TEST(EventValidate, Limits) {
  Event event = minimal();
  event.subject = "12345";
  EXPECT_EQ(fault(event, {.attribute_bytes = 9}), "");
  event.type = "0123456789";
  EXPECT_EQ(fault(event, {.attribute_bytes = 9}), "type");
  event.extensions = {{.name = "a", .value = "1"}, {.name = "b", .value = "2"}};
  EXPECT_EQ(fault(event, {.extensions = 1}), "b");
}

}  // namespace
}  // namespace continuo::record
