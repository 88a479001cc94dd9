#include "continuo/cli/demo/webhooks.h"

#include <gtest/gtest.h>

#include <fstream>

namespace continuo::cli {
namespace {

Result<std::vector<client::Event>> read(const std::string& text) {
  const std::string path = testing::TempDir() + "webhooks_test.json";
  std::ofstream(path) << text;
  return read_webhooks(path);
}

TEST(Webhooks, become_events) {
  auto events = read(R"([{"name":"issues","actions":["opened"],"examples":[
    {"action":"opened","n":1.50,"repository":{"full_name":"a/b"}},
    {"organization":{"login":"org"}}]},{"name":"ping","examples":[{"zen":1}]}])");
  ASSERT_TRUE(events) << to_string(events.error());
  ASSERT_EQ(events->size(), 3u);
  const client::Event& first = events->at(0);
  EXPECT_EQ(first.id, "issues.1");
  EXPECT_EQ(first.type, "com.github.issues.opened");
  EXPECT_EQ(first.key(), "a/b");
  EXPECT_EQ(first.data, R"({"action":"opened","n":1.50,"repository":{"full_name":"a/b"}})");
  EXPECT_EQ(events->at(1).type, "com.github.issues");
  EXPECT_EQ(events->at(1).key(), "org");
  EXPECT_EQ(events->at(2).key(), "github");
}

TEST(Webhooks, that_are_none_are_refused) {
  for (const char* text : {"{}", "[1]", R"([{"name":"x"}])", R"([{"name":"x","examples":[1]}])", ""})
    EXPECT_FALSE(read(text)) << text;
  EXPECT_EQ(read_webhooks("/nonexistent").error().code, Code::io_error);
}

}  // namespace
}  // namespace continuo::cli
