#include "continuo/log/open_files.h"

#include <algorithm>

namespace continuo::log {

OpenFiles::OpenFiles(disk::Disk& disk, std::size_t cap) : disk_(disk), cap_(std::max(cap, fewest_open_files)) {}

std::size_t OpenFiles::count() const {
  const std::scoped_lock lock{mutex_};
  return at_.size();
}

OpenFiles::File OpenFiles::find(const std::string& path) {
  const std::scoped_lock lock{mutex_};
  const auto found = at_.find(path);
  if (found == at_.end()) return nullptr;
  Entries& list = found->second->unsynced ? unsynced_ : synced_;
  list.splice(list.begin(), list, found->second);
  return found->second->file;
}

// Takes the file in, unless another thread was faster: then theirs counts.
OpenFiles::File OpenFiles::keep(const std::string& path, File file) {
  const std::scoped_lock lock{mutex_};
  if (const auto found = at_.find(path); found != at_.end()) return found->second->file;
  synced_.push_front({path, file, false});
  at_[path] = synced_.begin();
  while (at_.size() > cap_ && synced_.size() > 1) {
    at_.erase(synced_.back().path);
    synced_.pop_back();
  }
  return file;
}

void OpenFiles::close_synced(std::size_t down_to) {
  const std::scoped_lock lock{mutex_};
  while (synced_.size() > down_to) {
    at_.erase(synced_.back().path);
    synced_.pop_back();
  }
}

Result<OpenFiles::File> OpenFiles::get(const std::string& path, bool create) {
  if (auto file = find(path)) return file;
  auto opened = disk_.open(path, {.create = create});
  if (!opened && opened.error().code == Code::overloaded) {
    close_synced(0);
    opened = disk_.open(path, {.create = create});
  }
  if (!opened) return pass(opened);
  return keep(path, std::move(*opened));
}

Result<OpenFiles::File> OpenFiles::open(const std::string& path) { return get(path, false); }

Result<OpenFiles::File> OpenFiles::open_to_write(const std::string& path, bool create) {
  if (auto room = sync_oldest(); !room) return pass(room);
  auto file = get(path, create);
  if (!file) return file;
  mark(path, true);
  return file;
}

void OpenFiles::mark(const std::string& path, bool unsynced) {
  const std::scoped_lock lock{mutex_};
  const auto found = at_.find(path);
  if (found == at_.end() || found->second->unsynced == unsynced) return;
  found->second->unsynced = unsynced;
  (unsynced ? unsynced_ : synced_)
      .splice((unsynced ? unsynced_ : synced_).begin(), unsynced ? synced_ : unsynced_, found->second);
}

// Keeps half of the cap for those who read.
Result<void> OpenFiles::sync_oldest() {
  while (true) {
    Entry oldest;
    {
      const std::scoped_lock lock{mutex_};
      if (unsynced_.size() < cap_ / 2) return {};
      oldest = unsynced_.back();
    }
    if (auto synced = oldest.file->sync(); !synced) {
      synced.error().code = Code::io_error;  // whatever it was: nothing is known now of what was written
      return synced;
    }
    mark(oldest.path, false);
  }
}

Result<void> OpenFiles::sync(const std::string& path) {
  auto file = get(path, false);
  if (!file) return pass(file);
  if (auto synced = (*file)->sync(); !synced) return synced;
  mark(path, false);
  return {};
}

void OpenFiles::forget(const std::string& path) {
  const std::scoped_lock lock{mutex_};
  const auto found = at_.find(path);
  if (found == at_.end()) return;
  Entries& list = found->second->unsynced ? unsynced_ : synced_;
  list.erase(found->second);
  at_.erase(found);
}

}  // namespace continuo::log
