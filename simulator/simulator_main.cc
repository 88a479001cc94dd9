// ./x sim SEED [--steps N] [--seeds FROM..TO] [--trace]
#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>

#include "continuo/simulator/simulation.h"

namespace continuo::simulator {
namespace {

constexpr int exit_usage = 2;
constexpr int exit_breach = 5;
constexpr std::string_view usage = "simulator SEED [--steps N] [--seeds FROM..TO] [--trace]\n";

struct Arguments {
  std::uint64_t from = 0, to = 0;
  SimulationOptions options;
};

bool read_number(std::string_view text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

bool read_range(std::string_view text, Arguments& arguments) {
  const auto dots = text.find("..");
  return dots != std::string_view::npos && read_number(text.substr(0, dots), arguments.from) &&
         read_number(text.substr(dots + 2), arguments.to);
}

std::optional<Arguments> read(int count, char** texts) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string_view text = texts[i];
    const std::string_view next = i + 1 < count ? texts[i + 1] : "";
    if (text == "--trace") {
      arguments.options.trace = true;
    } else if (text == "--steps") {
      if (!read_number(next, arguments.options.steps)) return std::nullopt;
      ++i;
    } else if (text == "--seeds") {
      if (!read_range(next, arguments)) return std::nullopt;
      ++i;
    } else if (!read_number(text, arguments.from)) {
      return std::nullopt;
    } else {
      arguments.to = arguments.from;
    }
  }
  return arguments.to == 0 ? std::nullopt : std::optional{arguments};
}

int run(const Arguments& arguments) {
  for (std::uint64_t seed = arguments.from; seed <= arguments.to; ++seed) {
    SimulationOptions options = arguments.options;
    options.seed = seed;
    const SimulationReport report = simulate(options);
    std::puts(to_string(report).c_str());
    if (!report.breaches.empty()) return exit_breach;
  }
  return 0;
}

}  // namespace
}  // namespace continuo::simulator

int main(int count, char** texts) {
  using namespace continuo::simulator;
  const auto arguments = read(count, texts);
  if (!arguments) {
    std::fputs(usage.data(), stderr);
    return exit_usage;
  }
  return run(*arguments);
}
