#include "continuo/routing/json_reader.h"

#include <algorithm>
#include <utility>

#include "continuo/record/json_skim.h"

namespace continuo::routing {

using record::container_end;
using record::decode_string;
using record::no_end;
using record::scalar_end;
using record::skip_space;
using record::string_end;
namespace {

constexpr std::size_t most_nested_arrays = 512;

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
  event.broken = !starts || value(node, seen(node)) == Went::broken;
}

// False: it is something else already, or nothing is left to find in it.
bool JsonReader::become_object(NodeId node, Seen& at) {
  if (at.kind == Kind::unseen) {
    at.kind = Kind::object;
    if (const PathId path = tree_.node(node).path; path != no_path) {
      event_->objects.push_back(path);
      --at.left;
    }
  }
  return at.kind == Kind::object && at.left > 0;
}

JsonReader::Went JsonReader::value(NodeId node, Seen& at) {
  if (at_ >= json_.size()) return Went::broken;
  if (here() == '{') {
    if (!become_object(node, at)) return skip_value();
    ++at_;
    return object(node, at);
  }
  if (at.kind != Kind::unseen) return skip_value();
  if (here() == '[') {
    at.kind = Kind::array;
    ++at_;
    const Went went = array(node);
    at.left = 0;
    return went;
  }
  at.kind = Kind::scalar;
  at.left = 0;
  return scalar(tree_.node(node).path);
}

// Behind its bracket.
JsonReader::Went JsonReader::object(NodeId node, Seen& at) {
  ++inside_;
  const Went went = members(node, at);
  --inside_;
  return went;
}

JsonReader::Went JsonReader::members(NodeId node, Seen& at) {
  for (;;) {
    at_ = skip_space(json_, at_);
    if (at_ < json_.size() && here() == '}') break;
    const Went went = member(node, at);
    if (went == Went::broken) return went;
    if (at.left == 0) {
      open_ = went == Went::done ? open_ + 1 : 1;
      return Went::done;
    }
    if (went == Went::done && leave(open_) == Went::broken) return Went::broken;
    at_ = skip_space(json_, at_);
    if (at_ >= json_.size()) return Went::broken;
    if (here() == '}') break;
    if (here() != ',') return Went::broken;
    ++at_;
  }
  ++at_;
  return Went::on;
}

JsonReader::Went JsonReader::member(NodeId node, Seen& at) {
  if (at_ >= json_.size() || here() != '"') return Went::broken;
  // Elements of arrays that somebody looks into have few names that nobody wants.
  if (context_ == 0)
    if (const std::size_t end = unwanted_name_end(node); end != no_end)
      return to_value(end) ? skip_value() : Went::broken;
  Name called;
  if (!name(called)) return Went::broken;
  if (called.has_dots) return dotted(node, at, called.text);
  const NodeId found = tree_.child(node, called.text, called.head);
  return found == no_node ? skip_value() : child(at, found);
}

// Most names are nobody's, and their front tells: where the quote behind such a one is. no_end: it has to be read.
std::size_t JsonReader::unwanted_name_end(NodeId node) const {
  const std::size_t begin = at_ + 1;
  if (begin + 8 > json_.size()) return no_end;
  const record::FrontOfName front = record::front_of_name(json_, begin);
  if (!front.is_plain || tree_.may_begin(node, front.head)) return no_end;
  if (front.end != no_end) return front.end;
  bool has_escapes = false;
  const std::size_t end = string_end(json_, begin + 8, has_escapes);
  return has_escapes ? no_end : end;
}

// From the quote behind a name.
bool JsonReader::to_value(std::size_t name_end) {
  at_ = skip_space(json_, name_end + 1);
  if (at_ >= json_.size() || here() != ':') return false;
  at_ = skip_space(json_, at_ + 1);
  return true;
}

// Up to the value.
bool JsonReader::name(Name& name) {
  const std::size_t begin = at_ + 1;
  const record::ScannedName scanned = record::scan_name(json_, begin);
  std::size_t end = scanned.end;
  if (end != no_end)
    name = {json_.substr(begin, end - begin), scanned.head, scanned.has_dots};
  else if (!decode_name(begin, end, name))
    return false;
  return to_value(end);
}

bool JsonReader::decode_name(std::size_t begin, std::size_t& end, Name& name) {
  bool has_escapes = false;
  end = string_end(json_, begin, has_escapes);
  name_.clear();
  if (end == no_end || !decode_string(json_.substr(begin, end - begin), name_)) return false;
  name = {name_, PathTree::head_of(name_), name_.find('.') != std::string::npos};
  return true;
}

// `at`: of the object it is in, here and below.
JsonReader::Went JsonReader::child(Seen& at, NodeId child) {
  Seen& own = seen(child);
  const bool was_open = own.left > 0;
  const Went went = value(child, own);
  if (was_open && own.left == 0) --at.left;
  return went;
}

// The names before the last dot are objects that the text does not write as such.
JsonReader::Went JsonReader::dotted(NodeId node, Seen& at, std::string_view names) {
  const auto dot = names.find('.');
  const NodeId first = tree_.child(node, names.substr(0, dot));
  if (first == no_node) return skip_value();
  if (dot == std::string_view::npos) return child(at, first);
  Seen& own = seen(first);
  const bool was_open = own.left > 0;
  const Went went = become_object(first, own) ? dotted(first, own, names.substr(dot + 1)) : skip_value();
  if (was_open && own.left == 0) --at.left;
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
    if (at_ < json_.size() && here() == ']') break;
    went = element(node, number);
    if (went == Went::broken) break;
    at_ = skip_space(json_, at_);
    if (at_ < json_.size() && here() == ']') break;
    if (at_ >= json_.size() || here() != ',') {
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
  const bool is_scalar = here() != '{' && here() != '[';
  if (at.children > 0 && !(is_scalar && at.path == no_path)) return element_in_context(node, number);
  // Nothing is wanted below: elements are values of one path, and consistent with each other.
  if (is_scalar) return scalar(at.path);
  if (here() == '{') return skip_value();
  ++at_;
  return array(node);
}

JsonReader::Went JsonReader::element_in_context(NodeId node, std::uint32_t number) {
  Seen& at = seen_[node];
  const Seen outer = at;
  const std::uint64_t outer_stamp = std::exchange(stamp_, ++stamps_);
  const ContextId outer_context = std::exchange(context_, static_cast<ContextId>(event_->contexts.size()));
  event_->contexts.push_back({outer_context, number, node});
  at = {stamp_, tree_.node(node).parts(), Kind::unseen};
  Went went = value(node, at);
  if (went == Went::done) went = leave(open_);
  at = outer;
  stamp_ = outer_stamp;
  context_ = outer_context;
  return went;
}

JsonReader::Went JsonReader::scalar(PathId path) {
  if (path == no_path) return skip_value();
  if (here() == '"') {
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
  const record::NumberInFront number = record::number_in_front(json_.substr(at_));
  const std::size_t end = scalar_end(json_, at_ + number.size);
  if (end == at_ || (end == json_.size() && inside_ > 0)) return Went::broken;
  const std::string_view text = json_.substr(at_, end - at_);
  at_ = end;
  if (number.size == text.size())
    found(path, Value::Type::number, text, number.value);
  else if (text == "true" || text == "false")
    found(path, Value::Type::boolean, text);
  else if (text == "null")
    found(path, Value::Type::null, text);
  return Went::on;
}

void JsonReader::found(PathId path, Value::Type type, std::string_view text, double number) {
  event_->values.push_back({path, context_, {type, text}, number});
}

JsonReader::Went JsonReader::skip_value() {
  if (at_ >= json_.size()) return Went::broken;
  const std::size_t begin = at_;
  bool has_escapes = false;
  switch (here()) {
    case '"':
      at_ = string_end(json_, at_ + 1, has_escapes);
      if (at_ == no_end) return Went::broken;
      ++at_;
      return Went::on;
    case '{':
    case '[': ++at_; return leave(1);
    default: at_ = scalar_end(json_, at_); return at_ == begin ? Went::broken : Went::on;
  }
}

JsonReader::Went JsonReader::leave(std::size_t open) {
  at_ = container_end(json_, at_, open);
  return at_ == no_end ? Went::broken : Went::on;
}

}  // namespace continuo::routing
