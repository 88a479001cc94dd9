#include "continuo/cli/output.h"

#include <gtest/gtest.h>

#include "continuo/cli/exit_code.h"
#include "continuo/cli/nearest.h"
#include "continuo/cli/progress.h"

namespace continuo::cli {
namespace {

Listing two_rows() {
  Listing listing({"name", "events"});
  listing.add({{"name", "orders"}, {"events", 12}, {"more", true}});
  listing.add({{"name", "é"}, {"topics", {"a", "b"}}});
  return listing;
}

TEST(Listing, is_a_table_for_people) {
  EXPECT_EQ(two_rows().text(Format::table),
            "NAME    EVENTS\n"
            "orders  12\n"
            "é       -\n");
}

TEST(Listing, is_one_object_a_line_for_programs) {
  EXPECT_EQ(two_rows().text(Format::jsonl),
            "{\"name\":\"orders\",\"events\":12,\"more\":true}\n"
            "{\"name\":\"é\",\"topics\":[\"a\",\"b\"]}\n");
}

TEST(Listing, is_one_document_as_json) {
  EXPECT_EQ(Listing({"a"}).text(Format::json), "[]\n");
  EXPECT_TRUE(two_rows().text(Format::json).starts_with("[{"));
}

TEST(Cell, shows_values_without_json_around_them) {
  EXPECT_EQ(cell("a b"), "a b");
  EXPECT_EQ(cell(boost::json::array{"a", 1}), "a, 1");
  EXPECT_EQ(cell(nullptr), "-");
  EXPECT_EQ(cell(true), "true");
}

// What a consumer or a publisher wrote cannot move the reader's cursor, colour the screen, or turn a line around.
TEST(Cell, shows_control_characters_as_escapes) {
  EXPECT_EQ(cell("bad\x1b[2J"), "bad\\u001b[2J");
  EXPECT_EQ(cell("one\ntwo\t\x07\x7f"), "one\\u000atwo\\u0009\\u0007\\u007f");
  EXPECT_EQ(cell("\u009b31m"), "\\u009b31m");
  EXPECT_EQ(cell("a\u202eb\u2066c"), "a\\u202eb\\u2066c");
  EXPECT_EQ(cell("é \u2014 \u20ac \u00a0"), "é \u2014 \u20ac \u00a0");
  EXPECT_EQ(visible("\xff\xc2"), "\xff\xc2") << "no text at all: as it is";
}

TEST(Format, is_known_by_name) {
  EXPECT_EQ(*parse_format("json"), Format::json);
  EXPECT_EQ(*parse_format(""), Format::automatic);
  EXPECT_EQ(parse_format("xml").error().code, Code::bad_usage);
}

TEST(Nearest, finds_what_was_meant) {
  const std::vector<std::string> words{"topic", "tail", "publish", "subscription"};
  EXPECT_EQ(nearest("tpoic", words), "topic");
  EXPECT_EQ(nearest("pub", words), "publish");
  EXPECT_EQ(nearest("subscripton", words), "subscription");
  EXPECT_EQ(nearest("elephant", words), "");
  EXPECT_EQ(nearest("", words), "");
}

TEST(Bar, is_as_full_as_the_part) {
  EXPECT_EQ(bar(0.5, 4, false), "##--");
  EXPECT_EQ(bar(7, 3, false), "###");
  EXPECT_EQ(bar(-1, 3, false), "---");
  EXPECT_EQ(bar(1, 2, true), "██");
}

TEST(Exit, tells_kinds_of_errors_apart) {
  const auto code = [](Code of) { return static_cast<int>(exit_of({of, {}, {}, {}})); };
  EXPECT_EQ(code(Code::unknown_topic), 1);
  EXPECT_EQ(code(Code::bad_usage), 2);
  EXPECT_EQ(code(Code::connection_failed), 3);
  EXPECT_EQ(code(Code::damaged_journal), 4);
  EXPECT_EQ(code(Code::breach), 5);
}

TEST(TextIn, gives_members_as_text) {
  const boost::json::object object = parse_object(R"({"a":"x","b":[1]})");
  EXPECT_EQ(text_in(object, "a"), "x");
  EXPECT_EQ(text_in(object, "b"), "[1]");
  EXPECT_EQ(text_in(object, "c"), "");
  EXPECT_TRUE(parse_object("[1]").empty());
}

}  // namespace
}  // namespace continuo::cli
