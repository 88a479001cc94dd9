// A disk in memory that forgets, at a crash, what was not synced - or half of it.
//
// What is durable and what is only written are kept apart, per file and per name in a folder. `crash_image` makes the
// disk a machine would find after a power cut: every write since the last sync of its file is, by the given randomness,
// kept, dropped, torn at a sector or left as garbage; the same for names not synced in their folder. Blocks that were
// never overwritten keep what they held before. Calls that change the disk are counted; `fail_at` lets one of them
// fail, once or for ever; `cut_at` makes one the last: it, and all after it, give io_error, and its own bytes are left
// un-synced, so an image may hold any part of them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "continuo/base/random.h"
#include "continuo/disk/disk.h"

namespace continuo::disk {

/// Not thread-safe: simulations run in one thread.
class SimulatedDisk final : public Disk {
 public:
  SimulatedDisk();
  ~SimulatedDisk() override;

  enum class Fault : std::uint8_t { io_error, disk_full, short_write };

  /// Changing calls so far.
  std::uint64_t calls() const;
  /// The call with this number (from 1) is cut by a power failure.
  void cut_at(std::uint64_t call);
  /// True once the power is gone.
  bool cut() const;
  /// The call with this number fails; `for_ever` all after it too. A short write leaves half of its bytes.
  void fail_at(std::uint64_t call, Fault fault, bool for_ever);
  void heal();
  /// The disk after a power failure now.
  std::unique_ptr<SimulatedDisk> crash_image(Random& random) const;
  /// The disk after the process was killed: nothing is lost.
  std::unique_ptr<SimulatedDisk> kill_image() const;
  /// Flips one bit of what is stored, durably.
  void flip_bit(const std::string& path, std::uint64_t byte, int bit);
  /// Bytes that fit on it; writes that grow files beyond give disk_full.
  void set_capacity(std::uint64_t bytes);
  /// Files open now.
  std::size_t open_files() const;
  /// Beyond these, opening gives overloaded.
  void set_open_limit(std::size_t files);
  /// A hash over all that is stored, names and bytes: equal disks have equal hashes.
  std::uint64_t fingerprint() const;
  /// Called before every changing call, with its number and what it is ("write journal/00.ring 4096+8192"): for traces.
  void trace(std::function<void(std::uint64_t, const std::string&)> listener);

  Result<std::unique_ptr<File>> open(const std::string& path, const OpenOptions& options) override;
  Result<void> make_folder(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& folder) override;
  Result<bool> exists(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> sync_folder(const std::string& path) override;
  Result<std::unique_ptr<Lock>> lock(const std::string& path) override;
  Result<Mode> probe(const std::string& folder) override;
  Result<Space> space() override;
  std::string native_root() const override { return {}; }

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace continuo::disk
