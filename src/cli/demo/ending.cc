#include "continuo/cli/demo/ending.h"

#include <fmt/format.h>

#include <cstdio>

namespace continuo::cli {
namespace {

constexpr Millis between_looks{200};

// How the reader can call this program.
std::string program() { return own_path().starts_with("/usr/bin/") ? "continuo" : own_path(); }

void print_commands(const std::string& first, const std::vector<std::string>& commands, const std::string& url) {
  fmt::print("  {} {}\n", program(), first);
  for (const std::string& words : commands) fmt::print("  {} {} --server {}\n", program(), words, url);
  std::fflush(stdout);
}

// Until Ctrl-C.
void stay(Place& place, const std::stop_token& stop, const std::vector<std::string>& commands) {
  fmt::print("\nThree commands to try in another terminal; the server runs until Ctrl-C:\n");
  print_commands("topic list --server " + place.url(), commands, place.url());
  while (!stopped_within(stop, between_looks) && place.server().running()) {
  }
}

}  // namespace

Result<void> close_up(const Demo& command, Place& place, const std::stop_token& stop,
                      const std::vector<std::string>& commands) {
  if (command.stay) stay(place, stop, commands);
  if (command.no_keep || (command.stay && command.keep.empty())) return {};
  const std::string folder = kept_folder(command.keep);
  if (auto kept = place.keep(folder); !kept) return kept;
  if (command.stay) return {};
  fmt::print("\nThree commands to try on the data, which stays in {} until the next demo:\n", folder);
  print_commands(
      fmt::format("dev --data {}/data --http {} &", folder, place.url().substr(std::string_view{"http://"}.size())),
      commands, place.url());
  return {};
}

}  // namespace continuo::cli
