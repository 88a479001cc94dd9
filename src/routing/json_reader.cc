#include "continuo/routing/json_reader.h"

#include <algorithm>
#include <utility>

#include "continuo/routing/json_skim.h"

namespace continuo::routing {
namespace {

constexpr std::size_t most_nested_arrays = 512;

std::size_t digits_end(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
  return at;
}

// RFC 8259, section 6.
bool is_number(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t whole = at;
  at = digits_end(text, at);
  if (at == whole || (text[whole] == '0' && at > whole + 1)) return false;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = ++at;
    at = digits_end(text, at);
    if (at == fraction) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = at;
    at = digits_end(text, at);
    if (at == exponent) return false;
  }
  return at == text.size();
}

}  // namespace

void ReadEvent::clear() {
  values.clear();
  contexts.resize(1);
  objects.clear();
  arrays = 0;
  decoded.clear();
  broken = false;
}

JsonReader::JsonReader(const PathTree& tree) : tree_(tree), seen_(tree.nodes()) {}

void JsonReader::read(std::string_view json, NodeId node, ReadEvent& event) {
  json_ = json;
  event_ = &event;
  context_ = 0;
  stamp_ = ++stamps_;
  inside_ = arrays_ = 0;
  at_ = skip_space(json_, 0);
  const bool starts = at_ < json_.size() && (node != PathTree::root || json_[at_] == '{');
  event.broken = !starts || value(node) == Went::broken;
}

JsonReader::Seen& JsonReader::seen(NodeId node) {
  Seen& at = seen_[node];
  if (at.context != stamp_) at = {stamp_, tree_.node(node).parts(), Kind::unseen};
  return at;
}

// False: it is something else already, or nothing is left to find in it.
bool JsonReader::become_object(NodeId node) {
  Seen& at = seen(node);
  if (at.kind == Kind::unseen) {
    at.kind = Kind::object;
    if (const PathId path = tree_.node(node).path; path != no_path) {
      event_->objects.push_back(path);
      --at.left;
    }
  }
  return at.kind == Kind::object && at.left > 0;
}

JsonReader::Went JsonReader::value(NodeId node) {
  if (at_ >= json_.size()) return Went::broken;
  if (json_[at_] == '{') {
    if (!become_object(node)) return skip_value();
    ++at_;
    return object(node);
  }
  if (Seen& at = seen(node); at.kind != Kind::unseen) return skip_value();
  if (json_[at_] == '[') {
    seen(node).kind = Kind::array;
    ++at_;
    const Went went = array(node);
    seen(node).left = 0;
    return went;
  }
  seen(node).kind = Kind::scalar;
  seen(node).left = 0;
  return scalar(tree_.node(node).path);
}

// Behind its bracket.
JsonReader::Went JsonReader::object(NodeId node) {
  ++inside_;
  const auto out = [this](Went went) {
    --inside_;
    return went;
  };
  for (;;) {
    at_ = skip_space(json_, at_);
    if (at_ < json_.size() && json_[at_] == '}') break;
    Went went = member(node);
    if (went == Went::broken) return out(went);
    if (seen(node).left == 0) {
      open_ = went == Went::done ? open_ + 1 : 1;
      return out(Went::done);
    }
    if (went == Went::done && leave(open_) == Went::broken) return out(Went::broken);
    at_ = skip_space(json_, at_);
    if (at_ >= json_.size()) return out(Went::broken);
    if (json_[at_] == '}') break;
    if (json_[at_] != ',') return out(Went::broken);
    ++at_;
  }
  ++at_;
  return out(Went::on);
}

JsonReader::Went JsonReader::member(NodeId node) {
  std::string_view called;
  bool has_dots = false;
  if (!name(called, has_dots)) return Went::broken;
  if (has_dots) return dotted(node, called);
  const NodeId found = tree_.child(node, called);
  return found == no_node ? skip_value() : child(node, found);
}

// Up to the value.
bool JsonReader::name(std::string_view& name, bool& has_dots) {
  if (at_ >= json_.size() || json_[at_] != '"') return false;
  bool has_escapes = false;
  const std::size_t end = string_end(json_, at_ + 1, has_escapes);
  if (end == no_end) return false;
  name = json_.substr(at_ + 1, end - at_ - 1);
  if (has_escapes) {
    name_.clear();
    if (!decode_string(name, name_)) return false;
    name = name_;
  }
  has_dots = name.find('.') != std::string_view::npos;
  at_ = skip_space(json_, end + 1);
  if (at_ >= json_.size() || json_[at_] != ':') return false;
  at_ = skip_space(json_, at_ + 1);
  return true;
}

JsonReader::Went JsonReader::child(NodeId node, NodeId child) {
  const bool was_open = seen(child).left > 0;
  const Went went = value(child);
  if (was_open && seen(child).left == 0) --seen(node).left;
  return went;
}

// The names before the last dot are objects that the text does not write as such.
JsonReader::Went JsonReader::dotted(NodeId node, std::string_view names) {
  const auto dot = names.find('.');
  const NodeId first = tree_.child(node, names.substr(0, dot));
  if (first == no_node) return skip_value();
  if (dot == std::string_view::npos) return child(node, first);
  const bool was_open = seen(first).left > 0;
  const Went went = become_object(first) ? dotted(first, names.substr(dot + 1)) : skip_value();
  if (was_open && seen(first).left == 0) --seen(node).left;
  return went;
}

// Behind its bracket.
JsonReader::Went JsonReader::array(NodeId node) {
  if (arrays_ == most_nested_arrays) return Went::broken;
  ++inside_;
  ++arrays_;
  const std::uint32_t number = event_->arrays++;
  Went went = Went::on;
  for (;;) {
    at_ = skip_space(json_, at_);
    if (at_ < json_.size() && json_[at_] == ']') break;
    went = element(node, number);
    if (went == Went::broken) break;
    at_ = skip_space(json_, at_);
    if (at_ < json_.size() && json_[at_] == ']') break;
    if (at_ >= json_.size() || json_[at_] != ',') {
      went = Went::broken;
      break;
    }
    ++at_;
  }
  --inside_;
  --arrays_;
  if (went == Went::broken) return went;
  ++at_;
  return Went::on;
}

JsonReader::Went JsonReader::element(NodeId node, std::uint32_t number) {
  if (at_ >= json_.size()) return Went::broken;
  const PathTree::Node& at = tree_.node(node);
  const bool is_scalar = json_[at_] != '{' && json_[at_] != '[';
  if (at.children > 0 && !(is_scalar && at.path == no_path)) return element_in_context(node, number);
  // Nothing is wanted below: elements are values of one path, and consistent with each other.
  if (is_scalar) return scalar(at.path);
  if (json_[at_] == '{') return skip_value();
  ++at_;
  return array(node);
}

JsonReader::Went JsonReader::element_in_context(NodeId node, std::uint32_t number) {
  const Seen outer = seen(node);
  const std::uint64_t outer_stamp = std::exchange(stamp_, ++stamps_);
  const ContextId outer_context = std::exchange(context_, static_cast<ContextId>(event_->contexts.size()));
  event_->contexts.push_back({outer_context, number, node});
  seen_[node] = {stamp_, tree_.node(node).parts(), Kind::unseen};
  Went went = value(node);
  if (went == Went::done) went = leave(open_);
  seen_[node] = outer;
  stamp_ = outer_stamp;
  context_ = outer_context;
  return went;
}

JsonReader::Went JsonReader::scalar(PathId path) {
  if (path == no_path) return skip_value();
  if (json_[at_] == '"') {
    bool has_escapes = false;
    const std::size_t end = string_end(json_, at_ + 1, has_escapes);
    if (end == no_end) return Went::broken;
    std::string_view text = json_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    if (!has_escapes) {
      found(path, Value::Type::string, text);
      return Went::on;
    }
    std::string& decoded = event_->decoded;
    if (decoded.empty()) decoded.reserve(json_.size());  // an escape is never shorter than what it stands for
    const std::size_t begin = decoded.size();
    if (decode_string(text, decoded))
      found(path, Value::Type::string, std::string_view{decoded}.substr(begin));
    else
      decoded.resize(begin);
    return Went::on;
  }
  const std::size_t end = scalar_end(json_, at_);
  if (end == at_ || (end == json_.size() && inside_ > 0)) return Went::broken;
  const std::string_view text = json_.substr(at_, end - at_);
  at_ = end;
  if (text == "true" || text == "false")
    found(path, Value::Type::boolean, text);
  else if (text == "null")
    found(path, Value::Type::null, text);
  else if (is_number(text))
    found(path, Value::Type::number, text);
  return Went::on;
}

void JsonReader::found(PathId path, Value::Type type, std::string_view text) {
  event_->values.push_back({path, context_, {type, text}});
}

JsonReader::Went JsonReader::skip_value() {
  if (at_ >= json_.size()) return Went::broken;
  const std::size_t begin = at_;
  bool has_escapes = false;
  switch (json_[at_]) {
    case '"':
      at_ = string_end(json_, at_ + 1, has_escapes);
      if (at_ == no_end) return Went::broken;
      ++at_;
      return Went::on;
    case '{':
    case '[':
      ++at_;
      return leave(1);
    default:
      at_ = scalar_end(json_, at_);
      return at_ == begin ? Went::broken : Went::on;
  }
}

JsonReader::Went JsonReader::leave(std::size_t open) {
  at_ = container_end(json_, at_, open);
  return at_ == no_end ? Went::broken : Went::on;
}

}  // namespace continuo::routing
