#include "continuo/base/random.h"

#include <sys/random.h>

#include "continuo/base/errors.h"

namespace continuo::inline base {
namespace {

class SystemRandom final : public Random {
 public:
  std::uint64_t next() override {
    std::uint64_t value = 0;
    CHECK(getrandom(&value, sizeof value, 0) == sizeof value, "the system gives no random numbers");
    return value;
  }
};

}  // namespace

Random& system_random() {
  static SystemRandom random;
  return random;
}

}  // namespace continuo::inline base
