#include "continuo/node/wakeup.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace continuo::node {

Wakeup::Wakeup() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { CHECK(fd_ >= 0, "no descriptors left"); }
Wakeup::~Wakeup() { ::close(fd_); }

void Wakeup::wake() {
  // The exchange orders what was put in before it against the sleeper's last look; only the first waker pays the call.
  if (!sleeping_.exchange(false, std::memory_order_seq_cst)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t put = ::write(fd_, &one, sizeof one);  // full means: woken already
}

void Wakeup::sleep(Micros most) {
  pollfd waiting{fd_, POLLIN, 0};
  const timespec limit{static_cast<time_t>(most.count() / 1'000'000),
                       static_cast<long>(most.count() % 1'000'000 * 1000)};
  if (::ppoll(&waiting, 1, &limit, nullptr) > 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(fd_, &count, sizeof count);
  }
  sleeping_.store(false, std::memory_order_relaxed);
}

}  // namespace continuo::node
