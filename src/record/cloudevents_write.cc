// Events as structured JSON.
#include <bit>

#include "continuo/base/bytes.h"
#include "continuo/record/base64.h"
#include "continuo/record/cloudevents.h"
#include "continuo/record/utf8.h"
#include "continuo/record/word_scan.h"

namespace continuo::record {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

// How many bytes at the front stand in a JSON string as they are; those beyond ASCII among them when `utf8`.
std::size_t plain_prefix(std::string_view text, bool utf8) {
  const std::uint64_t beyond_ascii = utf8 ? 0 : word_tops;
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    const auto word = load<std::uint64_t>(text.data() + at);
    const std::uint64_t special =
        bytes_below(word, 0x20) | bytes_equal(word, '"') | bytes_equal(word, '\\') | (word & beyond_ascii);
    if (special != 0) return at + static_cast<std::size_t>(std::countr_zero(special)) / 8;
  }
  for (; at < text.size(); ++at) {
    const auto byte = static_cast<std::uint8_t>(text[at]);
    if (byte < 0x20 || byte == '"' || byte == '\\' || (byte >= 0x80 && !utf8)) break;
  }
  return at;
}

void write_escaped(char c, std::string& out) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default:
      out += "\\u00";
      out += hex[c >> 4 & 15];
      out += hex[c & 15];
  }
}

// Writes what stands at the front and cannot be copied with its neighbours; gives its size.
std::size_t write_special(std::string_view text, std::string& out) {
  if (static_cast<std::uint8_t>(text[0]) < 0x80) {
    write_escaped(text[0], out);
    return 1;
  }
  const std::size_t size = first_code_point(text).size;
  out += size == 0 ? replacement : text.substr(0, size);
  return size == 0 ? 1 : size;
}

void write_member(std::string_view name, std::string_view value, std::string& out) {
  if (value.empty()) return;
  out += ",\"";
  out += name;
  out += "\":";
  write_json_string(value, out);
}

void write_extension(const Extension& extension, std::string& out) {
  out += ",\"";
  out += extension.name;
  out += "\":";
  if (extension.kind == Extension::Kind::string)
    write_json_string(extension.value, out);
  else
    out += extension.value;
}

// `place` takes these names for itself.
bool names_place(std::string_view name) { return name == "partition" || name == "offset"; }

void write_place(const RecordPlace& place, Offset offset, std::string& out) {
  write_member("partition", std::to_string(place.partition.value), out);
  write_member("offset", std::to_string(offset.value), out);
}

// Lays the data into `out` and checks it there, where there is room for the padding; takes it back when it is not JSON.
bool write_if_json(std::string_view data, std::string& out) {
  const std::size_t before = out.size();
  out += ",\"data\":";
  const std::size_t start = out.size();
  out += data;
  out.append(json_padding, ' ');
  const bool valid = validate_json(std::string_view{out}.substr(start, data.size())).has_value();
  out.resize(valid ? start + data.size() : before);
  return valid;
}

void write_base64(std::string_view data, std::string& out) {
  out += ",\"data_base64\":\"";
  base64_encode(data, out);
  out += '"';
}

void write_data(const Event& event, std::string& out) {
  if (event.data_kind == DataKind::none) return;
  if (event.data_kind == DataKind::json && write_if_json(event.data, out)) return;
  if (event.data_kind == DataKind::text) {
    out += ",\"data\":";
    write_json_string(event.data, out);
    return;
  }
  write_base64(event.data, out);
}

std::size_t written_size(const Event& event) {
  std::size_t size = 256 + event.id.size() + event.source.size() + event.type.size() + event.data.size() + json_padding;
  for (const Extension& extension : event.extensions) size += extension.name.size() + extension.value.size() + 8;
  return size;
}

}  // namespace

void write_json_string(std::string_view text, std::string& out) {
  const bool utf8 = is_utf8(text);
  out += '"';
  while (true) {
    const std::size_t plain = plain_prefix(text, utf8);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    text.remove_prefix(write_special(text, out));
  }
  out += '"';
}

void write_json(const Event& event, const RecordPlace* place, Offset offset, std::string& out) {
  // Growing at least twofold: many events are written behind each other.
  if (const std::size_t wanted = out.size() + written_size(event); wanted > out.capacity())
    out.reserve(std::max(wanted, 2 * out.capacity()));
  out += R"({"specversion":"1.0")";
  write_member("id", event.id, out);
  write_member("source", event.source, out);
  write_member("type", event.type, out);
  write_member("subject", event.subject, out);
  write_member("time", event.time, out);
  write_member("datacontenttype", event.datacontenttype, out);
  write_member("dataschema", event.dataschema, out);
  for (const Extension& extension : event.extensions)
    if (place == nullptr || !names_place(extension.name)) write_extension(extension, out);
  if (place != nullptr) write_place(*place, offset, out);
  write_data(event, out);
  out += '}';
}

}  // namespace continuo::record
