// Times of an outstanding event: when it may be delivered, and until when.
#pragma once

#include <concepts>

#include "continuo/base/ids.h"
#include "continuo/base/time.h"

namespace continuo::engines {

/// 0: none. Only events that have one stand in lists of these.
struct EventTimes {
  Offset offset;
  WallTime not_before;  ///< it is not delivered earlier, and holds what comes behind it in its key
  WallTime expires;     ///< it is passed over from then on
  bool operator==(const EventTimes&) const = default;
};

template <class Io, class T>
  requires std::same_as<std::remove_const_t<T>, EventTimes>
void fields(Io& io, T& v) {
  io(v.offset, v.not_before, v.expires);
}

}  // namespace continuo::engines
