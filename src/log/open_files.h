// The topic files that are open: the ones used last, so that any number of segments needs a bounded number of
// descriptors.
//
// A file in use stays open until its user lets it go, whatever happens here; so there may be a few more open than the
// cap for a moment. A file with unsynced writes is never just closed: the kernel tells of a write that failed only
// those who have the file open. It is synced first, by the writing thread, when more than half of the cap are such.
//
// Any thread may open; one thread writes and syncs (write-behind).
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "continuo/base/errors.h"
#include "continuo/disk/disk.h"

namespace continuo::log {

constexpr std::size_t fewest_open_files = 8;

class OpenFiles {
 public:
  using File = std::shared_ptr<disk::File>;

  OpenFiles(disk::Disk& disk, std::size_t cap);
  disk::Disk& disk() const { return disk_; }

  /// Opens it, unless it is open. Errors: io_error; overloaded when the process has no descriptor left, also after
  /// those that are only kept here were given up.
  Result<File> open(const std::string& path);

  // --- writing thread ---
  /// The same, to be written: it counts as unsynced from now on. Errors too: disk_full; io_error of another file that
  /// had to be synced to be closed.
  Result<File> open_to_write(const std::string& path, bool create);
  Result<void> sync(const std::string& path);

  /// The file is to be removed, or nobody will ask for it again.
  void forget(const std::string& path);
  std::size_t count() const;

 private:
  struct Entry {
    std::string path;
    File file;
    bool unsynced = false;
  };
  using Entries = std::list<Entry>;

  Result<File> get(const std::string& path, bool create);
  File find(const std::string& path);
  File keep(const std::string& path, File file);
  void close_synced(std::size_t down_to);
  Result<void> sync_oldest();
  void mark(const std::string& path, bool unsynced);

  disk::Disk& disk_;
  const std::size_t cap_;
  mutable std::mutex mutex_;
  Entries synced_, unsynced_;  // the one used last in front
  std::unordered_map<std::string, Entries::iterator> at_;
};

}  // namespace continuo::log
