// continuo publish, continuo import
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include "continuo/cli/commands.h"
#include "continuo/cli/progress.h"

namespace continuo::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t max_chunk_bytes = 4u << 20;
constexpr Millis import_patience{60'000};

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

bool is_json(std::string_view text) {
  boost::system::error_code error;
  json::parse(json::string_view{text.data(), text.size()}, error);
  return !error;
}

Result<client::Event> event_of(const Publish& command, std::string data) {
  client::Event event{.id = command.id, .source = command.source, .type = command.type, .subject = command.subject};
  if (!command.key.empty()) event.extend("partitionkey", command.key);
  for (const std::string& pair : command.extensions) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos)
      return fail(Code::bad_usage, fmt::format("'{}' is no extension", pair), "--extension", "NAME=VALUE");
    event.extend(pair.substr(0, equals), pair.substr(equals + 1));
  }
  if (data.empty()) return event;
  if (is_json(data)) return event.json(std::move(data));
  event.data = std::move(data);
  event.data_kind = client::DataKind::text;
  event.datacontenttype = "text/plain";
  return event;
}

void print_places(const std::vector<client::Place>& places, Format format) {
  Listing listing({"partition", "offset", "duplicate"});
  for (const client::Place& place : places)
    listing.add({{"partition", place.partition.value},
                 {"offset", std::to_string(place.offset.value)},
                 {"duplicate", place.duplicate}});
  listing.print(format);
}

// Events as lines, sent in chunks; each chunk is one commit, and the next waits for its answer.
class LineSender {
 public:
  struct Counts {
    std::uint64_t sent = 0, duplicates = 0, bytes = 0;
  };

  LineSender(client::Client& server, std::string topic, std::size_t events_at_once)
      : server_(server), topic_(std::move(topic)), events_at_once_(events_at_once) {}

  Result<void> add(std::string line) {
    ++line_;
    counts_.bytes += line.size() + 1;
    if (is_blank(line)) return {};
    waiting_bytes_ += line.size();
    lines_.push_back(line_);
    waiting_.push_back(std::move(line));
    return waiting_.size() >= events_at_once_ || waiting_bytes_ >= max_chunk_bytes ? send() : Result<void>{};
  }

  Result<void> send() {
    if (waiting_.empty()) return {};
    auto places = server_.publish_json(topic_, waiting_);
    if (!places) return std::unexpected(with_line(places.error()));
    for (const client::Place& place : *places) counts_.duplicates += place.duplicate;
    counts_.sent += waiting_.size();
    last_ = std::move(*places);
    waiting_.clear();
    lines_.clear();
    waiting_bytes_ = 0;
    return {};
  }

  const Counts& counts() const { return counts_; }
  const std::vector<client::Place>& last() const { return last_; }

 private:
  // The server names the place in the chunk ("[3].id"): here it is a line of the file.
  Error with_line(Error error) const {
    std::size_t index = 0;
    if (std::sscanf(error.at.c_str(), "[%zu]", &index) == 1 && index < lines_.size())
      error.at = fmt::format("line {}{}", lines_[index], error.at.substr(error.at.find(']') + 1));
    else if (!lines_.empty())
      error.at =
          fmt::format("lines {} to {}{}{}", lines_.front(), lines_.back(), error.at.empty() ? "" : ", ", error.at);
    if (counts_.sent > 0)
      error.hint =
          fmt::format("{} events before it are in; importing again soon (dedup window) repeats none", counts_.sent);
    return error;
  }

  client::Client& server_;
  std::string topic_;
  std::size_t events_at_once_;
  std::vector<std::string> waiting_;
  std::vector<std::uint64_t> lines_;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t line_ = 0;
  Counts counts_;
  std::vector<client::Place> last_;
};

std::string read_input() { return {std::istreambuf_iterator<char>(std::cin), {}}; }

Result<void> publish_lines(client::Client& server, const Publish& command, Format format) {
  LineSender sender(server, command.topic, 500);
  for (std::string line; std::getline(std::cin, line);)
    if (auto added = sender.add(std::move(line)); !added) return added;
  if (auto sent = sender.send(); !sent) return sent;
  print_object({{"published", sender.counts().sent}, {"duplicates", sender.counts().duplicates}}, format);
  return {};
}

Result<void> import_from(std::istream& in, std::uint64_t size, client::Client& server, const Import& command) {
  LineSender sender(server, command.topic, command.chunk);
  Progress progress("import " + command.topic, size);
  const Micros began = system_clock().steady();
  const auto rate = [&] {
    const Micros passed = std::max(Micros{1}, system_clock().steady() - began);
    return static_cast<double>(sender.counts().sent) * 1e6 / static_cast<double>(passed.count());
  };
  for (std::string line; std::getline(in, line);) {
    if (auto added = sender.add(std::move(line)); !added) return added;
    progress.show(sender.counts().bytes, fmt::format("{} events, {:.0f}/s", sender.counts().sent, rate()));
  }
  if (auto sent = sender.send(); !sent) return sent;
  progress.finish();
  fmt::print(stderr, "{} events imported, {} of them were there already\n", sender.counts().sent,
             sender.counts().duplicates);
  return {};
}

}  // namespace

Result<void> publish(const Session& session, const Publish& command) {
  auto format = session.format();
  if (!format) return pass(format);
  auto server = session.connect();
  if (!server) return pass(server);
  if (command.type.empty() && command.has_data)
    return fail(Code::bad_usage, "an event needs a type", "--type",
                "without --type, events are read from stdin, one JSON event a line");
  if (command.type.empty()) return publish_lines(*server, command, *format);
  const bool from_input = command.data == "-" || (!command.has_data && isatty(STDIN_FILENO) == 0);
  auto event = event_of(command, from_input ? read_input() : command.data);
  if (!event) return pass(event);
  auto place = server->publish(command.topic, *event);
  if (!place) return pass(place);
  print_places({*place}, *format);
  return {};
}

Result<void> import_file(const Session& session, const Import& command) {
  auto server = session.connect(import_patience);
  if (!server) return pass(server);
  if (command.file == "-") return import_from(std::cin, 0, *server, command);
  std::ifstream file(command.file, std::ios::binary | std::ios::ate);
  if (!file)
    return fail(Code::io_error, fmt::format("the file '{}' cannot be read", command.file), command.file,
                "check its name");
  const auto size = static_cast<std::uint64_t>(file.tellg());
  file.seekg(0);
  return import_from(file, size, *server, command);
}

}  // namespace continuo::cli
