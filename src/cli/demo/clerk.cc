#include "continuo/cli/demo/clerk.h"

#include <boost/json.hpp>

#include <fmt/format.h>

#include <charconv>

#include "continuo/cli/demo/process.h"

namespace continuo::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view subscription = "payment";
constexpr std::string_view name = "kim";
constexpr Millis patience{10'000};
constexpr std::size_t most_digits = 15;

std::optional<std::int64_t> digits(std::string_view text) {
  std::int64_t number = 0;
  if (text.empty() || text.size() > most_digits || text.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The event with its amount in cents; none when no amount can be made of what stands there.
std::optional<client::Event> in_cents(client::Event event) {
  boost::system::error_code error;
  json::value data = json::parse(json::string_view{event.data.data(), event.data.size()}, error);
  if (error || !data.is_object()) return std::nullopt;
  json::value* amount = data.as_object().if_contains("amount");
  if (!amount || !amount->is_string()) return std::nullopt;
  const auto cents = cents_of(std::string_view{amount->as_string().data(), amount->as_string().size()});
  if (!cents) return std::nullopt;
  *amount = *cents;
  return event.json(json::serialize(data));
}

}  // namespace

std::optional<std::int64_t> cents_of(std::string_view amount) {
  const std::size_t point = amount.find('.');
  const auto whole = digits(amount.substr(0, point));
  if (!whole) return std::nullopt;
  if (point == std::string_view::npos) return *whole * 100;
  const std::string_view part = amount.substr(point + 1);
  const auto rest = digits(part);
  if (!rest || part.size() > 2) return std::nullopt;
  return *whole * 100 + (part.size() == 1 ? *rest * 10 : *rest);
}

Clerk::Clerk(client::Client server, std::string url, std::string log)
    : server_(std::move(server)), url_(std::move(url)), log_(std::move(log)) {}

bool Clerk::run(std::vector<std::string> words, const std::string& reason) {
  words.insert(words.begin(), own_path());
  words.insert(words.end(), {"--by", std::string{name}, "--reason", reason, "--server", url_});
  auto process = Process::start(words, log_);
  return process && process->wait(patience) == 0;
}

std::optional<std::string> Clerk::decide(const client::ParkedKey& parked) {
  if (!parked.event) return std::nullopt;
  const std::string of{subscription};
  if (const auto mended = in_cents(*parked.event)) {
    if (!run({"parked", "edit", of, parked.id, "--event", client::to_json(*mended)}, "written in euros"))
      return std::nullopt;
    return fmt::format("continuo parked edit {} {} ...    # {}", of, parked.key, parked.message);
  }
  if (!run({"parked", "skip", of, parked.id}, "no price can be made of it")) return std::nullopt;
  return fmt::format("continuo parked skip {} {} ...    # {}", of, parked.key, parked.message);
}

std::vector<std::string> Clerk::look_through() {
  std::vector<std::string> lines;
  const auto page = client::Healing(server_, subscription).parked();
  if (!page) return lines;
  for (const client::ParkedKey& parked : page->keys) {
    if (parked.state != "parked" || parked.repair_by == "declared") continue;
    if (auto line = decide(parked)) lines.push_back(std::move(*line));
  }
  return lines;
}

}  // namespace continuo::cli
