#include <map>

#include "continuo/base/bytes.h"
#include "continuo/base/checksum.h"
#include "continuo/log/state_store.h"

namespace continuo::log {
namespace {

const std::string folder = "state";
const std::string path = "state/log";
const std::string next_path = "state/log.next";

// Transaction: u32 length, u32 CRC-32C of what follows, then per change: key, u8 present, value.
class FileStore final : public StateStore {
 public:
  explicit FileStore(disk::Disk& disk) : disk_(disk) {}

  Result<void> open() {
    if (auto made = disk_.make_folder(folder); !made) return made;
    auto file = disk_.open(path, {.create = true});
    if (!file) return pass(file);
    file_ = std::move(*file);
    // What an earlier process left in the page cache must be on the disk before it is believed.
    if (auto synced = file_->sync(); !synced) return synced;
    if (auto synced = disk_.sync_folder(folder); !synced) return synced;
    auto size = file_->size();
    if (!size) return pass(size);
    auto bytes = disk::read_exactly(*file_, 0, *size, path);
    if (!bytes) return pass(bytes);
    replay(*bytes);
    return {};
  }

  Result<void> load(const std::function<Result<void>(std::string_view, std::string_view)>& visit) override {
    for (const auto& [key, value] : content_)
      if (auto visited = visit(key, value); !visited) return visited;
    return {};
  }

  Result<void> commit(const std::vector<StoreChange>& changes) override {
    if (changes.empty()) return {};  // a transaction of no bytes would read as the end of the log
    const std::string transaction = encode(changes);
    if (auto written = file_->write(end_, transaction); !written) return written;
    if (auto synced = file_->sync(); !synced) return synced;
    end_ += transaction.size();
    apply(transaction.substr(8));
    return end_ > 4 * live_ + 65536 ? rewrite() : Result<void>{};
  }

 private:
  static std::string encode(const std::vector<StoreChange>& changes) {
    std::string body;
    ByteWriter writer{body};
    for (const StoreChange& change : changes) {
      writer.text(change.key);
      writer.u8(change.value ? 1 : 0);
      if (change.value) writer.text(*change.value);
    }
    std::string head;
    ByteWriter front{head};
    front.u32(static_cast<std::uint32_t>(body.size()));
    front.u32(crc32c(body));
    return head + body;
  }

  void replay(std::string_view bytes) {
    ByteReader reader{bytes};
    while (reader.left() >= 8) {
      const std::uint32_t length = reader.u32();
      const std::uint32_t crc = reader.u32();
      const std::string_view body = reader.raw(length);
      if (!reader.ok() || length == 0 || crc32c(body) != crc) break;
      apply(body);
      end_ += 8 + length;
    }
  }

  void apply(std::string_view body) {
    ByteReader reader{body};
    while (reader.left() != 0) {
      const std::string key{reader.text()};
      if (const auto old = content_.find(key); old != content_.end()) {
        live_ -= key.size() + old->second.size();
        content_.erase(old);
      }
      if (reader.u8() == 0) continue;
      const auto& made = content_.emplace(key, reader.text()).first;
      live_ += key.size() + made->second.size();
    }
  }

  Result<void> rewrite() {
    std::vector<StoreChange> all;
    for (const auto& [key, value] : content_) all.push_back({key, value});
    const std::string transaction = encode(all);
    auto file = disk_.open(next_path, {.create = true});
    if (!file) return pass(file);
    if (auto cut = (*file)->truncate(0); !cut) return cut;
    if (auto written = (*file)->write(0, transaction); !written) return written;
    if (auto synced = (*file)->sync(); !synced) return synced;
    if (auto renamed = disk_.rename(next_path, path); !renamed) return renamed;
    if (auto synced = disk_.sync_folder(folder); !synced) return synced;
    file_ = std::move(*file);
    end_ = transaction.size();
    return {};
  }

  disk::Disk& disk_;
  std::unique_ptr<disk::File> file_;
  std::map<std::string, std::string> content_;
  std::uint64_t end_ = 0;
  std::uint64_t live_ = 0;
};

}  // namespace

Result<std::unique_ptr<StateStore>> open_file_store(disk::Disk& disk) {
  auto store = std::make_unique<FileStore>(disk);
  if (auto opened = store->open(); !opened) return pass(opened);
  return store;
}

}  // namespace continuo::log
