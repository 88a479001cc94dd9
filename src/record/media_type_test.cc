#include "continuo/record/media_type.h"

#include <gtest/gtest.h>

namespace continuo::record {
namespace {

TEST(MediaType, JsonByAnyOfItsNames) {
  for (const std::string_view type :
       {"application/json", "text/json", "Application/JSON", "application/json; charset=utf-8",
        "application/vnd.acme.order+json", "application/cloudevents+JSON ; x=y", " application/json"})
    EXPECT_TRUE(is_json_type(type)) << type;
}

TEST(MediaType, NotJson) {
  for (const std::string_view type : {"", "json", "text/plain", "application/jsonl", "application/json-seq",
                                      "text/plain;a=+json", "application/xml", ";", " "})
    EXPECT_FALSE(is_json_type(type)) << type;
}

TEST(MediaType, Text) {
  for (const std::string_view type : {"text/plain", "text/csv; header=present", "TEXT/html", "application/xml",
                                      "image/svg+xml", "application/x-www-form-urlencoded"})
    EXPECT_TRUE(is_text_type(type)) << type;
  for (const std::string_view type : {"", "application/octet-stream", "image/png", "application/protobuf", "textual"})
    EXPECT_FALSE(is_text_type(type)) << type;
}

TEST(MediaType, ParametersAndBlanksAreCutOff) {
  EXPECT_EQ(without_parameters("text/plain ; charset=utf-8"), "text/plain");
  EXPECT_EQ(without_parameters("\ttext/plain "), "text/plain");
  EXPECT_EQ(without_parameters("  "), "");
}

}  // namespace
}  // namespace continuo::record
