#include <gtest/gtest.h>

#include <functional>

#include "continuo/record/cloudevents.h"

namespace continuo::record {
namespace {

Event sample() {
  Event event{.id = "e-1",
              .source = "/shop",
              .type = "OrderPaid",
              .subject = "c42",
              .data = R"({"amount":7})",
              .data_kind = DataKind::json};
  event.extensions = {{"b", "2"}, {"a", "1"}};
  return event;
}

Fingerprint changed(const std::function<void(Event&)>& change) {
  Event event = sample();
  change(event);
  return fingerprint(event, 42);
}

// Fingerprints are stored. These values come from xxhash's Python binding: identity = XXH3-128 of the XXH3-128s of
// source and id; content = XXH3-64 of type, subject, time, datacontenttype, dataschema, (name, value) of a and b,
// "data", data, each with the hash before it as the seed.
TEST(Fingerprint, Golden) {
  const Fingerprint print = fingerprint(sample(), 42);
  EXPECT_EQ(print.identity.low, 0xf9386e575c34af5du);
  EXPECT_EQ(print.identity.high, 0x65eac2b4a20ff469u);
  EXPECT_EQ(print.content, 0xc8ac99bcc0b4209eu);
}

TEST(Fingerprint, IdentityIsSourceAndIdOnly) {
  const Fingerprint print = fingerprint(sample(), 42);
  EXPECT_EQ(changed([](Event& e) {
              e.type = "x";
              e.data = "1";
            }).identity,
            print.identity);
  EXPECT_NE(changed([](Event& e) { e.id = "e-2"; }).identity, print.identity);
  EXPECT_NE(changed([](Event& e) { e.source = "/shop2"; }).identity, print.identity);
  EXPECT_NE(changed([](Event& e) { std::swap(e.id, e.source); }).identity, print.identity);
  EXPECT_NE(fingerprint(sample(), 43).identity, print.identity);
}

TEST(Fingerprint, ContentIsEverythingElse) {
  const Fingerprint print = fingerprint(sample(), 42);
  EXPECT_EQ(changed([](Event& e) { e.id = "e-2"; }).content, print.content);
  for (const auto& change : std::initializer_list<std::function<void(Event&)>>{
           [](Event& e) { e.type = "x"; }, [](Event& e) { e.subject = {}; },
           [](Event& e) { std::swap(e.subject, e.dataschema); }, [](Event& e) { e.time = "2026-11-21T08:30:00Z"; },
           [](Event& e) { e.datacontenttype = "text/plain"; }, [](Event& e) { e.data = R"({"amount":8})"; },
           [](Event& e) { e.extensions.pop_back(); }, [](Event& e) { e.extensions[0].value = "3"; },
           [](Event& e) { e.extensions = {{"a", "12"}, {"b", ""}}; }})
    EXPECT_NE(changed(change).content, print.content);
}

TEST(Fingerprint, TheOrderOfExtensionsDoesNotCount) {
  EXPECT_EQ(changed([](Event& e) { std::swap(e.extensions[0], e.extensions[1]); }).content,
            fingerprint(sample(), 42).content);
}

TEST(Fingerprint, NoDataIsNotEmptyData) {
  const auto none = changed([](Event& e) {
    e.data = {};
    e.data_kind = DataKind::none;
  });
  const auto empty = changed([](Event& e) {
    e.data = {};
    e.data_kind = DataKind::text;
  });
  EXPECT_NE(none.content, empty.content);
}

}  // namespace
}  // namespace continuo::record
