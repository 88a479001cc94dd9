// Continuo's matcher as one of the sides of bench/routing, which says what is asked on stdin and how it is answered:
// `routing_load EVENTS PATTERNS`, both files with a JSON object a line.
#include <CLI/CLI.hpp>

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/routing/matcher.h"
#include "continuo/routing/pattern.h"

namespace {

using continuo::routing::Matcher;
using continuo::routing::Matching;
using continuo::routing::Pattern;
using continuo::routing::Scope;

std::string read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Of the processor, for this thread: what else the machine does is not counted.
double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double heap_mb() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd) / 1e6;
}

double resident_mb() {
  std::ifstream file{"/proc/self/statm"};
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  file >> all >> resident;
  return static_cast<double>(resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))) / 1e6;
}

std::shared_ptr<const Matcher> compile(std::span<const std::string_view> lines) {
  std::vector<Pattern> patterns;
  patterns.reserve(lines.size());
  for (const std::string_view line : lines) {
    auto pattern = Pattern::parse(line, Scope::json);
    if (!pattern) throw std::runtime_error(std::string(line) + ": " + to_string(pattern.error()));
    patterns.push_back(*std::move(pattern));
  }
  std::vector<const Pattern*> pointers;
  pointers.reserve(patterns.size());
  for (const Pattern& pattern : patterns) pointers.push_back(&pattern);
  return Matcher::compile(pointers);
}

class Side {
 public:
  Side(const std::string& events, const std::string& patterns)
      : text_(read_file(events)), events_(lines_of(text_)), rules_(read_file(patterns)) {
    lines_ = lines_of(rules_);
    matches_.resize(lines_.size());
    before_mb_ = heap_mb();
    const double begin = processor_seconds();
    matching_.emplace(compile(lines_));
    fmt::print("{{\"events\": {}, \"rules\": {}, \"build_s\": {:.4f}, \"heap_mb\": {:.2f}}}\n", events_.size(),
               lines_.size(), processor_seconds() - begin, heap_mb() - before_mb_);
    flush();
  }

  /// How often each pattern matches the first `count` events.
  void count(std::size_t count) {
    std::fill(matches_.begin(), matches_.end(), 0);
    for (std::size_t i = 0; i < count && i < events_.size(); ++i) match(events_[i]);
    fmt::print("{{\"counts\": [{}]}}\n", fmt::join(matches_, ","));
  }

  /// Events from where the last run stopped, round and round, until so many seconds are over or so many events done.
  void run(double seconds, std::size_t most) {
    const double begin = processor_seconds();
    std::size_t events = 0;
    std::size_t bytes = 0;
    std::uint64_t found = 0;
    double took = 0;
    while (took < seconds && (most == 0 || events < most)) {
      for (int i = 0; i < 64; ++i, next_ = next_ + 1 < events_.size() ? next_ + 1 : 0) {
        found += match(events_[next_]);
        bytes += events_[next_].size();
      }
      events += 64;
      took = processor_seconds() - begin;
    }
    fmt::print("{{\"events\": {}, \"bytes\": {}, \"seconds\": {:.6f}, \"matches\": {}}}\n", events, bytes, took, found);
  }

  /// A line for each event: the patterns that match it.
  void matches(const std::string& path) {
    std::vector<std::vector<std::size_t>> found(events_.size());
    for (std::size_t i = 0; i < events_.size(); ++i) {
      const auto matched = matching_->match_json(events_[i]);
      found[i].assign(matched.begin(), matched.end());
    }
    write(found, path);
  }

  /// The same, by a matcher for each pattern.
  void alone(const std::string& path) {
    std::vector<std::vector<std::size_t>> found(events_.size());
    for (std::size_t pattern = 0; pattern < lines_.size(); ++pattern) {
      Matching own{compile(std::span{lines_}.subspan(pattern, 1))};
      for (std::size_t i = 0; i < events_.size(); ++i)
        if (!own.match_json(events_[i]).empty()) found[i].push_back(pattern);
    }
    write(found, path);
  }

  void memory() {
    fmt::print("{{\"heap_mb\": {:.2f}, \"resident_mb\": {:.2f}}}\n", heap_mb() - before_mb_, resident_mb());
  }

  static void flush() { std::fflush(stdout); }

 private:
  static void write(const std::vector<std::vector<std::size_t>>& found, const std::string& path) {
    std::ofstream file{path};
    for (const auto& each : found) file << fmt::format("{}\n", fmt::join(each, " "));
    fmt::print("{{\"written\": {}}}\n", found.size());
  }

  std::size_t match(std::string_view event) {
    const auto found = matching_->match_json(event);
    for (const std::uint32_t index : found) ++matches_[index];
    return found.size();
  }

  std::string text_;
  std::vector<std::string_view> events_;
  std::string rules_;
  std::vector<std::string_view> lines_;
  std::vector<std::uint64_t> matches_;
  std::optional<Matching> matching_;
  std::size_t next_ = 0;
  double before_mb_ = 0;
};

void serve(Side& side) {
  std::string asked;
  while (std::cin >> asked) {
    if (asked == "count") {
      std::size_t count = 0;
      std::cin >> count;
      side.count(count);
    } else if (asked == "run") {
      double seconds = 0;
      std::size_t most = 0;
      std::cin >> seconds >> most;
      side.run(seconds, most);
    } else if (asked == "matches") {
      std::string path;
      std::cin >> path;
      side.matches(path);
    } else if (asked == "alone") {
      std::string path;
      std::cin >> path;
      side.alone(path);
    } else if (asked == "memory") {
      side.memory();
    } else {
      throw std::runtime_error("not known: " + asked);
    }
    Side::flush();
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Continuo's matcher, driven by bench/routing."};
  std::string events;
  std::string patterns;
  app.add_option("events", events)->required();
  app.add_option("patterns", patterns)->required();
  CLI11_PARSE(app, argc, argv);
  try {
    Side side{events, patterns};
    serve(side);
  } catch (const std::exception& failure) {
    fmt::print(stderr, "routing_load: {}\n", failure.what());
    return 1;
  }
}
