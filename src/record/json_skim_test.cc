#include "continuo/record/json_skim.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace continuo::record {
namespace {

// The same, one byte at a time.
std::size_t slow_container_end(std::string_view json, std::size_t at, std::size_t open) {
  bool in_string = false;
  for (; at < json.size(); ++at) {
    if (in_string && json[at] == '\\') {
      ++at;
    } else if (json[at] == '"') {
      in_string = !in_string;
    } else if (!in_string && (json[at] == '{' || json[at] == '[')) {
      ++open;
    } else if (!in_string && (json[at] == '}' || json[at] == ']') && --open == 0) {
      return at + 1;
    }
  }
  return no_end;
}

TEST(JsonSkim, FindsTheEndOfContainersInAnyText) {
  std::mt19937 random{7};
  const std::string_view letters = "{}[]\"\\,: aé";
  for (int round = 0; round < 20'000; ++round) {
    std::string json(random() % 300, ' ');
    const unsigned dense = 1 + random() % 60;  // of what means something
    for (char& each : json) each = random() % 60 < dense ? letters[random() % 6] : letters[random() % letters.size()];
    const std::size_t from = json.empty() ? 0 : random() % json.size(), open = 1 + random() % 3;
    // Backslashes outside strings are no JSON: there the two may differ.
    std::string inside;
    bool in_string = false, escaped = false;
    for (std::size_t i = from; i < json.size(); ++i) {
      if (!in_string && json[i] == '\\') json[i] = ' ';
      if (in_string && !escaped && json[i] == '\\') {
        escaped = true;
        continue;
      }
      if (json[i] == '"' && !escaped) in_string = !in_string;
      escaped = false;
    }
    EXPECT_EQ(container_end(json, from, open), slow_container_end(json, from, open)) << json << " from " << from;
  }
}

TEST(JsonSkim, FindsTheEndOfStrings) {
  for (std::size_t size = 0; size < 40; ++size) {
    bool escaped = false;
    const std::string plain = std::string(size, 'x') + "\" ";
    EXPECT_EQ(string_end(plain, 0, escaped), size);
    EXPECT_FALSE(escaped);
    const std::string quoted = std::string(size, 'x') + "\\\"\\\\\" ";
    EXPECT_EQ(string_end(quoted, 0, escaped), size + 4);
    EXPECT_TRUE(escaped);
    EXPECT_EQ(string_end(std::string(size, 'x'), 0, escaped), no_end);
    EXPECT_EQ(string_end(std::string(size, 'x') + '\\', 0, escaped), no_end);
    EXPECT_EQ(string_end(std::string(size, 'x') + "\\\"", 0, escaped), no_end);
  }
}

TEST(JsonSkim, DecodesEscapes) {
  const auto decoded = [](std::string_view text) {
    std::string out;
    return decode_string(text, out) ? out : "refused";
  };
  EXPECT_EQ(decoded(R"(a\u0041\n\"\\\/\b\f\r\t)"), "aA\n\"\\/\b\f\r\t");
  EXPECT_EQ(decoded(R"(\u00e9\u20ac\ud83d\ude00)"), "é€😀");
  for (const char* bad :
       {R"(\ud83d)", R"(\ud83dx)", R"(\ud83d\u0041)", R"(\ude00)", R"(\u12)", R"(\u12g4)", R"(\x)", "\\"})
    EXPECT_EQ(decoded(bad), "refused") << bad;
}

TEST(JsonSkim, ScansNamesOfAnySizeAnywhereInTheText) {
  for (std::size_t size = 0; size < 40; ++size)
    for (std::size_t dot = 0; dot <= size; ++dot)
      for (const std::string behind : {"\"", "\":1,\"a.b\\\"\":2}"}) {
        std::string name(size, 'n');
        if (dot < size) name[dot] = '.';
        const ScannedName scanned = scan_name('"' + name + behind, 1);
        std::uint64_t head = 0;
        std::memcpy(&head, name.data(), std::min<std::size_t>(size, 8));
        EXPECT_EQ(scanned.end, size + 1);
        EXPECT_EQ(scanned.head, head);
        EXPECT_EQ(scanned.has_dots, dot < size);
      }
}

TEST(JsonSkim, LeavesNamesWithEscapesAndWithoutAnEnd) {
  for (std::size_t size = 1; size < 40; ++size)
    for (std::size_t slash = 0; slash < size; ++slash)
      for (const std::string behind : {"\"", "\" : \"and more\""}) {
        std::string name(size, 'n');
        EXPECT_EQ(scan_name(name, 0).end, no_end);
        name[slash] = '\\';
        EXPECT_EQ(scan_name(name + behind, 0).end, no_end) << name;
      }
}

}  // namespace
}  // namespace continuo::record
