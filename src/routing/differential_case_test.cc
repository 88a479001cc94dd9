#include <algorithm>
#include <optional>

#include "continuo/routing/differential_test.h"
#include "continuo/routing/explain.h"

namespace continuo::routing::oracle {
namespace {

using Kind = Json::Kind;

std::string batch_of(const Json& headers) {
  std::string body;
  record::BodyWriter writer{body};
  writer.key(std::nullopt).value("").header_count(headers.children.size());
  for (std::size_t i = 0; i < headers.children.size(); ++i) {
    const Json& value = headers.children[i];
    writer.header(headers.names[i], value.is(Kind::null) ? std::nullopt : std::optional<std::string_view>{value.text});
  }
  record::BatchBuilder builder;
  builder.add(body, 1);
  return builder.finish(Offset{0});
}

}  // namespace

BuiltInput::BuiltInput(const Json& event, const std::string& data) : json_(event), data_(data) {
  if (!data.empty()) {
    event_.data = data_.view();
    event_.data_kind = record::DataKind::json;
  }
  for (std::size_t i = 0; i < json_.children.size(); ++i) {
    const std::string& name = json_.names[i];
    const Json& value = json_.children[i];
    if (name == "id")
      event_.id = value.text;
    else if (name == "source")
      event_.source = value.text;
    else if (name == "type")
      event_.type = value.text;
    else if (name == "subject")
      event_.subject = value.text;
    else if (name == "time")
      event_.time = value.text;
    else if (name == "key")
      input_.key = value.text;
    else if (name == "headers")
      batch_ = batch_of(value);
    else if (!value.text.empty())
      event_.extensions.push_back({name, value.text, record::Extension::Kind::string});
  }
  if (!batch_.empty()) record_ = record::RecordWalk{batch_}.next();
  input_.event = &event_;
  if (record_) input_.record = &*record_;
}

namespace {

// One event, told to whoever asks.
class Told {
 public:
  explicit Told(const Case& tried) : scope_(tried.scope), text_(tried.event) {
    if (scope_ == Scope::event) built_.emplace(read(tried.event), tried.data);
    place_ = built_ ? event_of(built_->input()) : event_of(read(tried.event));
  }
  const Place& place() const { return place_; }
  std::vector<std::uint32_t> match(Matching& matching) const {
    const auto found = built_ ? matching.match(built_->input()) : matching.match_json(text_.view());
    return {found.begin(), found.end()};
  }
  Explanation explain(const Pattern& pattern) const {
    return built_ ? routing::explain(pattern, built_->input()) : routing::explain_json(pattern, text_.view());
  }

 private:
  Scope scope_;
  Exactly text_;
  std::optional<BuiltInput> built_;
  Place place_;
};

}  // namespace

std::string disagreement(const Case& tried) {
  std::vector<Pattern> patterns;
  for (const std::string& text : tried.patterns) {
    auto pattern = Pattern::parse(text, tried.scope);
    if (!pattern) return "refused: " + text + "\n  " + continuo::to_string(pattern.error()) + "\n";
    patterns.push_back(std::move(*pattern));
  }
  std::vector<const Pattern*> pointers;
  for (const Pattern& pattern : patterns) pointers.push_back(&pattern);
  Matching matching{Matcher::compile(pointers)};
  const Told told{tried};
  const auto matched = told.match(matching);
  std::string out;
  if (!std::ranges::is_sorted(matched)) out += "not ascending\n";
  for (std::uint32_t i = 0; i < patterns.size(); ++i) {
    const bool right = Oracle{tried.patterns[i]}.matches(told.place());
    const bool found = std::ranges::count(matched, i) == 1;
    const bool explained = told.explain(patterns[i]).matches;
    if (right == found && right == explained) continue;
    out += tried.patterns[i] + "\n  oracle: " + (right ? "matches" : "does not") +
           ", match: " + (found ? "matches" : "does not") + ", explain: " + (explained ? "matches" : "does not") + "\n";
  }
  return out;
}

std::string to_string(const Case& tried) {
  std::string out = "event " + tried.event + "\n";
  if (!tried.data.empty()) out += "data " + tried.data + "\n";
  for (const std::string& pattern : tried.patterns) out += "pattern " + pattern + "\n";
  return out;
}

// --- Smaller --------------------------------------------------------------------------------------------------------

namespace {

// Calls `each` with everything that is one step smaller, until it says true.
bool smaller(Json& whole, Json& part, const std::function<bool(const Json&)>& each) {
  if (part.is(Kind::string) && !part.text.empty() && part.text.size() < 200) {
    const std::string text = part.text;
    for (const std::string& shorter : {text.substr(1), text.substr(0, text.size() - 1)}) {
      part.text = shorter;
      if (!shorter.empty() && each(whole)) return true;
    }
    part.text = text;
  }
  for (std::size_t i = 0; i < part.children.size(); ++i) {
    const Json before = part;
    part.children.erase(part.children.begin() + static_cast<std::ptrdiff_t>(i));
    if (part.is(Kind::object)) part.names.erase(part.names.begin() + static_cast<std::ptrdiff_t>(i));
    if (each(whole)) return true;
    part = before;
  }
  for (Json& child : part.children)
    if (smaller(whole, child, each)) return true;
  return false;
}

// Shrinks one JSON text of a case.
void shrink_text(Case& failing, std::string Case::* text, const std::function<bool(const Case&)>& fails) {
  Case tried = failing;
  Json json = read(tried.*text);
  const auto still = [&](const Json& less) {
    tried.*text = write(less);
    return fails(tried);
  };
  if (!still(json)) return;  // it is the way it is written
  while (smaller(json, json, still)) {
  }
  failing.*text = write(json);
}

void shrink_patterns(Case& failing, const std::function<bool(const Case&)>& fails) {
  for (std::size_t i = failing.patterns.size(); i-- > 0 && failing.patterns.size() > 1;) {
    Case tried = failing;
    tried.patterns.erase(tried.patterns.begin() + static_cast<std::ptrdiff_t>(i));
    if (fails(tried)) failing = tried;
  }
  for (std::string& pattern : failing.patterns) {
    Json json = read(pattern);
    const std::string before = pattern;
    const auto still = [&](const Json& less) {
      pattern = write(less);
      return Pattern::parse(pattern, failing.scope).has_value() && fails(failing);
    };
    if (still(json))
      while (smaller(json, json, still)) {
      }
    pattern = pattern.empty() || !still(json) ? before : write(json);
  }
}

}  // namespace

Case shrunk(Case failing, const std::function<bool(const Case&)>& fails) {
  for (std::size_t before = 0, size = 1; size != before;) {
    before = size;
    shrink_patterns(failing, fails);
    shrink_text(failing, &Case::event, fails);
    if (!failing.data.empty()) shrink_text(failing, &Case::data, fails);
    size = to_string(failing).size();
  }
  return failing;
}

}  // namespace continuo::routing::oracle
