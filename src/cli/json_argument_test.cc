#include "continuo/cli/json_argument.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace continuo::cli {
namespace {

TEST(JsonArgument, is_taken_as_it_was_written) {
  EXPECT_EQ(json_argument(R"({"amount": 1.50})", "--filter"), R"({"amount": 1.50})");
  EXPECT_EQ(json_argument(R"([{"value": 1.50}])", "--repairs", JsonKind::array), R"([{"value": 1.50}])");
}

TEST(JsonArgument, may_stand_in_a_file) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("continuo-json-argument-" + std::to_string(getpid()));
  std::ofstream(path) << "[1]\n";
  EXPECT_EQ(json_argument(path, "--repairs", JsonKind::array), "[1]\n");
  EXPECT_EQ(json_argument("@" + path.string(), "--repairs", JsonKind::array), "[1]\n");
  EXPECT_EQ(json_argument(path, "--filter").error().code, Code::bad_usage) << "an array is no object";
  std::filesystem::remove(path);
}

TEST(JsonArgument, of_another_kind_is_refused_with_its_option) {
  for (const char* given : {"{", "[1]", "nowhere", ""}) {
    const auto refused = json_argument(given, "--filter");
    ASSERT_FALSE(refused) << given;
    EXPECT_EQ(refused.error().at, "--filter");
  }
  EXPECT_NE(json_argument("{}", "--repairs", JsonKind::array).error().hint.find("JSON array"), std::string::npos);
}

}  // namespace
}  // namespace continuo::cli
