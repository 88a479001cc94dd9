// Those who order: orders from a seed or a file, published at a steady rate.
#pragma once

#include <cstdint>
#include <string>

#include "continuo/base/errors.h"
#include "continuo/client/client.h"

namespace shop {

struct CustomerOptions {
  std::uint64_t orders = 600;
  std::uint64_t seed = 1;
  std::uint32_t rate = 50;  ///< orders a second; 0: as fast as it goes
  unsigned malformed = 0;   ///< percent of the orders made, whose prices are as price.h says
  std::string file;         ///< NDJSON of real orders, instead of made ones
};

/// Publishes all orders to `checkouts`, in order, and at the end ShopClosed with their number: what the account counts
/// against. Errors: bad_json, bad_event, io_error (the file), and the client's.
continuo::Result<std::uint64_t> send_orders(continuo::client::Client& client, const CustomerOptions& options);

}  // namespace shop
