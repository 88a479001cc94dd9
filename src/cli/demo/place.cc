#include "continuo/cli/demo/place.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "continuo/cli/session.h"
#include "continuo/cli/settings_file.h"

namespace continuo::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view folder_prefix = "demo.";
constexpr std::string_view journal_size = "128MiB";  // as `continuo dev` has it
constexpr Millis ready_patience{30'000};
constexpr Millis end_patience{5'000};
constexpr Millis look_again{20};

// Folders are named after the process that made them.
void remove_abandoned(const fs::path& parent) {
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, failed)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(folder_prefix)) continue;
    pid_t maker = 0;
    const auto [end, error] = std::from_chars(name.data() + folder_prefix.size(), name.data() + name.size(), maker);
    const bool gone = error == std::errc{} && end == name.data() + name.size() && kill(maker, 0) != 0 && errno == ESRCH;
    if (gone) fs::remove_all(entry.path(), failed);
  }
}

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::string kept_folder(const std::string& keep) {
  return keep.empty() ? user_folder("CACHE") + "/continuo/demo" : fs::absolute(keep).string();
}

Result<Place> Place::open(std::stop_token stop) {
  for (const fs::path& parent : {fs::path(user_folder("CACHE")) / "continuo", fs::temp_directory_path() / "continuo"}) {
    std::error_code failed;
    fs::create_directories(parent, failed);
    remove_abandoned(parent);
    const fs::path folder = parent / fmt::format("{}{}", folder_prefix, getpid());
    if (fs::create_directory(folder, failed)) return Place(folder.string(), std::move(stop));
  }
  return fail(Code::io_error, "no folder for the demo's data could be made", user_folder("CACHE"),
              "name one that can be written with XDG_CACHE_HOME");
}

Place::Place(Place&& other) noexcept
    : folder_(std::exchange(other.folder_, {})),
      stop_(std::move(other.stop_)),
      url_(std::move(other.url_)),
      server_(std::move(other.server_)),
      leave_(other.leave_) {}

Place::~Place() {
  server_.kill_now();
  if (folder_.empty() || leave_) return;
  std::error_code failed;
  fs::remove_all(folder_, failed);
}

// The server says its address in the line it prints when it is ready; the log holds those of earlier starts too.
Result<std::string> Place::wait_until_ready(std::size_t from) {
  for (Millis waited{0}; waited < ready_patience; waited += look_again) {
    const std::string text = text_of(log("server"));
    const std::size_t ready = text.find(" ready: ", from);
    if (ready != std::string::npos && text.find('\n', ready) != std::string::npos)
      return text.substr(ready + 8, text.find(' ', ready + 8) - ready - 8);
    if (!server_.running()) return fail(Code::node_failed, fmt::format("the server ended: {}", text.substr(from)));
    if (stopped_within(stop_, look_again)) return fail(Code::connection_failed, "interrupted");
  }
  return fail(Code::node_failed, fmt::format("the server was not ready after {}", format_duration(ready_patience)));
}

Result<void> Place::start_server() {
  const std::size_t from = text_of(log("server")).size();
  const std::string address = url_.empty() ? "127.0.0.1:0" : url_.substr(std::string_view{"http://"}.size());
  auto started = Process::start(
      {own_path(), "serve", "--data", data(), "--http", address, "--journal-size", std::string{journal_size}},
      log("server"));
  if (!started) return pass(started);
  server_ = std::move(*started);
  auto url = wait_until_ready(from);
  if (!url) return pass(url);
  url_ = *url;
  return {};
}

client::Client Place::connect(Millis patience) const {
  auto address = client::parse_address(url_);
  return client::Client(
      {.server = address.value_or(client::Address{}), .timeout = Millis{5'000}, .patience = patience, .stop = stop_});
}

Result<void> Place::keep(const std::string& to) {
  server_.end(end_patience);
  std::error_code failed;
  fs::create_directories(fs::path(to).parent_path(), failed);
  fs::remove_all(to, failed);
  fs::rename(folder_, to, failed);
  if (failed) fs::copy(folder_, to, fs::copy_options::recursive, failed);
  if (failed) return fail(Code::io_error, fmt::format("the data cannot be kept: {}", failed.message()), to);
  return {};
}

}  // namespace continuo::cli
