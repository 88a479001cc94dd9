// continuo demo: the shop, what happens to it, and the account.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <optional>

#include "continuo/cli/commands.h"
#include "continuo/cli/demo/clerk.h"
#include "continuo/cli/demo/ending.h"
#include "continuo/cli/demo/picture.h"
#include "continuo/cli/demo/place.h"
#include "continuo/cli/demo/watch.h"

namespace continuo::cli {
namespace {

constexpr std::uint64_t fast_orders = 150;
constexpr std::string_view malformed_percent = "6";  // of made orders; real ones are as they are
constexpr Millis between_looks{100};
constexpr std::size_t decisions_shown = 8;
// Nothing new for so long means that nothing will come; the account then says what is missing.
constexpr Micros standstill{20'000'000};
constexpr Millis account_patience{60'000};
const std::vector<std::string> first_services{"order", "payment", "inventory", "shipping", "email"};

std::uint64_t lines_in(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t count = 0;
  for (std::string line; std::getline(file, line);) count += line.find_first_not_of(" \t\r") != std::string::npos;
  return count;
}

// Something that happens when so many of the orders are placed.
struct Act {
  double when;  // part of the orders
  std::function<Result<void>()> what;
};

class ShopScene {
 public:
  ShopScene(const Demo& command, Place& place, std::stop_token stop);
  /// Until every order has come to its end. False when it was interrupted.
  Result<bool> play();
  /// The exit code of shop-account.
  Result<int> account();
  std::vector<std::string> what_to_try() const;

 private:
  Result<void> start(const std::string& role, std::vector<std::string> more = {});
  Result<void> kill_email();
  Result<void> kill_server();
  Result<void> call_clerk();
  Result<void> run_due_acts();
  void look();
  std::uint64_t to_come() const;
  bool complete() const;
  bool moves();
  ShopState state();

  const Demo& command_;
  Place& place_;
  std::stop_token stop_;
  std::string shop_;
  std::map<std::string, Process> services_;
  Process customers_;
  std::optional<Clerk> clerk_;
  std::size_t decisions_ = 0;  // of the clerk
  std::uint64_t orders_;
  Watch watch_;
  Picture picture_;
  std::vector<Act> acts_;
  bool server_up_ = true;
  std::uint64_t last_count_ = 0;
  Micros last_move_;
};

ShopScene::ShopScene(const Demo& command, Place& place, std::stop_token stop)
    : command_(command),
      place_(place),
      stop_(std::move(stop)),
      orders_(!command.orders_file.empty() ? lines_in(command.orders_file)
              : command.fast               ? fast_orders
                                           : command.orders),
      watch_(place.connect(Millis{0}),
             {"checkouts", "orders", "payments", "stock", "shipments", "mails", "figures", "continuo.events"}),
      last_move_(system_clock().steady()) {
  acts_ = {{0.25, [this] { return kill_email(); }},
           {0.40, [this] { return kill_server(); }},
           {0.55,
            [this] {
              picture_.note("email is started again and catches up");
              return start("email");
            }},
           {0.70,
            [this] {
              picture_.note("analytics joins, and reads from the beginning");
              return start("analytics");
            }},
           {0.85, [this] { return call_clerk(); }}};
}

Result<void> ShopScene::start(const std::string& role, std::vector<std::string> more) {
  std::vector<std::string> words{shop_, role, "--server", place_.url()};
  words.insert(words.end(), more.begin(), more.end());
  auto process = Process::start(words, place_.log(role));
  if (!process) return pass(process);
  (role == "customers" ? customers_ : services_[role]) = std::move(*process);
  return {};
}

Result<void> ShopScene::kill_email() {
  picture_.note("kill -9 email");
  services_["email"].kill_now();
  return {};
}

Result<void> ShopScene::kill_server() {
  picture_.note("kill -9 the server");
  place_.server().kill_now();
  const Micros begin = system_clock().steady();
  if (auto started = place_.start_server(); !started) return started;
  picture_.note(fmt::format("the server is back after {} ms, on the same port",
                            std::chrono::duration_cast<Millis>(system_clock().steady() - begin).count()));
  return {};
}

// What declared repairs could not mend waits for a person, since whenever: others' orders went on.
Result<void> ShopScene::call_clerk() {
  picture_.note("kim looks at the payments that are parked");
  clerk_.emplace(place_.connect(Millis{0}), place_.url(), place_.log("kim"));
  return {};
}

// Counted in what customers sent, not in seconds: the story is the same on a slow machine.
Result<void> ShopScene::run_due_acts() {
  const double part = static_cast<double>(watch_.of_type("CheckoutSubmitted")) /
                      static_cast<double>(std::max<std::uint64_t>(1, orders_));
  while (!acts_.empty() && part >= acts_.front().when) {
    auto happened = acts_.front().what();
    if (!happened) return happened;
    acts_.erase(acts_.begin());
  }
  return {};
}

ShopState ShopScene::state() {
  ShopState state{.orders = orders_,
                  .placed = watch_.of_type("CheckoutSubmitted"),
                  .shipped = watch_.of_type("OrderCompleted"),
                  .undone = watch_.of_type("OrderCancelled"),
                  .mails = watch_.in_topic("mails"),
                  .counted = watch_.in_topic("figures"),
                  .given_up = watch_.of_type("continuo.key.parked"),
                  .edited = watch_.of_type("continuo.event.edited"),
                  .passed_over = watch_.of_type("continuo.event.skipped"),
                  .server_up = server_up_};
  for (const std::string& name : first_services)
    state.services.emplace_back(name, services_[name].running() ? "up" : "DOWN");
  const bool joined = services_.contains("analytics");
  state.services.emplace_back("analytics", !joined ? "-" : services_["analytics"].running() ? "up" : "DOWN");
  return state;
}

void ShopScene::look() {
  server_up_ = watch_.look();
  picture_.show(state(), watch_);
  if (!clerk_) return;
  for (const std::string& line : clerk_->look_through())
    if (++decisions_ <= decisions_shown) picture_.note((decisions_ < decisions_shown ? "  " : "  and more: ") + line);
}

// Orders of which there will be a mail: what was passed over has no end.
std::uint64_t ShopScene::to_come() const {
  return orders_ - std::min(orders_, watch_.of_type("continuo.event.skipped"));
}

bool ShopScene::complete() const {
  return watch_.of_type("ShopClosed") > 0 && watch_.in_topic("mails") >= to_come() &&
         watch_.in_topic("figures") >= to_come();
}

bool ShopScene::moves() {
  std::uint64_t count = 0;
  for (const std::string& topic : watch_.topics()) count += watch_.in_topic(topic);
  const Micros now = system_clock().steady();
  if (count != last_count_) last_move_ = now;
  last_count_ = count;
  return now - last_move_ < standstill;
}

Result<bool> ShopScene::play() {
  auto shop = companion("shop");
  if (!shop) return pass(shop);
  shop_ = *shop;
  for (const std::string& role : first_services)
    if (auto started = start(role); !started) return pass(started);
  picture_.note("five services are up; customers begin to order");
  std::vector<std::string> wishes{"--rate", std::to_string(command_.rate)};
  if (command_.orders_file.empty())
    wishes.insert(wishes.end(), {"--orders", std::to_string(orders_), "--seed", std::to_string(command_.seed),
                                 "--malformed", std::string{malformed_percent}});
  else
    wishes.insert(wishes.end(), {"--file", command_.orders_file});
  if (auto started = start("customers", wishes); !started) return pass(started);
  while (!complete() && moves()) {
    look();
    if (auto acted = run_due_acts(); !acted) return pass(acted);
    if (stopped_within(stop_, between_looks)) return false;
    if (!customers_.running() && customers_.wait(Millis{0}) != 0 && watch_.of_type("ShopClosed") == 0)
      return fail(Code::bad_request, fmt::format("the customers gave up; see {}", place_.log("customers")));
  }
  picture_.note(complete() ? "every order has come to its end" : "nothing moves any more");
  look();  // the last picture stays
  picture_.finish();
  for (auto& [name, process] : services_) process.end(Millis{3'000});
  return true;
}

Result<int> ShopScene::account() {
  auto program = companion("shop-account");
  if (!program) return pass(program);
  fmt::print("\n");
  auto process = Process::start({*program, "--server", place_.url()}, "");
  if (!process) return pass(process);
  return process->wait(account_patience);
}

// The order that has the most to tell: one that was shipped back, if there is one.
std::vector<std::string> ShopScene::what_to_try() const {
  std::string order;
  for (const std::string_view type : {"ShipmentFailed", "StockRefused", "PaymentFailed", "CheckoutSubmitted"})
    if (order.empty()) order = watch_.first_subject(type);
  return {"tail --correlation " + order, "sub show payment"};
}

}  // namespace

Result<Exit> demo_shop(const Demo& command) {
  const std::stop_token stop = stop_on_signals();
  auto place = Place::open(stop);
  if (!place) return pass(place);
  fmt::print(
      "A shop of six services, on a server of its own. Some payments, reservations and shipments fail and are undone;\n"
      "a service gets killed, and so does the server; one service joins late. Some prices are malformed: those\n"
      "customers' keys are parked until a declared repair, or kim, has mended what failed; nobody else waits.\n\n");
  std::fflush(stdout);
  if (auto started = place->start_server(); !started)
    return stop.stop_requested() ? Result<Exit>{Exit::interrupted} : pass(started);
  ShopScene scene(command, *place, stop);
  auto played = scene.play();
  if (stop.stop_requested()) {
    fmt::print("\ninterrupted; nothing is left behind\n");
    return Exit::interrupted;
  }
  if (!played) {
    place->leave();
    return pass(played);
  }
  auto judged = scene.account();
  if (!judged) return pass(judged);
  if (*judged != 0) {
    place->leave();
    fmt::print("\nThe data and the services' logs stay in {}.\n", place->folder());
    return *judged == 5 ? Exit::breach : Exit::refused;
  }
  if (auto closed = close_up(command, *place, stop, scene.what_to_try()); !closed) return pass(closed);
  return Exit::ok;
}

}  // namespace continuo::cli
