// The classic corpus of event matchers, made up: records of land lots in the shape of San Francisco's, a JSON object a
// line. The same seed gives the same bytes, and event n does not depend on those before it.
// `routing_corpus --events 213068 --seed 1 [--unseen] > lots.ndjson`
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/random.h"

namespace {

using continuo::SeededRandom;
using namespace std::string_view_literals;

constexpr auto KNOWN_STREETS = std::to_array<std::string_view>(
    {"MASON",    "FULTON",  "MISSION",  "GEARY",      "HYDE",     "CHESTNUT", "BEACH",  "JEFFERSON", "WASHINGTON",
     "JACKSON",  "CLAY",    "LOMBARD",  "BRYANT",     "BLAKE",    "DRUMM",    "RHINE",  "ACTON",     "ACADIA",
     "BLUXOME",  "DRAKE",   "PACHECO",  "SANTIAGO",   "UNKNOWN",  "LAKE",     "SPRUCE", "CASTRO",    "NOE",
     "GRATTAN",  "CLIPPER", "BROADWAY", "VALENCIA",   "VALLEJO",  "TAYLOR",   "POLK",   "LARKIN",    "LAWTON",
     "STEINER",  "PIERCE",  "SCOTT",    "DIVISADERO", "BAKER",    "LYON",     "MORAGA", "NORIEGA",   "ORTEGA",
     "QUINTARA", "RIVERA",  "TARAVAL",  "ULLOA",      "VICENTE",  "WAWONA",   "YORBA",  "SAN BRUNO", "SAN JOSE",
     "HARRISON", "FOLSOM",  "STERLING", "KEARNY",     "STOCKTON", "POWELL",   "DUBOCE", "MARKET",    "LIBERTY"});
constexpr auto FIRSTS = std::to_array<std::string_view>({"AL",  "BAR", "CAR", "DEL", "EL",  "FER", "GAR", "HAR", "IN",
                                                         "JUN", "KEN", "LOR", "MAR", "NOR", "OR",  "PAR", "QUI", "ROS",
                                                         "SAN", "TER", "UN",  "VAL", "WIN", "YOR", "ZEN"});
constexpr auto MIDDLES = std::to_array<std::string_view>({"", "A", "BE", "CI", "DO", "LE", "MI", "NO", "RE", "TA"});
constexpr auto LASTS =
    std::to_array<std::string_view>({"TON", "SON", "LAND", "WOOD", "VIEW", "ING", "KE", "GO", "RA", "MM", "ET", "ICK"});
constexpr std::size_t STREETS = 1'700;
constexpr auto TYPES = std::to_array<std::string_view>({"DR", "BLVD", "WAY", "CT", "TER", "LN", "PL", "ALY", "RD"});

/// A few of them have most of the lots.
std::vector<std::string> make_streets() {
  std::vector<std::string> made(KNOWN_STREETS.begin(), KNOWN_STREETS.end());
  for (int number = 1; number <= 48; ++number) {
    const int last = number % 10;
    const bool teen = number / 10 == 1;
    const std::string_view ending = teen ? "TH" : last == 1 ? "ST" : last == 2 ? "ND" : last == 3 ? "RD" : "TH";
    made.push_back((number < 10 ? "0" : "") + std::to_string(number) + std::string(ending));
  }
  for (std::size_t i = 0; made.size() < STREETS; ++i) {
    const std::size_t j = i * 7'919 % (FIRSTS.size() * MIDDLES.size() * LASTS.size());  // mixed, each once
    made.push_back(std::string(FIRSTS[j % FIRSTS.size()]) + std::string(MIDDLES[j / FIRSTS.size() % MIDDLES.size()]) +
                   std::string(LASTS[j / FIRSTS.size() / MIDDLES.size()]));
  }
  return made;
}

/// One of `count`, the first ones much more often than the last.
std::size_t skewed(SeededRandom& random, std::size_t count) {
  const std::uint64_t low = std::min(random.below(count), random.below(count));
  return std::min(low, random.below(count));
}

class Corpus {
 public:
  Corpus(std::uint64_t seed, bool unseen) : seed_(seed), unseen_(unseen), streets_(make_streets()) {}

  void add(std::uint64_t number, std::string& to) {
    SeededRandom random{seed_ * 0x9e3779b97f4a7c15u ^ SeededRandom{number}.next()};
    to_ = &to;
    put(R"({"type":"Feature","properties":{)");
    lot(random);
    address(random, number);
    const bool many = random.chance(1, 1'775);
    put(R"(},"geometry":{"type":")", many ? "MultiPolygon" : "Polygon", R"(","coordinates":[)");
    shape(random, many);
    put("}}\n");
  }

 private:
  template <class... Text>
  void put(const Text&... text) {
    (to_->append(text), ...);
  }

  void digits(std::uint64_t number, int width) {
    std::array<char, 20> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    to_->append(static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, width - (end - text.data()))), '0');
    to_->append(text.data(), end);
  }

  /// Flats share the lot that the map shows: from two to several hundred of them.
  void lot(SeededRandom& random) {
    const bool flat = random.chance(1, 4);
    const std::uint64_t block = 1 + (flat ? skewed(random, 900) : random.below(5'900));
    const std::uint64_t map_lot = 1 + (flat ? random.below(3) : random.below(60));
    const std::uint64_t own_lot = flat ? 100 + random.below(800) : map_lot;
    put(R"("MAPBLKLOT":")");
    block_and_lot(block, map_lot);
    put(R"(","BLKLOT":")");
    block_and_lot(block, own_lot);
    put(R"(","BLOCK_NUM":")");
    digits(block, 4);
    put(R"(","LOT_NUM":")");
    digits(own_lot, 3);
    put("\"");
  }

  void block_and_lot(std::uint64_t block, std::uint64_t lot) {
    digits(block, 4);
    digits(lot, 3);
    if ((block * 61 + lot) % 40 == 0) put("A");
  }

  void address(SeededRandom& random, std::uint64_t number) {
    const bool known = !random.chance(1, 25);
    const std::uint64_t from = 1 + skewed(random, 3'800);
    put(R"(,"FROM_ST":)");
    house(known, from);
    put(R"(,"TO_ST":)");
    house(known, from + 2 * random.below(4));
    put(R"(,"STREET":")");
    if (unseen_) {
      never_seen(random, number);
    } else {
      put(streets_[random.chance(1, 3) ? skewed(random, 100) : skewed(random, streets_.size())]);
    }
    const std::uint64_t type = random.below(100);
    put(R"(","ST_TYPE":)");
    if (type < 3)
      put("null");
    else
      put("\"", type < 55 ? "ST"sv : type < 86 ? "AVE"sv : TYPES[type % TYPES.size()], "\"");
    put(R"(,"ODD_EVEN":")", from % 2 == 0 ? "E" : "O", "\"");
  }

  void house(bool known, std::uint64_t number) {
    if (!known) {
      put("null");
      return;
    }
    put("\"");
    digits(number, 1);
    put("\"");
  }

  /// Letters at random, and the event's number in letters, so that no two events have the same.
  void never_seen(SeededRandom& random, std::uint64_t number) {
    constexpr std::string_view OFTEN = "EEEAAAOOIINNRRSSTTLLDDMCHGPBUVWYKFQJXZ";
    for (std::uint64_t left = 4 + random.below(9); left > 0; --left) to_->push_back(OFTEN[random.below(OFTEN.size())]);
    for (int digit = 0; digit < 5; ++digit, number /= 26) to_->push_back(static_cast<char>('A' + number % 26));
  }

  void shape(SeededRandom& random, bool many) {
    std::uint64_t points = 5;
    while (random.chance(4, 5) && points < 60) ++points;
    if (many) points *= 4;
    const std::uint64_t x = 3'600'000'000'000 + random.below(1'500'000'000'000);
    const std::uint64_t y = 7'000'000'000'000 + random.below(1'000'000'000'000);
    std::uint64_t first_x = 0;
    std::uint64_t first_y = 0;
    for (std::uint64_t i = 0; i < points; ++i) {
      const bool surveyed = random.chance(1, 5'000);  // where many lots have a corner
      const std::uint64_t at_x = surveyed ? 4'291'636'092'235 : x + random.below(3'000'000'000);
      const std::uint64_t at_y = surveyed ? 7'290'021'621'732 : y + random.below(3'000'000'000);
      if (i == 0) first_x = at_x, first_y = at_y;
      if (i > 0) put(",");
      point(at_x, at_y);
    }
    put(R"(],"firstCoordinates":)");
    point(first_x, first_y);
  }

  void point(std::uint64_t x, std::uint64_t y) {
    put(R"({"x":-122.)");
    digits(x, 13);
    put(R"(,"y":37.)");
    digits(y, 13);
    put(R"(,"z":0})");
  }

  std::uint64_t seed_;
  bool unseen_;
  std::vector<std::string> streets_;
  std::string* to_ = nullptr;
};

void write(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) throw std::runtime_error("cannot write");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Records of land lots, made up: an event a line."};
  std::uint64_t events = 213'068;
  std::uint64_t seed = 1;
  bool unseen = false;
  app.add_option("--events", events);
  app.add_option("--seed", seed);
  app.add_flag("--unseen", unseen, "every event's STREET is one that no other has");
  CLI11_PARSE(app, argc, argv);
  Corpus corpus{seed, unseen};
  std::string text;
  for (std::uint64_t number = 0; number < events; ++number) {
    corpus.add(number, text);
    if (text.size() < 1u << 20) continue;
    write(text);
    text.clear();
  }
  write(text);
}
