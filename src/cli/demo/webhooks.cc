#include "continuo/cli/demo/webhooks.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "continuo/cli/demo/process.h"
#include "continuo/cli/output.h"
#include "continuo/cli/settings_file.h"

namespace continuo::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
namespace od = simdjson::ondemand;

constexpr std::string_view package = "@octokit/webhooks-examples";
constexpr Millis npm_patience{60'000};

// The first program of that name in PATH; empty when there is none.
std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string place = folder + "/" + name;
    if (access(place.c_str(), X_OK) == 0) return place;
  }
  return {};
}

Result<void> run(std::vector<std::string> words, const std::string& log) {
  const std::string name = words.front();
  words.front() = find_program(name);
  if (words.front().empty())
    return fail(Code::unsupported, fmt::format("the webhook examples come with npm, and there is no {}", name), {},
                "install npm, or give --examples FILE: api.github.com/index.json of the npm package "
                "@octokit/webhooks-examples");
  auto process = Process::start(words, log);
  if (!process) return pass(process);
  if (process->wait(npm_patience) == 0) return {};
  std::ifstream said(log);
  return fail(
      Code::connection_failed,
      fmt::format("{} did not bring {}: {}", name, package, std::string{std::istreambuf_iterator<char>(said), {}}), {},
      "see whether npm reaches its registry, or give --examples FILE");
}

std::string find_archive(const fs::path& folder) {
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, failed))
    if (entry.path().extension() == ".tgz") return entry.path().string();
  return {};
}

const json::value* at(const json::value& value, std::string_view name) {
  return value.is_object() ? value.as_object().if_contains(json::string_view{name.data(), name.size()}) : nullptr;
}

// A text two levels down: repository.full_name
std::string text_at(const json::value& value, std::string_view outer, std::string_view inner) {
  const json::value* object = at(value, outer);
  const json::value* text = object ? at(*object, inner) : nullptr;
  return text && text->is_string() ? std::string{text->as_string().c_str()} : std::string{};
}

// Whose order the event belongs to.
std::string owner_of(const json::value& payload) {
  for (const auto& [outer, inner] :
       {std::pair{"repository", "full_name"}, {"organization", "login"}, {"installation", "id"}, {"sender", "login"}})
    if (std::string text = text_at(payload, outer, inner); !text.empty()) return text;
  return "github";
}

Result<client::Event> event_of(std::string_view name, std::size_t number, std::string_view text) {
  boost::system::error_code error;
  const json::value payload = json::parse(json::string_view{text.data(), text.size()}, error);
  if (error) return fail(Code::bad_json, fmt::format("example {} of {} is no JSON", number, name));
  const json::value* action = at(payload, "action");
  client::Event event{.id = fmt::format("{}.{}", name, number),
                      .source = "https://github.com",
                      .type = fmt::format("com.github.{}", name),
                      .subject = owner_of(payload)};
  if (action && action->is_string()) event.type += fmt::format(".{}", std::string_view{action->as_string().c_str()});
  return event.json(std::string{text});
}

// One kind of webhook: {"name":"issues",...,"examples":[...]}.
Result<void> read_kind(od::object kind, std::vector<client::Event>& events) {
  std::string_view name;
  od::array examples;
  if (kind["name"].get_string().get(name) != simdjson::SUCCESS ||
      kind["examples"].get_array().get(examples) != simdjson::SUCCESS)
    return fail(Code::bad_json, "a webhook has no `name` or no `examples`");
  std::size_t number = 0;
  for (auto example : examples) {
    od::object object;
    std::string_view text;
    if (example.get_object().get(object) != simdjson::SUCCESS || object.raw_json().get(text) != simdjson::SUCCESS)
      return fail(Code::bad_json, fmt::format("an example of {} is no object", name));
    auto event = event_of(name, ++number, text.substr(0, text.find_last_of('}') + 1));
    if (!event) return pass(event);
    events.push_back(std::move(*event));
  }
  return {};
}

}  // namespace

Result<std::string> fetch_webhooks() {
  const fs::path folder = fs::path(user_folder("CACHE")) / "continuo/webhooks-examples";
  const fs::path index = folder / "package/api.github.com/index.json";
  std::error_code failed;
  if (fs::exists(index, failed)) return index.string();
  fs::create_directories(folder, failed);
  const std::string log = (folder / "npm.log").string();
  fs::remove(log, failed);
  auto packed = run({"npm", "pack", "--silent", std::string{package}, "--pack-destination", folder.string()}, log);
  if (!packed) return pass(packed);
  auto unpacked = run({"tar", "-xzf", find_archive(folder), "-C", folder.string()}, log);
  if (!unpacked) return pass(unpacked);
  if (fs::exists(index, failed)) return index.string();
  return fail(Code::unsupported, fmt::format("the package {} holds no api.github.com/index.json", package),
              folder.string());
}

Result<std::vector<client::Event>> read_webhooks(const std::string& path) {
  simdjson::padded_string text;
  if (simdjson::padded_string::load(path).get(text) != simdjson::SUCCESS)
    return fail(Code::io_error, fmt::format("the file '{}' cannot be read", path), path);
  od::parser parser;
  od::document document;
  od::array kinds;
  if (parser.iterate(text).get(document) != simdjson::SUCCESS || document.get_array().get(kinds) != simdjson::SUCCESS)
    return fail(Code::bad_json, fmt::format("'{}' is no list of webhooks", path), path);
  std::vector<client::Event> events;
  for (auto kind : kinds) {
    od::object object;
    if (kind.get_object().get(object) != simdjson::SUCCESS) return fail(Code::bad_json, "a webhook is no object", path);
    if (auto read = read_kind(object, events); !read) return pass(read);
  }
  return events;
}

}  // namespace continuo::cli
