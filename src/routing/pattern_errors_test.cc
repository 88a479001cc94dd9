// What is wrong with a pattern: where it is, what it is, and what was probably meant.
#include <gtest/gtest.h>

#include "continuo/routing/pattern.h"

namespace continuo::routing {
namespace {

struct Refused {
  std::string_view json;
  std::string_view at, detail, hint;
};

void check(const Refused& row, Scope scope) {
  const auto pattern = Pattern::parse(row.json, scope);
  ASSERT_FALSE(pattern) << row.json;
  const Error& error = pattern.error();
  EXPECT_EQ(error.code, Code::bad_pattern) << row.json;
  EXPECT_EQ(error.at, row.at) << row.json;
  EXPECT_EQ(error.detail, row.detail) << row.json;
  EXPECT_EQ(error.hint, row.hint) << row.json;
}
void check(const Refused& row) { check(row, Scope::json); }
void check_of_event(const Refused& row) { check(row, Scope::event); }

TEST(PatternErrors, SayWhereTheJsonBreaks) {
  check({"", "line 1, column 1", "the pattern is not JSON: the text ends too early", ""});
  check({"{\"a\": [1,]}", "line 1, column 10", "the pattern is not JSON: a value is expected", ""});
  check({"{\n  a: [1]}", "line 2, column 3", "the pattern is not JSON: the name of a member is expected", ""});
  check({"{\"a\": [\"\xff\"]}", "line 1, column 9", "the pattern is not JSON: the text is not valid UTF-8", ""});
  check({R"({"a": [1]} {})", "line 1, column 12", "the pattern is not JSON: text after the end of the value", ""});
}

TEST(PatternErrors, SayLineAndColumn) {
  check({"{\n  \"data\": {\n    \"amount\": [{\"numeric\": [\">\", \"100\"]}]\n  }\n}",
         "data.amount[0].numeric[1] (line 3, column 34)", "`numeric` compares with numbers",
         "write 100 without quotes"});
}

TEST(PatternErrors, OfTheWhole) {
  check({"[]", "line 1, column 1", "a pattern is an object", R"(write {"type": ["OrderPaid"]})"});
  check({" \"x\"", "line 1, column 2", "a pattern is an object", R"(write {"type": ["OrderPaid"]})"});
  check({"{}", "line 1, column 1", "a pattern asks for something", R"(write {"type": ["OrderPaid"]})"});
}

TEST(PatternErrors, OfFields) {
  check({R"({"a": "my-value"})", "a (line 1, column 7)", "the values of a field stand in an array",
         R"(write ["my-value"])"});
  check({R"({"a": {"b": 42}})", "a.b (line 1, column 13)", "the values of a field stand in an array", "write [42]"});
  check({R"({"a": {"b": {}}})", "a.b (line 1, column 13)", "an empty object asks for nothing",
         R"([{"exists": true}] asks for any value of a field, but for none of an object)"});
  check({R"({"a": []})", "a (line 1, column 7)", "an empty array: nothing would match",
         R"([{"exists": true}] asks for any value, [{"exists": false}] for none)"});
  check({R"({"a": [1], "a": [2]})", "a (line 1, column 12)", "`a` is there twice",
         "one object or one array holds all that is said of it"});
  check({R"({"a": {"b": [1]}, "\u0061": {"c": [2]}})", "a (line 1, column 19)", "`a` is there twice",
         "one object or one array holds all that is said of it"});
  check({R"({"a": {"b": [1]}, "a.b": [2]})", "a.b (line 1, column 19)",
         "`a.b` is tested twice by what has to hold together",
         "put all of its conditions into one array; alternatives of one `$or` may test the same field"});
}

TEST(PatternErrors, OfOperatorsInPlaceOfFields) {
  check({R"({"a": {"prefix": "x"}})", "a.prefix (line 1, column 8)", "`prefix` stands where a field's name is expected",
         R"(conditions stand in the field's array: [{"prefix": "x"}])"});
  check({R"({"a": {"numeric": [">", 5]}})", "a.numeric (line 1, column 8)",
         "`numeric` stands where a field's name is expected",
         R"(conditions stand in the field's array: [{"numeric": [">",5]}])"});
  check({R"({"a": {"anything-but": ["x"]}})", "a.anything-but (line 1, column 8)",
         "`anything-but` stands where a field's name is expected",
         R"(conditions stand in the field's array: [{"anything-but": ["x"]}])"});
  check({R"({"$or": [{"prefix": "x"}, {"suffix": "y"}]})", "$or[0].prefix (line 1, column 11)",
         "`prefix` stands where a field's name is expected",
         R"(conditions stand in the field's array: [{"prefix": "x"}])"});
}

TEST(PatternErrors, OfChoices) {
  const std::string_view form = R"(write "$or": [{"a": ["x"]}, {"b": ["y"]}])";
  check({R"({"$or": {"a": [1], "b": [2]}})", "$or (line 1, column 9)", "`$or` takes an array of at least two objects",
         form});
  check({R"({"$or": "x"})", "$or (line 1, column 9)", "`$or` takes an array of at least two objects", form});
  check({R"({"$or": []})", "$or (line 1, column 9)", "an empty `$or`", form});
  check({R"({"d": {"$or": [{"a": [1]}]}})", "d.$or (line 1, column 15)",
         "`$or` has one member: there is nothing to choose", "write its fields without `$or`"});
  check({R"({"a": {"$or": ["x", "y"]}})", "a.$or[0] (line 1, column 16)", "`$or` chooses between objects",
         R"(the values of one field stand in its array, and are "or" there: "a": ["x", "y"])"});
  check({R"({"$or": [{"a": [1]}, {}]})", "$or[1] (line 1, column 22)", "an empty object asks for nothing",
         R"([{"exists": true}] asks for any value of a field, but for none of an object)"});
  check({R"({"$OR": [{"a": [1]}, {"b": [1]}]})", "$OR (line 1, column 2)", "there is no `$OR`", "did you mean `$or`"});
  check({R"({"$and": [{"a": [1]}, {"b": [1]}]})", "$and (line 1, column 2)", "there is no `$and`",
         R"(fields that stand beside each other are "and")"});
}

TEST(PatternErrors, OfFieldsThatChoicesTestAgain) {
  const std::string_view detail = "`a` is tested twice by what has to hold together";
  const std::string_view hint =
      "put all of its conditions into one array; alternatives of one `$or` may test the same field";
  check({R"({"a": [1], "$or": [{"a": [2]}, {"b": [1]}]})", "$or[0].a (line 1, column 21)", detail, hint});
  check({R"({"$or": [{"b": [2]}, {"a": [1]}], "a": [1]})", "a (line 1, column 35)", detail, hint});
  check({R"({"$or": [{"a": [2]}, {"$or": [{"b": [1]}, {"c": [1], "b.c": [1]}], "a": [2]}], "d": {"$or": [{"x": [1]},
{"y": [1]}]}, "d.y": [1]})",
         "d.y (line 2, column 15)", "`d.y` is tested twice by what has to hold together", hint});
  check({R"({"$or": [{"b": [1]}, {"a": [1], "$or": [{"c": [1]}, {"a": [2]}]}]})", "$or[1].$or[1].a (line 1, column 54)",
         detail, hint});
}

TEST(PatternErrors, OfConditions) {
  check({R"({"a": [["x"]]})", "a[0] (line 1, column 8)", "an array inside a field's array",
         R"(list all values in one array: ["a", "b"])"});
  check({R"({"a": [{}]})", "a[0] (line 1, column 8)", "an empty object is no condition",
         R"({"exists": true} asks for any value)"});
  check({R"({"a": ["x", {"prefix": "a", "suffix": "b"}]})", "a[1] (line 1, column 29)", "a condition has one name",
         R"(one after the other they are "or": [{"prefix": "a"}, {"suffix": "b"}])"});
  check({R"({"items": [{"sku": ["a"], "size": [5]}]})", "items[0] (line 1, column 27)", "a condition has one name",
         R"(objects in an array are asked for as if there were no array: "items": {"sku": ["a"]})"});
  check({R"({"items": [{"sku": ["a"]}]})", "items[0].sku (line 1, column 13)", "there is no condition `sku`",
         R"(objects in an array are asked for as if there were no array: "items": {"sku": ["a"]})"});
}

TEST(PatternErrors, GuessOperators) {
  const auto hint = [](std::string_view name) {
    const auto pattern = Pattern::parse(R"({"a": [{")" + std::string{name} + R"(": "x"}]})", Scope::json);
    EXPECT_FALSE(pattern) << name;
    if (pattern) return std::string{};
    EXPECT_EQ(pattern.error().detail, "there is no condition `" + std::string{name} + '`');
    EXPECT_EQ(pattern.error().at, "a[0]." + std::string{name} + " (line 1, column 9)");
    return pattern.error().hint;
  };
  EXPECT_EQ(hint("prefx"), "did you mean `prefix`");
  EXPECT_EQ(hint("Prefix"), "did you mean `prefix`");
  EXPECT_EQ(hint("sufix"), "did you mean `suffix`");
  EXPECT_EQ(hint("anythingBut"), "did you mean `anything-but`");
  EXPECT_EQ(hint("anything_but"), "did you mean `anything-but`");
  EXPECT_EQ(hint("anythng-btu"), "did you mean `anything-but`");
  EXPECT_EQ(hint("equals-ingore-case"), "did you mean `equals-ignore-case`");
  EXPECT_EQ(hint("exist"), "did you mean `exists`");
  EXPECT_EQ(hint("numerical"), "did you mean `numeric`");
  EXPECT_EQ(hint("wildcards"), "did you mean `wildcard`");
  EXPECT_EQ(hint("starts-with"), "did you mean `prefix`");
  EXPECT_EQ(hint("endsWith"), "did you mean `suffix`");
  EXPECT_EQ(hint("contains"), R"(did you mean {"wildcard": "*x*"})");
  EXPECT_EQ(hint("not"), "did you mean `anything-but`");
  EXPECT_EQ(hint(">="), R"(did you mean {"numeric": [">=", 5]})");
  EXPECT_EQ(hint("equals"), R"(a plain value is equality: ["x"])");
  EXPECT_EQ(hint("sku"), "");
  EXPECT_EQ(hint(std::string(60, 'x')), "");
}

TEST(PatternErrors, NameWhatIsKeptForLater) {
  const auto row = [](std::string_view name, std::string_view detail, std::string_view hint) {
    const std::string json = R"({"a": [{")" + std::string{name} + R"(": "x"}]})";
    check({json, "a[0]." + std::string{name} + " (line 1, column 9)", detail, hint});
  };
  row("regex", "`regex` is not in this release",
      R"(most of what it is used for, `wildcard` can do: {"wildcard": "a*b"})");
  row("not-wildcard", "`not-wildcard` is not in this release", R"(write {"anything-but": {"wildcard": "a*b"}})");
  row("not-equals-ignore-case", "`not-equals-ignore-case` is not in this release",
      R"(write {"anything-but": {"equals-ignore-case": "x"}})");
  row("date-after", "`date-after` is not in this release",
      "times are text here: the beginning of a time can be asked by `prefix`");
  row("ip-address-in-range", "`ip-address-in-range` is not in this release", R"(write {"cidr": "10.0.0.0/8"})");
}

TEST(PatternErrors, OfTestsOfText) {
  check({R"({"a": [{"prefix": 123}]})", "a[0].prefix (line 1, column 19)", "`prefix` takes a string, not a number",
         R"(text is compared here, and no number equals a text; write "123" if a text is meant)"});
  check({R"({"a": [{"suffix": null}]})", "a[0].suffix (line 1, column 19)", "`suffix` takes a string, not null",
         R"(text is compared here, and no other value equals a text; write "null" if a text is meant)"});
  check({R"({"a": [{"prefix": ["x", "y"]}]})", "a[0].prefix (line 1, column 19)",
         "`prefix` takes a string, not an array", R"(one condition for each: {"prefix": "a"}, {"prefix": "b"})"});
  check({R"({"a": [{"prefix": {"suffix": "x"}}]})", "a[0].prefix (line 1, column 19)",
         "`prefix` takes a string or `equals-ignore-case`", R"(write {"prefix": {"equals-ignore-case": "a"}})"});
  check({R"({"a": [{"suffix": {"equals-ignore-case": 5}}]})", "a[0].suffix.equals-ignore-case (line 1, column 42)",
         "`equals-ignore-case` takes a string, not a number",
         R"(text is compared here, and no number equals a text; write "5" if a text is meant)"});
  check({R"({"a": [{"equals-ignore-case": ["x"]}]})", "a[0].equals-ignore-case (line 1, column 31)",
         "`equals-ignore-case` takes a string, not an array",
         R"(one condition for each: {"equals-ignore-case": "a"}, {"equals-ignore-case": "b"})"});
  check({R"({"a": [{"equals-ignore-case": {"prefix": "x"}}]})", "a[0].equals-ignore-case (line 1, column 31)",
         "`equals-ignore-case` takes a string, not an object", ""});
  check({R"({"a": [{"exactly": 5}]})", "a[0].exactly (line 1, column 20)", "`exactly` takes a string",
         "a plain value is equality: [5]"});
  check({R"({"a": [{"exactly": ["x"]}]})", "a[0].exactly (line 1, column 20)", "`exactly` takes a string",
         R"(list the values: ["a", "b"])"});
}

TEST(PatternErrors, OfWildcards) {
  check({R"({"a": [{"wildcard": "x**y"}]})", "a[0].wildcard (line 1, column 21)", "two `*` in a row",
         "one `*` stands for any text"});
  check({R"({"a": [{"wildcard": "x\\"}]})", "a[0].wildcard (line 1, column 21)", "a wildcard ends with half an escape",
         R"(a backslash is two, and in JSON four: "a\\\\")"});
  check({R"({"a": [{"wildcard": "\\x"}]})", "a[0].wildcard (line 1, column 21)",
         R"(a wildcard escapes only `*` and `\`)", R"(a backslash is two, and in JSON four: "a\\\\b")"});
  check({R"({"a": [{"wildcard": 5}]})", "a[0].wildcard (line 1, column 21)", "`wildcard` takes a string, not a number",
         R"(text is compared here, and no number equals a text; write "5" if a text is meant)"});
  check({R"({"a": [{"wildcard": ["x*"]}]})", "a[0].wildcard (line 1, column 21)",
         "`wildcard` takes a string, not an array", R"(one condition for each: {"wildcard": "a"}, {"wildcard": "b"})"});
}

TEST(PatternErrors, OfNumericRanges) {
  const std::string_view forms = R"(write ["=", 5], ["<", 5] or [">=", 0, "<", 5])";
  const auto row = [](std::string_view operand, std::string_view at, std::string_view detail, std::string_view hint) {
    const std::string json = R"({"a": [{"numeric": )" + std::string{operand} + "}]}";
    check({json, "a[0].numeric" + std::string{at}, detail, hint});
  };
  row("5", " (line 1, column 20)", "`numeric` takes an array", forms);
  row("[]", " (line 1, column 20)", "`numeric` compares with nothing", forms);
  row(R"([">"])", "[0] (line 1, column 21)", "`>` lacks its number", forms);
  row(R"([">", 0, "<"])", "[2] (line 1, column 29)", "`<` lacks its number", forms);
  row("[5]", "[0] (line 1, column 21)", R"(one of "=", "<", "<=", ">", ">=" is expected)", forms);
  row("[5, 10]", "[0] (line 1, column 21)", R"(one of "=", "<", "<=", ">", ">=" is expected)", forms);
  row(R"(["==", 5])", "[0] (line 1, column 21)", R"(one of "=", "<", "<=", ">", ">=" is expected)",
      R"(did you mean "=")");
  row(R"(["=>", 5])", "[0] (line 1, column 21)", R"(one of "=", "<", "<=", ">", ">=" is expected)",
      R"(did you mean ">=")");
  row(R"(["!=", 5])", "[0] (line 1, column 21)", R"(one of "=", "<", "<=", ">", ">=" is expected)",
      R"(did you mean {"anything-but": 5})");
  row(R"([">", "5"])", "[1] (line 1, column 26)", "`numeric` compares with numbers", "write 5 without quotes");
  row(R"([">", null])", "[1] (line 1, column 26)", "`numeric` compares with numbers", forms);
  row(R"([">", 1e999])", "[1] (line 1, column 26)", "the number is too large",
      "numbers are compared as 64-bit floating point");
  row(R"([">", 0, ">", 0])", " (line 1, column 29)", "two lower bounds", forms);
  row(R"(["<", 0, "<=", 5])", " (line 1, column 29)", "two upper bounds", forms);
  row(R"(["=", 0, "<=", 5])", " (line 1, column 29)", "`=` stands alone", forms);
  row(R"([">", 0, "=", 5])", " (line 1, column 29)", "`=` stands alone", forms);
  row(R"(["<=", 5, ">", 0])", " (line 1, column 30)", "the lower bound comes first", R"(write [">", 0, "<=", 5])");
  row(R"([">", 0, "<", 5, "<", 7])", " (line 1, column 37)",
      "`numeric` takes one comparison, or a lower and an upper bound", forms);
  row(R"([">", 5, "<", 0])", " (line 1, column 29)", "no number lies between the bounds",
      R"(one or the other is two conditions: {"numeric": [">", 5]}, {"numeric": ["<", 0]})");
  row(R"([">=", 5, "<", 5])", " (line 1, column 30)", "no number lies between the bounds",
      R"(one or the other is two conditions: {"numeric": [">=", 5]}, {"numeric": ["<", 5]})");
}

TEST(PatternErrors, OfAddresses) {
  const auto row = [](std::string_view operand, std::string_view detail, std::string_view hint) {
    const std::string json = R"({"a": [{"cidr": )" + std::string{operand} + "}]}";
    check({json, "a[0].cidr (line 1, column 17)", detail, hint});
  };
  row(R"("xx.11.xx/8")", "`xx.11.xx` is no IP address", R"(write "10.0.0.0/8" or "2001:db8::/32")");
  row(R"("bad-/64filter")", "`bad-` is no IP address", R"(write "10.0.0.0/8" or "2001:db8::/32")");
  row(R"("10.0.0.1")", "`cidr` takes an address, a slash and a number of bits",
      R"(the address alone is "10.0.0.1/32")");
  row(R"("::1")", "`cidr` takes an address, a slash and a number of bits", R"(the address alone is "::1/128")");
  row(R"("10.0.0.1/33")", "`33` is no number of bits", "0 to 32 of the address's bits count");
  row(R"("::/64filter")", "`64filter` is no number of bits", "0 to 128 of the address's bits count");
  row(R"(["10.0.0.0/8"])", "`cidr` takes a string, not an array",
      R"(one condition for each: {"cidr": "a"}, {"cidr": "b"})");
  row("8", "`cidr` takes a string, not a number", "");
}

TEST(PatternErrors, OfExists) {
  check({R"({"a": [{"exists": "true"}]})", "a[0].exists (line 1, column 19)", "`exists` is true or false",
         "write true without quotes"});
  check({R"({"a": [{"exists": 1}]})", "a[0].exists (line 1, column 19)", "`exists` is true or false",
         R"(write {"exists": true})"});
  check({R"({"a": [{"exists": [true]}]})", "a[0].exists (line 1, column 19)", "`exists` is true or false",
         R"(write {"exists": true})"});
}

TEST(PatternErrors, OfAnythingBut) {
  const auto row = [](std::string_view operand, std::string_view at, std::string_view detail, std::string_view hint) {
    const std::string json = R"({"a": [{"anything-but": )" + std::string{operand} + "}]}";
    check({json, "a[0].anything-but" + std::string{at}, detail, hint});
  };
  const std::string_view prefixes = R"(write {"anything-but": {"prefix": ["a", "b"]}})";
  row("null", " (line 1, column 25)", "`anything-but` takes strings or numbers", "list what the field may be");
  row("true", " (line 1, column 25)", "`anything-but` takes strings or numbers", "write [false]");
  row("[]", " (line 1, column 25)", "`anything-but` of nothing", R"(write {"exists": true})");
  row(R"(["x", null])", "[1] (line 1, column 31)", "a list in `anything-but` holds strings or numbers", "");
  row(R"(["x", {"prefix": "y"}])", "[1] (line 1, column 31)", "a list in `anything-but` holds strings or numbers",
      prefixes);
  row(R"([1, "x"])", "[1] (line 1, column 29)", "strings and numbers in one `anything-but`",
      "list only strings, or only numbers: the two are never equal");
  row("{}", " (line 1, column 25)", "`anything-but` takes values or one condition", prefixes);
  row(R"({"prefix": "x", "suffix": "y"})", " (line 1, column 25)", "`anything-but` takes values or one condition",
      prefixes);
  row(R"({"prefix": ""})", ".prefix (line 1, column 36)", "an empty `prefix` in `anything-but`: no text would match",
      "");
  row(R"({"suffix": ["x", ""]})", ".suffix[1] (line 1, column 42)",
      "an empty `suffix` in `anything-but`: no text would match", "");
  row(R"({"suffix": {"equals-ignore-case": ".png"}})", ".suffix (line 1, column 36)",
      "`suffix` in `anything-but` takes strings",
      "upper and lower case count here; `equals-ignore-case` compares whole texts");
  row(R"({"prefix": [123, "x"]})", ".prefix[0] (line 1, column 37)", "`prefix` takes a string, not a number",
      R"(text is compared here, and no number equals a text; write "123" if a text is meant)");
  row(R"({"prefix": []})", ".prefix (line 1, column 36)", "`anything-but` of nothing", R"(write {"exists": true})");
  row(R"({"wildcard": "**"})", ".wildcard (line 1, column 38)", "two `*` in a row", "one `*` stands for any text");
  row(R"({"equals-ignore-case": 123})", ".equals-ignore-case (line 1, column 48)",
      "`equals-ignore-case` takes a string, not a number",
      R"(text is compared here, and no number equals a text; write "123" if a text is meant)");
  row(R"({"numeric": [">", 5]})", ".numeric (line 1, column 26)", "`numeric` cannot stand in `anything-but`",
      R"(ask for both sides: {"numeric": ["<", 0]}, {"numeric": [">", 5]})");
  row(R"({"exists": true})", ".exists (line 1, column 26)", "`exists` cannot stand in `anything-but`",
      R"(write {"exists": false})");
  row(R"({"exactly": "x"})", ".exactly (line 1, column 26)", "`exactly` cannot stand in `anything-but`",
      R"(write {"anything-but": "x"})");
  row(R"({"cidr": "::/8"})", ".cidr (line 1, column 26)", "`cidr` cannot stand in `anything-but`",
      "list the networks that are wanted");
  row(R"({"anything-but": "x"})", ".anything-but (line 1, column 26)", "`anything-but` cannot stand in `anything-but`",
      "one of them is enough");
  row(R"({"sufix": "x"})", ".sufix (line 1, column 26)", "there is no condition `sufix`", "did you mean `suffix`");
}

TEST(PatternErrors, OfNamesThatNoEventHas) {
  const std::string_view data = R"(fields of the payload stand under `data`: {"data": {...}})";
  check_of_event({R"({"detail-type": ["x"]})", "detail-type (line 1, column 2)",
                  "events have no attribute `detail-type`", "did you mean `type`"});
  check_of_event({R"({"Source": ["x"]})", "Source (line 1, column 2)", "events have no attribute `Source`",
                  "did you mean `source`"});
  check_of_event({R"({"partition_key": ["x"]})", "partition_key (line 1, column 2)",
                  "events have no attribute `partition_key`", "did you mean `partitionkey`"});
  check_of_event({R"({"ce_subject": ["x"]})", "ce_subject (line 1, column 2)", "events have no attribute `ce_subject`",
                  "did you mean `subject`"});
  check_of_event({R"({"Content-Type": ["x"]})", "Content-Type (line 1, column 2)",
                  "events have no attribute `Content-Type`", "did you mean `datacontenttype`"});
  check_of_event({R"({"data_base64": ["x"]})", "data_base64 (line 1, column 2)",
                  "events have no attribute `data_base64`", "payloads that are not JSON are not looked at"});
  check_of_event({R"({"aVeryLongNameOfSomething": ["x"]})", "aVeryLongNameOfSomething (line 1, column 2)",
                  "events have no attribute `aVeryLongNameOfSomething`", data});
  check_of_event({R"({"Order-Line": {"sku": ["x"]}})", "Order-Line (line 1, column 2)",
                  "events have no attribute `Order-Line`", data});
  check_of_event({R"({"": ["x"]})", "line 1, column 2", "events have no attribute ``", data});
}

TEST(PatternErrors, OfAttributesWithFields) {
  const std::string_view data = R"(fields of the payload stand under `data`: {"data": {...}})";
  check_of_event({R"({"detail": {"state": ["x"]}})", "detail (line 1, column 2)",
                  "`detail` is one text, it has no fields", "did you mean `data`"});
  check_of_event({R"({"header": {"a": ["x"]}})", "header (line 1, column 2)", "`header` is one text, it has no fields",
                  "did you mean `headers`"});
  check_of_event(
      {R"({"order": {"total": [5]}})", "order (line 1, column 2)", "`order` is one text, it has no fields", data});
  check_of_event(
      {R"({"source.x": ["a"]})", "source.x (line 1, column 2)", "`source` is one text, it has no fields", data});
  check_of_event({R"({"source": {"prefix": "/shop"}})", "source (line 1, column 13)",
                  "`prefix` stands where a field's name is expected",
                  R"(conditions stand in the field's array: [{"prefix": "/shop"}])"});
  check_of_event({R"({"headers": ["x"]})", "headers (line 1, column 13)",
                  "`headers` is an object: headers by their names", R"(write "headers": {"region": ["eu"]})"});
}

TEST(PatternErrors, OfTextThatIsAskedForOtherValues) {
  check_of_event({R"({"subject": [5]})", "subject[0] (line 1, column 14)", "this field holds text, never a number",
                  R"(write "5")"});
  check_of_event({R"({"headers": {"flag": ["x", true]}})", "headers.flag[1] (line 1, column 28)",
                  "this field holds text, never a boolean", R"(write "true")"});
  check_of_event({R"({"key": [null]})", "key[0] (line 1, column 10)", "this field holds text, never null",
                  R"({"exists": false} asks for a field that is not there)"});
  check_of_event({R"({"key": [{"anything-but": [5, 6]}]})", "key[0].anything-but[0] (line 1, column 28)",
                  "this field holds text, never a number", R"(write "5")"});
  check_of_event({R"({"key": [{"numeric": [">", 5]}]})", "key[0].numeric (line 1, column 22)",
                  "this field holds text: there are no numbers to compare", R"(list the texts: ["5", "6"])"});
}

TEST(PatternErrors, ShowLongTextsByTheirBeginning) {
  const std::string name(40'000, 'x');
  const auto pattern = Pattern::parse(R"({"a": [{")" + name + R"(": "x"}]})", Scope::json);
  ASSERT_FALSE(pattern);
  EXPECT_EQ(pattern.error().at, "a[0]." + std::string(60, 'x') + "... (line 1, column 9)");
  EXPECT_EQ(pattern.error().detail, "there is no condition `" + std::string(60, 'x') + "...`");
}

}  // namespace
}  // namespace continuo::routing
