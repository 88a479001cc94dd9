// continuo explain, continuo version
#include <fmt/format.h>

#include "continuo/cli/commands.h"
#include "continuo/cli/nearest.h"

namespace continuo::cli {
namespace {

boost::json::object row_of(const CodeInfo& entry) {
  const auto text = [](std::string_view view) { return boost::json::string_view{view.data(), view.size()}; };
  return {{"code", text(entry.name)},
          {"http", entry.http_status},
          {"title", text(entry.title)},
          {"meaning", text(entry.meaning)},
          {"mend", text(entry.mend)}};
}

}  // namespace

Result<void> explain(const Session& session, const std::string& code) {
  auto format = session.format();
  if (!format) return pass(format);
  if (code.empty()) {
    Listing listing({"code", "http", "title"});
    for (const CodeInfo& entry : all_codes()) listing.add(row_of(entry));
    listing.print(*format);
    return {};
  }
  const CodeInfo* entry = find_code(code);
  if (entry) {
    print_object(row_of(*entry), *format);
    return {};
  }
  std::vector<std::string> names;
  for (const CodeInfo& known : all_codes()) names.emplace_back(known.name);
  const std::string close = nearest(code, names);
  return fail(Code::bad_usage, fmt::format("there is no error code '{}'", code), {},
              close.empty() ? "`continuo explain` lists all" : fmt::format("did you mean '{}'?", close));
}

Result<void> version(const Session& session) {
  auto format = session.format();
  if (!format) return pass(format);
  if (settle(*format) == Format::table || session.output.empty()) {
    fmt::print("continuo {}\n", CONTINUO_VERSION);
    return {};
  }
  print_object({{"version", CONTINUO_VERSION}}, *format);
  return {};
}

}  // namespace continuo::cli
