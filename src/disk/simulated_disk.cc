#include "continuo/disk/simulated_disk.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "continuo/base/hash.h"

namespace continuo::disk {
namespace {

constexpr std::size_t sector = 512;

struct Pending {
  std::uint64_t at;
  std::string bytes;
  bool truncation = false;  // `at` is the new length
};

// A file's bytes apart from its names.
struct Inode {
  std::string current;
  std::string durable;
  std::vector<Pending> pending;

  static void put(std::string& content, const Pending& write) {
    if (write.truncation) {
      content.resize(write.at);
      return;
    }
    if (write.bytes.empty()) return;  // a write of nothing does not make the file longer
    if (content.size() < write.at + write.bytes.size()) content.resize(write.at + write.bytes.size());
    std::memcpy(content.data() + write.at, write.bytes.data(), write.bytes.size());
  }
  void change(Pending write) {
    put(current, write);
    pending.push_back(std::move(write));
  }
  void sync() {
    for (const Pending& write : pending) put(durable, write);
    pending.clear();
  }
};

using Names = std::map<std::string, std::shared_ptr<Inode>>;

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string{} : path.substr(0, slash);
}

// What a power failure leaves of one un-synced write.
void leave(std::string& content, const Pending& write, Random& random) {
  const auto fate = random.below(8);
  if (fate < 3) return Inode::put(content, write);
  if (fate < 5 || write.truncation) return;
  Pending part = write;
  const std::size_t sectors = write.bytes.size() / sector + 1;
  if (fate == 5) {  // a front part
    part.bytes.resize(std::min(write.bytes.size(), random.below(sectors) * sector));
    return Inode::put(content, part);
  }
  if (content.size() < write.at + write.bytes.size()) content.resize(write.at + write.bytes.size());
  for (std::size_t at = 0; at < write.bytes.size(); at += sector) {  // some sectors, perhaps as garbage
    const std::size_t size = std::min(sector, write.bytes.size() - at);
    if (random.chance(1, 2))
      std::memcpy(content.data() + write.at + at, write.bytes.data() + at, size);
    else if (fate == 7 && random.chance(1, 4))
      for (std::size_t i = 0; i < size; ++i) content[write.at + at + i] = static_cast<char>(random.next());
  }
}

}  // namespace

struct SimulatedDisk::State {
  Names current;
  Names durable;
  std::set<std::string> folders;
  std::set<std::string> locks;
  std::uint64_t calls = 0;
  std::uint64_t cut_at = 0;
  bool cut = false;
  std::uint64_t fail_at = 0;
  Fault fault = Fault::io_error;
  bool for_ever = false;
  std::uint64_t capacity = ~0ull;
  std::size_t open = 0;
  std::size_t open_limit = ~std::size_t{0};
  std::function<void(std::uint64_t, const std::string&)> listener;

  enum class Verdict : std::uint8_t { go, go_then_fail, half_then_fail, fail_full, fail };

  // Counts a changing call and decides what becomes of it.
  Verdict call(const std::string& what) {
    if (cut) return Verdict::fail;
    ++calls;
    if (listener) listener(calls, what);
    if (calls == cut_at) {
      cut = true;
      return Verdict::go_then_fail;
    }
    if (fail_at == 0 || calls < fail_at || (calls > fail_at && !for_ever)) return Verdict::go;
    if (fault == Fault::disk_full) return Verdict::fail_full;
    return fault == Fault::short_write ? Verdict::half_then_fail : Verdict::fail;
  }

  static std::unexpected<Error> error(Verdict verdict, const std::string& path) {
    if (verdict == Verdict::fail_full) return continuo::fail(Code::disk_full, "simulated: no space", path);
    return continuo::fail(Code::io_error, "simulated fault", path);
  }

  std::uint64_t used() const {
    std::uint64_t sum = 0;
    for (const auto& [path, inode] : current) sum += inode->current.size();
    return sum;
  }
};

namespace {

using State = SimulatedDisk::State;
using Verdict = State::Verdict;

class SimulatedFile final : public File {
 public:
  SimulatedFile(std::shared_ptr<State> state, std::shared_ptr<Inode> inode, std::string path)
      : state_(std::move(state)), inode_(std::move(inode)), path_(std::move(path)) {
    ++state_->open;
  }
  ~SimulatedFile() override { --state_->open; }
  SimulatedFile(const SimulatedFile&) = delete;
  SimulatedFile& operator=(const SimulatedFile&) = delete;

  Result<std::size_t> read(std::uint64_t at, std::span<const std::span<char>> pieces) override {
    if (state_->cut) return State::error(Verdict::fail, path_);
    std::size_t done = 0;
    for (const std::span<char> piece : pieces) {
      const std::uint64_t from = std::min<std::uint64_t>(at + done, inode_->current.size());
      const std::size_t size = std::min<std::size_t>(piece.size(), inode_->current.size() - from);
      if (size != 0) std::memcpy(piece.data(), inode_->current.data() + from, size);
      done += size;
    }
    return done;
  }

  Result<void> write(std::uint64_t at, std::span<const std::string_view> pieces) override {
    Pending write{at, {}};
    for (const std::string_view piece : pieces) write.bytes += piece;
    const std::uint64_t end = at + write.bytes.size();
    Verdict verdict = state_->call(fmt::format("write {} {}+{}", path_, at, write.bytes.size()));
    if (verdict == Verdict::go && end > inode_->current.size() &&
        state_->used() + end - inode_->current.size() > state_->capacity)
      verdict = Verdict::fail_full;
    if (verdict == Verdict::half_then_fail) write.bytes.resize(write.bytes.size() / 2);
    if (verdict == Verdict::go || verdict == Verdict::go_then_fail || verdict == Verdict::half_then_fail)
      inode_->change(std::move(write));
    if (verdict != Verdict::go) return State::error(verdict, path_);
    return {};
  }

  Result<void> write_durable(std::uint64_t at, std::string_view blocks) override {
    CHECK(at % block_size == 0 && blocks.size() % block_size == 0);
    Pending write{at, std::string{blocks}};
    const Verdict verdict = state_->call(fmt::format("write-durable {} {}+{}", path_, at, blocks.size()));
    if (verdict == Verdict::fail || verdict == Verdict::fail_full) return State::error(verdict, path_);
    if (verdict == Verdict::half_then_fail) write.bytes.resize(write.bytes.size() / 2);
    if (verdict != Verdict::go) {
      inode_->change(std::move(write));
      return State::error(verdict, path_);
    }
    // Durable by itself: what else is pending in this file stays pending.
    Inode::put(inode_->current, write);
    Inode::put(inode_->durable, write);
    return {};
  }

  Result<void> sync() override {
    if (state_->call(fmt::format("sync {}", path_)) != Verdict::go) return State::error(Verdict::fail, path_);
    inode_->sync();
    return {};
  }

  void start_write_back(std::uint64_t, std::uint64_t) override {}
  Result<void> drop_cached(std::uint64_t at, std::uint64_t size) override {
    if (state_->call(fmt::format("drop-cached {} {}+{}", path_, at, size)) != Verdict::go)
      return State::error(Verdict::fail, path_);
    return {};
  }
  Result<std::uint64_t> size() override { return inode_->current.size(); }

  Result<void> truncate(std::uint64_t size) override {
    const Verdict verdict = state_->call(fmt::format("truncate {} {}", path_, size));
    if (verdict == Verdict::go || verdict == Verdict::go_then_fail) inode_->change({size, {}, true});
    if (verdict != Verdict::go) return State::error(verdict, path_);
    return {};
  }

 private:
  std::shared_ptr<State> state_;
  std::shared_ptr<Inode> inode_;
  std::string path_;
};

class SimulatedLock final : public Lock {
 public:
  SimulatedLock(std::shared_ptr<State> state, std::string path) : state_(std::move(state)), path_(std::move(path)) {}
  ~SimulatedLock() override { state_->locks.erase(path_); }

 private:
  std::shared_ptr<State> state_;
  std::string path_;
};

}  // namespace

SimulatedDisk::SimulatedDisk() : state_(std::make_shared<State>()) {}
SimulatedDisk::~SimulatedDisk() = default;

std::uint64_t SimulatedDisk::calls() const { return state_->calls; }
void SimulatedDisk::cut_at(std::uint64_t call) { state_->cut_at = call; }
bool SimulatedDisk::cut() const { return state_->cut; }
void SimulatedDisk::set_capacity(std::uint64_t bytes) { state_->capacity = bytes; }
std::size_t SimulatedDisk::open_files() const { return state_->open; }
void SimulatedDisk::set_open_limit(std::size_t files) { state_->open_limit = files; }
void SimulatedDisk::trace(std::function<void(std::uint64_t, const std::string&)> listener) {
  state_->listener = std::move(listener);
}

void SimulatedDisk::fail_at(std::uint64_t call, Fault fault, bool for_ever) {
  state_->fail_at = call;
  state_->fault = fault;
  state_->for_ever = for_ever;
}

void SimulatedDisk::heal() { state_->fail_at = 0; }

std::unique_ptr<SimulatedDisk> SimulatedDisk::crash_image(Random& random) const {
  auto image = std::make_unique<SimulatedDisk>();
  image->state_->folders = state_->folders;
  image->state_->capacity = state_->capacity;
  std::map<const Inode*, std::shared_ptr<Inode>> copies;
  const auto copy = [&](const std::shared_ptr<Inode>& inode) {
    auto& made = copies[inode.get()];
    if (!made) {
      made = std::make_shared<Inode>();
      made->durable = inode->durable;
      for (const Pending& write : inode->pending) leave(made->durable, write, random);
      made->current = made->durable;
    }
    return made;
  };
  std::set<std::string> names;
  for (const auto& [path, inode] : state_->current) names.insert(path);
  for (const auto& [path, inode] : state_->durable) names.insert(path);
  for (const std::string& path : names) {
    const auto now = state_->current.find(path);
    const auto before = state_->durable.find(path);
    const bool same = now != state_->current.end() && before != state_->durable.end() && now->second == before->second;
    const bool keep_change = same || random.chance(1, 2);
    const auto& source = keep_change ? state_->current : state_->durable;
    if (const auto found = source.find(path); found != source.end()) image->state_->current[path] = copy(found->second);
  }
  image->state_->durable = image->state_->current;
  return image;
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::kill_image() const {
  auto image = std::make_unique<SimulatedDisk>();
  image->state_->folders = state_->folders;
  image->state_->capacity = state_->capacity;
  std::map<const Inode*, std::shared_ptr<Inode>> copies;
  const auto copy = [&](const Names& from, Names& to) {
    for (const auto& [path, inode] : from) {
      auto& made = copies[inode.get()];
      if (!made) made = std::make_shared<Inode>(*inode);
      to[path] = made;
    }
  };
  copy(state_->current, image->state_->current);
  copy(state_->durable, image->state_->durable);
  return image;
}

void SimulatedDisk::flip_bit(const std::string& path, std::uint64_t byte, int bit) {
  Inode& inode = *state_->current.at(path);
  for (std::string* content : {&inode.current, &inode.durable})
    if (byte < content->size()) (*content)[byte] = static_cast<char>((*content)[byte] ^ (1 << bit));
}

std::uint64_t SimulatedDisk::fingerprint() const {
  std::uint64_t sum = 0;
  for (const auto& [path, inode] : state_->current) sum = hash64(inode->current, hash64(path, sum));
  return sum;
}

Result<std::unique_ptr<File>> SimulatedDisk::open(const std::string& path, const OpenOptions& options) {
  if (state_->open >= state_->open_limit) return fail(Code::overloaded, "simulated: too many open files", path);
  auto found = state_->current.find(path);
  if (found == state_->current.end()) {
    if (!options.create) return fail(Code::io_error, "simulated: no such file", path);
    const Verdict verdict = state_->call("create " + path);
    if (verdict != Verdict::go && verdict != Verdict::go_then_fail) return State::error(verdict, path);
    found = state_->current.emplace(path, std::make_shared<Inode>()).first;
    if (verdict != Verdict::go) return State::error(verdict, path);
  }
  if (state_->cut) return State::error(Verdict::fail, path);
  return std::make_unique<SimulatedFile>(state_, found->second, path);
}

Result<void> SimulatedDisk::make_folder(const std::string& path) {
  for (std::string at = path; !at.empty(); at = folder_of(at)) state_->folders.insert(at);
  return {};
}

Result<std::vector<std::string>> SimulatedDisk::list(const std::string& folder) {
  std::set<std::string> names;
  const std::string front = folder.empty() ? folder : folder + "/";
  const auto add = [&](const std::string& path) {
    if (path.starts_with(front)) names.insert(path.substr(front.size(), path.find('/', front.size()) - front.size()));
  };
  for (const auto& [path, inode] : state_->current) add(path);
  for (const std::string& path : state_->folders) add(path);
  return std::vector<std::string>{names.begin(), names.end()};
}

Result<bool> SimulatedDisk::exists(const std::string& path) {
  if (state_->current.contains(path) || state_->folders.contains(path)) return true;
  const auto after = state_->current.lower_bound(path + "/");
  return after != state_->current.end() && after->first.starts_with(path + "/");
}

namespace {

// The names that are `path` or lie below it.
std::vector<std::string> below(const Names& names, const std::string& path) {
  std::vector<std::string> found;
  for (auto at = names.lower_bound(path); at != names.end() && at->first.starts_with(path); ++at)
    if (at->first.size() == path.size() || at->first[path.size()] == '/') found.push_back(at->first);
  return found;
}

// The file or folder directly in `folder` that `path` is, or lies below; empty when it lies elsewhere.
std::string name_in(const std::string& folder, const std::string& path) {
  const std::size_t front = folder.empty() ? 0 : folder.size() + 1;
  if (front != 0 && (path.size() <= front || !path.starts_with(folder) || path[front - 1] != '/')) return {};
  return path.substr(0, path.find('/', front));
}

}  // namespace

Result<void> SimulatedDisk::rename(const std::string& from, const std::string& to) {
  if (auto there = exists(from); !there || !*there)
    return fail(Code::io_error, "simulated: nothing of that name", from);
  const Verdict verdict = state_->call(fmt::format("rename {} {}", from, to));
  if (verdict != Verdict::go && verdict != Verdict::go_then_fail) return State::error(verdict, from);
  for (const std::string& path : below(state_->current, from)) {
    auto node = state_->current.extract(path);
    state_->current[to + path.substr(from.size())] = node.mapped();
  }
  std::set<std::string> folders;
  for (const std::string& folder : state_->folders)
    folders.insert(folder == from || folder.starts_with(from + "/") ? to + folder.substr(from.size()) : folder);
  state_->folders = std::move(folders);
  if (verdict != Verdict::go) return State::error(verdict, from);
  return {};
}

Result<void> SimulatedDisk::remove(const std::string& path) {
  const Verdict verdict = state_->call("remove " + path);
  if (verdict != Verdict::go && verdict != Verdict::go_then_fail) return State::error(verdict, path);
  for (const std::string& name : below(state_->current, path)) state_->current.erase(name);
  std::erase_if(state_->folders,
                [&](const std::string& folder) { return folder == path || folder.starts_with(path + "/"); });
  if (verdict != Verdict::go) return State::error(verdict, path);
  return {};
}

Result<void> SimulatedDisk::sync_folder(const std::string& path) {
  if (state_->call("sync-folder " + path) != Verdict::go) return State::error(Verdict::fail, path);
  // What is gone here is gone with all that was below it.
  std::erase_if(state_->durable, [&](const auto& entry) {
    const auto name = name_in(path, entry.first);
    return !name.empty() && !state_->folders.contains(name) && below(state_->current, name).empty();
  });
  for (const auto& [name, inode] : state_->current)
    if (folder_of(name) == path) state_->durable[name] = inode;
  return {};
}

Result<std::unique_ptr<Lock>> SimulatedDisk::lock(const std::string& path) {
  if (!state_->locks.insert(path).second) return fail(Code::data_locked, "the folder is in use", path);
  return std::make_unique<SimulatedLock>(state_, path);
}

Result<Mode> SimulatedDisk::probe(const std::string&) { return Mode{true, true, "simulated"}; }

Result<Space> SimulatedDisk::space() {
  const std::uint64_t used = state_->used();
  return Space{state_->capacity > used ? state_->capacity - used : 0, state_->capacity};
}

}  // namespace continuo::disk
