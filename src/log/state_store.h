// Where checkpoints live: keys and values, changed by one transaction at a time. Never touched by the core thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/disk/disk.h"

namespace continuo::log {

struct StoreChange {
  std::string key;                   ///< 1 to 400 bytes
  std::optional<std::string> value;  ///< none: remove
};

class StateStore {
 public:
  virtual ~StateStore() = default;
  /// Every key and value, in the order of keys; views are valid during the call. An error from `visit` ends it.
  virtual Result<void> load(const std::function<Result<void>(std::string_view, std::string_view)>& visit) = 0;
  /// All of it or nothing; on the disk when it returns. disk_full: nothing changed.
  virtual Result<void> commit(const std::vector<StoreChange>& changes) = 0;
};

/// LMDB in the folder `state` of a real disk.
Result<std::unique_ptr<StateStore>> open_lmdb_store(const std::string& native_folder);

/// A log of transactions in the file `state/log`, for simulated disks: every write passes the seam, so crash tests see
/// it. Keeps all in memory; rewritten as a whole when most of it is old.
Result<std::unique_ptr<StateStore>> open_file_store(disk::Disk& disk);

}  // namespace continuo::log
