#include "continuo/cli/definitions_file.h"

#include <yaml-cpp/yaml.h>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string_view>

#include "continuo/cli/nearest.h"
#include "continuo/record/cloudevents.h"
#include "continuo/record/json_scan.h"

namespace continuo::cli {
namespace {

constexpr std::size_t most_bytes = 4u << 20;
constexpr std::size_t most_values = 200'000;  // an alias may stand for much
constexpr int most_depth = 100;

// JSON's numbers, which are fewer than YAML's.
bool is_number(std::string_view text) {
  const bool may_be = !text.empty() && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'));
  return may_be && text.back() >= '0' && text.back() <= '9' && !record::find_json_error(text, 1);
}

class JsonWriter {
 public:
  bool write(const YAML::Node& node, std::string& out, int depth = 0) {
    if (++values_ > most_values || depth > most_depth) return false;
    switch (node.Type()) {
      case YAML::NodeType::Map: return write_map(node, out, depth);
      case YAML::NodeType::Sequence: return write_list(node, out, depth);
      case YAML::NodeType::Scalar: write_scalar(node, out); return true;
      default: out += "null"; return true;
    }
  }

 private:
  bool write_map(const YAML::Node& node, std::string& out, int depth) {
    out += '{';
    for (const auto& member : node) {
      if (out.back() != '{') out += ',';
      record::write_json_string(member.first.Scalar(), out);
      out += ':';
      if (!write(member.second, out, depth + 1)) return false;
    }
    out += '}';
    return true;
  }
  bool write_list(const YAML::Node& node, std::string& out, int depth) {
    out += '[';
    for (const auto& item : node) {
      if (out.back() != '[') out += ',';
      if (!write(item, out, depth + 1)) return false;
    }
    out += ']';
    return true;
  }
  // What is quoted is text; plain words are what YAML's core schema says.
  static void write_scalar(const YAML::Node& node, std::string& out) {
    const std::string& text = node.Scalar();
    const bool plain = node.Tag() == "?";
    if (plain && (text == "true" || text == "false"))
      out += text;
    else if (plain && (text == "null" || text == "~" || text.empty()))
      out += "null";
    else if (plain && is_number(text))
      out += text;
    else
      record::write_json_string(text, out);
  }

  std::size_t values_ = 0;
};

const char* section_of(Defined kind) {
  switch (kind) {
    case Defined::topic: return "topics";
    case Defined::queue: return "queues";
    case Defined::subscription: break;
  }
  return "subscriptions";
}

// The names and indices of "retry.rules[0].codes (line 1, column 2)", one after the other.
std::optional<std::string> next_step(std::string_view& path) {
  if (path.starts_with('.')) path.remove_prefix(1);
  if (path.empty() || path.starts_with(' ')) return std::nullopt;
  std::size_t end = path[0] == '[' ? path.find(']') + 1 : path.find_first_of(".[ ");
  if (end == std::string_view::npos || end == 0) end = path.size();
  std::string step{path.substr(0, end)};
  path.remove_prefix(end);
  return step;
}

YAML::Node step_into(const YAML::Node& from, const std::string& step) {
  if (from.IsMap()) return from[step];
  if (from.IsSequence() && step.starts_with('[')) {
    const auto index = static_cast<std::size_t>(std::strtoul(step.c_str() + 1, nullptr, 10));
    if (index < from.size()) return from[index];
  }
  return YAML::Node{YAML::NodeType::Undefined};
}

}  // namespace

struct DefinitionsFile::Text {
  std::string path;
  YAML::Node root;
  std::string at(const YAML::Mark& mark) const { return fmt::format("{}, line {}", path, mark.line + 1); }
};

DefinitionsFile::DefinitionsFile(std::unique_ptr<Text> text) : text_(std::move(text)) {}
DefinitionsFile::~DefinitionsFile() = default;
DefinitionsFile::DefinitionsFile(DefinitionsFile&&) noexcept = default;
DefinitionsFile& DefinitionsFile::operator=(DefinitionsFile&&) noexcept = default;

Result<DefinitionsFile> DefinitionsFile::read(const std::string& path) {
  auto text = std::make_unique<Text>();
  text->path = path == "-" ? "standard input" : path;
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  if (std::error_code error; path != "-" && std::filesystem::is_directory(path, error))
    return fail(Code::io_error, fmt::format("'{}' is a folder", path), path, "name a file of definitions");
  std::istream& in = path == "-" ? std::cin : file;
  if (!in) return fail(Code::io_error, fmt::format("the file '{}' cannot be read", path), path, "check its name");
  std::string content(most_bytes + 1, '\0');
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(in.gcount()));
  if (content.size() > most_bytes) return fail(Code::too_large, "a file of definitions has at most 4 MiB", path);
  try {
    text->root = YAML::Load(content);
  } catch (const YAML::Exception& broken) {
    return fail(Code::bad_setting, broken.msg, text->at(broken.mark));
  }
  DefinitionsFile read{std::move(text)};
  if (auto loaded = read.load(); !loaded) return pass(loaded);
  return read;
}

Result<void> DefinitionsFile::load() {
  const YAML::Node& root = text_->root;
  if (!root.IsMap())
    return fail(Code::bad_setting, "a file of definitions names topics, queues and subscriptions",
                text_->at(root.Mark()), "topics: {orders: {partitions: 6}}");
  for (const auto& section : root) {
    const std::string& name = section.first.Scalar();
    if (name == "topics" || name == "queues" || name == "subscriptions") continue;
    const std::string close = nearest(name, {"topics", "queues", "subscriptions"});
    return fail(Code::unknown_field, fmt::format("there is nothing called '{}'", name), text_->at(section.first.Mark()),
                close.empty() ? "one of: topics, queues, subscriptions" : fmt::format("did you mean '{}'?", close));
  }
  for (const Defined kind : {Defined::topic, Defined::queue, Defined::subscription}) {
    const YAML::Node section = root[section_of(kind)];
    if (!section || section.IsNull()) continue;
    if (!section.IsMap())
      return fail(Code::bad_setting, fmt::format("'{}' holds names, and under each its settings", section_of(kind)),
                  text_->at(section.Mark()));
    for (const auto& member : section) {
      Definition made{kind, member.first.Scalar(), {}};
      if (!member.second.IsMap() && !member.second.IsNull())
        return fail(Code::bad_setting, fmt::format("'{}' holds settings", made.name), text_->at(member.first.Mark()),
                    "write {} for none");
      if (member.second.IsNull())
        made.json = "{}";
      else if (!JsonWriter{}.write(member.second, made.json))
        return fail(Code::too_large, fmt::format("'{}' is too large, or refers to itself", made.name),
                    text_->at(member.first.Mark()));
      for (const Definition& other : definitions_)
        if (other.kind == kind && other.name == made.name)
          return fail(Code::bad_setting, fmt::format("'{}' is defined twice", made.name),
                      text_->at(member.first.Mark()));
      definitions_.push_back(std::move(made));
    }
  }
  return {};
}

Error DefinitionsFile::placed(const Definition& definition, Error error) const {
  YAML::Node at = text_->root[section_of(definition.kind)];
  YAML::Mark mark = at.Mark();
  for (const auto& member : at)
    if (member.first.Scalar() == definition.name) {
      mark = member.first.Mark();
      at.reset(member.second);
      break;
    }
  std::string_view path = error.at;
  while (const auto step = next_step(path)) {
    const YAML::Node inner = step_into(at, *step);
    if (!inner.IsDefined()) break;
    at.reset(inner);
    mark = inner.Mark();
  }
  error.at = fmt::format("{}: {}.{}{}{}", text_->at(mark), section_of(definition.kind), definition.name,
                         error.at.empty() ? "" : ".", error.at);
  return error;
}

}  // namespace continuo::cli
