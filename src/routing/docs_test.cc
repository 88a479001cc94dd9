// The listings of docs/patterns.md are true.
//
// A `pattern` listing is a pattern, and below it lines that begin with `yes` or `no`, an event that matches or does
// not; `because`, a line of what explain says of the event above; or `refused`, what is wrong with the pattern.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "continuo/base/bytes.h"
#include "continuo/record/batch.h"
#include "continuo/record/cloudevents.h"
#include "continuo/record/padded_text.h"
#include "continuo/routing/explain.h"
#include "continuo/routing/matcher.h"
#include "continuo/routing/pattern_json.h"

namespace continuo::routing {
namespace {

// An event as the page shows it: a part of a CloudEvent, with `key` and `headers` beside the attributes.
class ShownEvent {
 public:
  explicit ShownEvent(std::string_view json) {
    const auto tree = read_pattern_json(json, 100);
    EXPECT_TRUE(tree) << json << ": " << to_string(tree.error());
    if (!tree) return;
    std::string members = R"("specversion":"1.0")";
    for (const std::string_view required : {"id", "source", "type"})
      if (find(*tree, required) == nullptr) members += fmt::format(R"(,"{}":"any")", required);
    for (const PatternMember& each : tree->members) {
      if (each.name == "key") {
        key_ = each.value.text;
      } else if (each.name == "headers") {
        add_headers(each.value);
      } else {
        members +=
            fmt::format(R"(,"{}":{})", each.name, json.substr(each.value.begin, each.value.end - each.value.begin));
      }
    }
    text_.emplace("{" + members + "}");
    auto event = parser_.parse(text_->view());
    EXPECT_TRUE(event) << json << ": " << to_string(event.error());
    if (event) event_ = std::move(*event);
  }

  Input input() const { return {&event_, key_, &record_}; }

 private:
  static const PatternMember* find(const PatternJson& object, std::string_view name) {
    for (const PatternMember& each : object.members)
      if (each.name == name) return &each;
    return nullptr;
  }
  void add_headers(const PatternJson& object) {
    ByteWriter out{headers_};
    for (const PatternMember& each : object.members) {
      out.svarint(static_cast<std::int64_t>(each.name.size()));
      out.raw(each.name);
      out.svarint(static_cast<std::int64_t>(each.value.text.size()));
      out.raw(each.value.text);
    }
    record_.headers = headers_;
    record_.header_count = static_cast<std::int32_t>(object.members.size());
  }

  record::EventParser parser_;
  std::optional<record::PaddedText> text_;
  record::Event event_;
  std::optional<std::string> key_;
  std::string headers_;
  record::Record record_;
};

struct Counts {
  int listings = 0, events = 0, refused = 0, reasons = 0;
};

class Listing {
 public:
  Listing(std::string pattern, Counts& counts)
      : source_(std::move(pattern)), pattern_(Pattern::parse(source_)), counts_(counts) {
    ++counts_.listings;
  }
  ~Listing() { EXPECT_TRUE(said_.empty()) << source_ << " also: " << said_; }
  Listing(const Listing&) = delete;
  Listing& operator=(const Listing&) = delete;

  void line(std::string_view word, std::string_view rest) {
    if (word == "refused") return refused(rest);
    if (word == "hint") return hint(rest);
    ASSERT_TRUE(pattern_) << source_ << ": " << to_string(pattern_.error());
    if (word == "because") return because(rest);
    event(rest, word == "yes");
  }

 private:
  void event(std::string_view json, bool matches) {
    ++counts_.events;
    const ShownEvent event{json};
    const Pattern* const patterns[] = {&*pattern_};
    EXPECT_EQ(!Matching{Matcher::compile(patterns)}.match(event.input()).empty(), matches) << source_ << json;
    const auto explanation = explain(*pattern_, event.input());
    EXPECT_EQ(explanation.matches, matches) << source_ << json;
    EXPECT_TRUE(reasons_.empty() || said_.empty()) << source_ << " also: " << said_;
    reasons_.clear();
    for (const Because& each : explanation.because)
      reasons_ += fmt::format("{} {}, wanted {}{}\n", each.at, name_of(each.reason), each.wanted,
                              each.found.empty() ? "" : ", found " + each.found);
    said_.clear();
  }
  // All reasons of an event are shown, or none.
  void because(std::string_view rest) {
    ++counts_.reasons;
    if (said_.empty()) said_ = reasons_;
    const std::string wanted = std::string{rest} + "\n";
    EXPECT_TRUE(said_.starts_with(wanted)) << source_ << "the page: " << wanted << "explain: " << said_;
    said_.erase(0, said_.find('\n') + 1);
  }
  void refused(std::string_view rest) {
    ++counts_.refused;
    ASSERT_FALSE(pattern_) << source_;
    EXPECT_EQ(pattern_.error().at + ": " + pattern_.error().detail, rest);
  }
  void hint(std::string_view rest) const {
    ASSERT_FALSE(pattern_) << source_;
    EXPECT_EQ(pattern_.error().hint, rest);
  }

  std::string source_;
  Result<Pattern> pattern_;
  std::string reasons_, said_;
  Counts& counts_;
};

TEST(Docs, TheListingsOfPatternsAreTrue) {
  std::ifstream page(std::filesystem::path(__FILE__).parent_path() / "../../docs/patterns.md");
  ASSERT_TRUE(page);
  Counts counts;
  std::string line, pattern;
  bool in_listing = false;
  std::optional<Listing> listing;
  while (std::getline(page, line)) {
    if (!in_listing) {
      in_listing = line == "```pattern";
      continue;
    }
    const std::string word = line.substr(0, line.find(' '));
    if (line == "```") {
      EXPECT_TRUE(listing) << "nothing is said of " << pattern;
      listing.reset();
      pattern.clear();
      in_listing = false;
    } else if (word == "yes" || word == "no" || word == "because" || word == "refused" || word == "hint") {
      if (!listing) listing.emplace(pattern, counts);
      listing->line(word, std::string_view{line}.substr(line.find_first_not_of(' ', word.size())));
    } else {
      pattern += line + "\n";
    }
  }
  EXPECT_GE(counts.listings, 25);
  EXPECT_GE(counts.events, 70);
  EXPECT_GE(counts.refused, 6);
  EXPECT_GE(counts.reasons, 8);
}

}  // namespace
}  // namespace continuo::routing
