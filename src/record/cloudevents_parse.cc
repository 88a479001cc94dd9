// Structured events in JSON: simdjson's on-demand parser walks the members of an event; `data` is not descended into
// but checked as a whole by simdjson's full parser, so that it is valid JSON and yet stays the sender's own bytes.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "continuo/record/base64.h"
#include "continuo/record/cloudevents.h"
#include "continuo/record/json_scan.h"
#include "continuo/record/json_syntax.h"
#include "continuo/record/media_type.h"
#include "continuo/record/utf8.h"

namespace continuo::record {
namespace {

namespace od = simdjson::ondemand;

constexpr std::size_t first_capacity = 4096;

// The members of an event that have their own place, and where.
struct Member {
  std::string_view name;
  std::string_view Event::* place;
};
constexpr std::array<Member, 7> text_members{{{"id", &Event::id},
                                              {"source", &Event::source},
                                              {"type", &Event::type},
                                              {"subject", &Event::subject},
                                              {"time", &Event::time},
                                              {"datacontenttype", &Event::datacontenttype},
                                              {"dataschema", &Event::dataschema}}};
constexpr std::size_t specversion_index = text_members.size();
constexpr std::size_t data_index = specversion_index + 1;
constexpr std::size_t data_base64_index = data_index + 1;
constexpr std::size_t extension_index = data_base64_index + 1;

std::size_t member_index(std::string_view name) {
  for (std::size_t i = 0; i < text_members.size(); ++i)
    if (text_members[i].name == name) return i;
  if (name == "specversion") return specversion_index;
  if (name == "data") return data_index;
  return name == "data_base64" ? data_base64_index : extension_index;
}

std::unexpected<Error> bad_event(std::string detail, std::string_view attribute) {
  return fail(Code::bad_event, std::move(detail), std::string{attribute.substr(0, 64)});
}

// "[3].id"; where a text stops being JSON is said by line and column already.
std::unexpected<Error> at_index(Error error, std::size_t index) {
  if (error.code == Code::bad_event) place_within(error, fmt::format("[{}]", index));
  return std::unexpected(std::move(error));
}

bool is_integer_token(std::string_view token) { return token.find_first_of(".eE") == std::string_view::npos; }

std::string_view trimmed(std::string_view json) {
  constexpr std::string_view blanks = " \t\r\n";
  return json.substr(0, json.find_last_not_of(blanks) + 1);
}

}  // namespace

struct EventParser::State {
  explicit State(const EventLimits& limits_) : limits(limits_), syntax(limits_.json_depth) {}

  Result<od::document> open(std::string_view text, std::size_t levels);
  Result<void> read_event(od::object object);
  Result<void> read_array(od::array array, const std::function<Result<void>(const Event&)>& each);
  Result<void> expect_end(od::document& document);
  std::unexpected<Error> broken(std::string detail, std::string_view attribute = {}) const;

  const EventLimits limits;
  JsonSyntax syntax;
  od::parser parser;
  std::string_view json;          // the text of this call
  std::size_t levels_around = 0;  // how deep `data` lies in it
  std::string decoded;            // what was base64 in the text
  Event event;

 private:
  Result<void> read_member(od::field& field);
  Result<void> read_text(const Member& member, od::value& value);
  Result<void> read_specversion(od::value& value);
  Result<void> read_extension(std::string_view name, od::value& value);
  Result<void> read_number(std::string_view name, od::value& value);
  Result<void> read_data(od::value& value);
  Result<void> read_data_text(od::value& value);
  Result<void> read_base64(od::value& value);
  Result<void> settle_data();
  Result<void> mark_seen(std::size_t index, std::string_view name);
  std::string& room();

  unsigned seen_ = 0;  // bit per member
  bool has_specversion_ = false;
  std::optional<std::string_view> data_;       // as JSON
  std::optional<std::string_view> data_text_;  // unescaped, when it is a JSON string
  std::optional<std::string_view> base64_;
};

// simdjson could not go on, or found another type than wanted. When the text is not JSON, that is the error to report.
std::unexpected<Error> EventParser::State::broken(std::string detail, std::string_view attribute) const {
  if (auto error = find_json_error(json, limits.json_depth + levels_around)) return std::unexpected(std::move(*error));
  return bad_event(std::move(detail), attribute);
}

// Decoded data is shorter than the text it came from, so one reservation keeps the views of all events valid.
std::string& EventParser::State::room() {
  if (decoded.capacity() < json.size()) decoded.reserve(json.size());
  return decoded;
}

Result<od::document> EventParser::State::open(std::string_view text, std::size_t levels) {
  json = text;
  levels_around = levels;
  decoded.clear();
  od::document document;
  if (text.size() > parser.capacity() && parser.allocate(std::max(text.size(), first_capacity)) != simdjson::SUCCESS)
    return fail(Code::too_large, "no memory for a JSON text of that size");
  if (parser.iterate(text.data(), text.size(), text.size() + json_padding).get(document) != simdjson::SUCCESS)
    return broken("the text is not an event");
  return document;
}

Result<void> EventParser::State::expect_end(od::document& document) {
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) return broken("text after the end of the event");
  return {};
}

Result<void> EventParser::State::read_array(od::array array, const std::function<Result<void>(const Event&)>& each) {
  std::size_t index = 0;
  for (auto element : array) {
    od::object object;
    if (element.get_object().get(object) != simdjson::SUCCESS)
      return broken("not an object", fmt::format("[{}]", index));
    auto ok = read_event(object);
    if (!ok) return at_index(std::move(ok.error()), index);
    if (ok = each(event); !ok) return ok;
    ++index;
  }
  return {};
}

Result<void> EventParser::State::read_event(od::object object) {
  event.extensions.clear();
  event = Event{.extensions = std::move(event.extensions)};
  seen_ = 0;
  has_specversion_ = false;
  data_.reset();
  data_text_.reset();
  base64_.reset();
  for (auto next : object) {
    od::field field;
    if (std::move(next).get(field) != simdjson::SUCCESS) return broken("a member cannot be read");
    if (auto ok = read_member(field); !ok) return ok;
  }
  if (!has_specversion_) return bad_event("`specversion` is missing", "specversion");
  if (auto ok = settle_data(); !ok) return ok;
  return validate(event, limits);
}

Result<void> EventParser::State::read_member(od::field& field) {
  std::string_view name;
  if (field.unescaped_key().get(name) != simdjson::SUCCESS) return broken("the name of a member cannot be read");
  const std::size_t index = member_index(name);
  if (auto ok = mark_seen(index, name); !ok) return ok;
  od::value& value = field.value();
  if (index == data_index) return read_data(value);
  bool null = false;
  if (value.is_null().get(null) != simdjson::SUCCESS) return broken("not a value", name);
  if (null) return {};
  if (index < text_members.size()) return read_text(text_members[index], value);
  if (index == specversion_index) return read_specversion(value);
  return index == data_base64_index ? read_base64(value) : read_extension(name, value);
}

Result<void> EventParser::State::mark_seen(std::size_t index, std::string_view name) {
  if (index == extension_index) return {};  // validate() looks for extensions named twice
  if ((seen_ >> index & 1) != 0) return bad_event(fmt::format("`{}` is given twice", name), name);
  seen_ |= 1u << index;
  return {};
}

Result<void> EventParser::State::read_text(const Member& member, od::value& value) {
  std::string_view& text = event.*member.place;
  if (value.get_string().get(text) != simdjson::SUCCESS)
    return broken(fmt::format("`{}` is not a string", member.name), member.name);
  if (text.empty()) return bad_event(fmt::format("`{}` is empty", member.name), member.name);
  return {};
}

Result<void> EventParser::State::read_specversion(od::value& value) {
  std::string_view version;
  if (value.get_string().get(version) != simdjson::SUCCESS)
    return broken("`specversion` is not a string", "specversion");
  if (version != "1.0") return bad_event("`specversion` is not \"1.0\"", "specversion");
  has_specversion_ = true;
  return {};
}

Result<void> EventParser::State::read_extension(std::string_view name, od::value& value) {
  // Before anything else: a name of any length would come back in the errors below.
  if (name.size() > max_extension_name)
    return bad_event("the name of an extension is 1 to 20 characters of [a-z0-9]", name);
  if (event.extensions.size() == limits.extensions)
    return bad_event(fmt::format("more than {} extensions", limits.extensions), name);
  od::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return broken("not a value", name);
  if (type == od::json_type::number) return read_number(name, value);
  Extension extension{.name = name, .value = {}};
  bool flag = false;
  if (type == od::json_type::string && value.get_string().get(extension.value) == simdjson::SUCCESS) {
    event.extensions.push_back(extension);
    return {};
  }
  if (type == od::json_type::boolean && value.get_bool().get(flag) == simdjson::SUCCESS) {
    event.extensions.push_back({name, flag ? "true" : "false", Extension::Kind::boolean});
    return {};
  }
  return broken(fmt::format("`{}` is not a string, an integer or a boolean", name), name);
}

Result<void> EventParser::State::read_number(std::string_view name, od::value& value) {
  using Limits = std::numeric_limits<std::int32_t>;
  std::string_view token = trimmed(value.raw_json_token());
  std::int64_t number = 0;
  if (!is_integer_token(token) || value.get_int64().get(number) != simdjson::SUCCESS || number < Limits::min() ||
      number > Limits::max())
    return broken(fmt::format("`{}` is not an integer of 32 bits", name), name);
  if (number == 0) token = "0";  // "-0" is the same integer
  event.extensions.push_back({name, token, Extension::Kind::integer});
  return {};
}

Result<void> EventParser::State::read_data(od::value& value) {
  std::string_view text;
  if (simdjson::to_json_string(value).get(text) != simdjson::SUCCESS) return broken("`data` is not a value", "data");
  text = trimmed(text);
  if (syntax.find_error(text)) return broken("`data` is not JSON", "data");
  data_ = text;
  return text.starts_with('"') ? read_data_text(value) : Result<void>{};
}

// A string may turn out to be the data itself: the content type may come later.
Result<void> EventParser::State::read_data_text(od::value& value) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return broken("`data` is not a string", "data");
  if (!is_utf8(text)) return bad_event("`data` holds half a surrogate pair", "data");
  data_text_ = text;
  return {};
}

Result<void> EventParser::State::read_base64(od::value& value) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return broken("`data_base64` is not a string", "data_base64");
  base64_ = text;
  return {};
}

// Decides what the data is, once all members are known: they come in any order.
Result<void> EventParser::State::settle_data() {
  if (data_ && base64_) return bad_event("`data` and `data_base64` exclude each other", "data_base64");
  if (base64_) {
    std::string& out = room();
    const std::size_t before = out.size();
    if (!base64_decode(*base64_, out)) return bad_event("`data_base64` is not base64", "data_base64");
    event.data = std::string_view{out}.substr(before);
    event.data_kind = DataKind::binary;
  } else if (data_) {
    event.data = *data_;
    event.data_kind = DataKind::json;
    const bool json_type = event.datacontenttype.empty() || is_json_type(event.datacontenttype);
    if (!json_type && data_text_) {
      event.data = *data_text_;
      event.data_kind = DataKind::text;
    }
  }
  return {};
}

EventParser::EventParser(const EventLimits& limits) : state_(std::make_unique<State>(limits)) {}
EventParser::~EventParser() = default;

Result<Event> EventParser::parse(std::string_view json) {
  auto document = state_->open(json, 1);
  if (!document) return pass(document);
  od::object object;
  if (document->get_object().get(object) != simdjson::SUCCESS) return state_->broken("an event is a JSON object");
  if (auto ok = state_->read_event(object); !ok) return pass(ok);
  if (auto ok = state_->expect_end(*document); !ok) return pass(ok);
  return state_->event;
}

Result<void> EventParser::parse_batch(std::string_view json, const std::function<Result<void>(const Event&)>& each) {
  auto document = state_->open(json, 2);
  if (!document) return pass(document);
  od::array array;
  if (document->get_array().get(array) != simdjson::SUCCESS) return state_->broken("a batch of events is a JSON array");
  if (auto ok = state_->read_array(array, each); !ok) return ok;
  return state_->expect_end(*document);
}

}  // namespace continuo::record
