// Members of JSON objects, read and written. Inside the library.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "continuo/base/errors.h"

namespace continuo::client {

/// connection_failed: what answers there is no Continuo server.
std::unexpected<Error> not_ours(std::string_view what);
/// Errors: as not_ours.
Result<boost::json::object> object_in(std::string_view text);

// What is absent, or of another kind, reads as empty.

const boost::json::array& array_in(const boost::json::object& object, std::string_view name);
/// Also of decimal strings, as offsets are.
std::int64_t number_in(const boost::json::object& object, std::string_view name);
std::string text_in(const boost::json::object& object, std::string_view name);
bool flag_in(const boost::json::object& object, std::string_view name, bool otherwise);

/// Adds a member to an object that is being written: `out` begins with its "{".
void write_text(std::string_view name, std::string_view value, std::string& out);
/// The same, where it says something.
void write_said(std::string_view name, std::string_view value, std::string& out);
/// The same with JSON as its value.
void write_member(std::string_view name, std::string_view raw, std::string& out);

/// None when there are no items; `write` appends one item to a list.
template <class Items, class Write>
void write_array(std::string_view name, const Items& items, std::string& out, const Write& write) {
  if (items.empty()) return;
  std::string list = "[";
  for (const auto& item : items) {
    if (list.size() > 1) list += ',';
    write(item, list);
  }
  write_member(name, list + "]", out);
}

}  // namespace continuo::client
