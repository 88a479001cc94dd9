#include "continuo/log/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "continuo/base/bytes.h"
#include "continuo/base/checksum.h"

namespace continuo::log {
namespace {

const std::string folder = "journal";

std::string slot_path(std::uint32_t index) { return fmt::format("{}/{:02}", folder, index); }

constexpr std::size_t prewrite_piece = 1u << 20;
constexpr const char* same_ring =
    "the ring cannot get smaller or change its file size; start with the size it was made with";

}  // namespace

// One file of the ring.
struct Journal::Slot {
  std::string path;
  std::unique_ptr<disk::File> file;
  std::atomic<bool> prepared{false};
  std::atomic<bool> used{false};             // holds groups that are still needed
  std::atomic<std::uint64_t> last_group{0};  // newest sequence in it
};

Journal::Journal(disk::Disk& disk, const JournalOptions& options, Random& random)
    : disk_(disk), options_(options), random_(random) {
  CHECK(options.slots >= 4 && options.slot_bytes % journal_block == 0);
  CHECK(options.slot_bytes >= options.max_group + journal_block && options.max_group <= max_group_bytes);
}

Journal::~Journal() = default;

std::size_t Journal::padded(std::size_t body_bytes) {
  GroupHeader header;
  header.body_length = static_cast<std::uint32_t>(body_bytes);
  return header.padded_size();
}

Result<std::unique_ptr<Journal>> Journal::open(disk::Disk& disk, const JournalOptions& options, Random& random) {
  std::unique_ptr<Journal> journal{new Journal(disk, options, random)};
  if (auto opened = journal->open_slots(); !opened) return pass(opened);
  if (auto read = journal->read_headers(); !read) return pass(read);
  return journal;
}

// ---- the files ------------------------------------------------------------------------------------------------------

Result<void> Journal::open_slots() {
  if (auto made = disk_.make_folder(folder); !made) return made;
  for (std::uint32_t index = 0; index < options_.slots; ++index) {
    auto slot = std::make_unique<Slot>();
    slot->path = slot_path(index);
    auto there = disk_.exists(slot->path);
    if (!there) return pass(there);
    slots_.push_back(std::move(slot));
    if (!*there) continue;
    auto file = disk_.open(slots_[index]->path, {.durable = true});
    if (!file) return pass(file);
    auto size = (*file)->size();
    if (!size) return pass(size);
    if (*size > options_.slot_bytes) return other_size(*size, slots_[index]->path);
    slots_[index]->prepared = *size == options_.slot_bytes;
    slots_[index]->file = std::move(*file);
  }
  if (auto flushed = flush_all(); !flushed) return flushed;
  if (auto refused = refuse_other_shape(); !refused) return refused;
  for (std::uint32_t index = 0; index < 2; ++index)
    if (!slots_[index]->prepared)
      if (auto prepared = prepare_slot(index); !prepared) return prepared;
  return {};
}

// Slots of a ring of another shape would be taken for half-made ones, or never be read: groups would be lost.
Result<void> Journal::refuse_other_shape() {
  auto names = disk_.list(folder);
  if (!names) return pass(names);
  for (const std::string& name : *names) {
    const std::string path = folder + "/" + name;
    auto file = disk_.open(path, {});
    if (!file) return pass(file);
    std::string block(SegmentHeader::size, '\0');
    auto got = (*file)->read(0, block);
    if (!got) return pass(got);
    const auto header = SegmentHeader::decode(block);
    if (!header) continue;
    if (header->segment_bytes != options_.slot_bytes) return other_size(header->segment_bytes, path);
    if (std::ranges::none_of(slots_, [&](const auto& slot) { return slot->path == path; }))
      return fail(Code::wrong_format, fmt::format("the ring has more than {} files", options_.slots), path, same_ring);
  }
  return {};
}

std::unexpected<Error> Journal::other_size(std::uint64_t bytes, const std::string& path) const {
  return fail(Code::wrong_format, fmt::format("the ring's files have {} bytes, not {}", bytes, options_.slot_bytes),
              path, same_ring);
}

// What the page cache holds of an earlier process may not be on the disk: it must be, before anything is decided by it.
Result<void> Journal::flush_all() {
  for (const auto& slot : slots_)
    if (slot->file)
      if (auto synced = slot->file->sync(); !synced) return synced;
  return disk_.sync_folder(folder);
}

Result<void> Journal::prepare_slot(std::uint32_t index) {
  Slot& slot = *slots_[index];
  auto file = disk_.open(slot.path, {.create = true, .durable = true});
  if (!file) return pass(file);
  const std::string zeros(std::min<std::uint64_t>(prewrite_piece, options_.slot_bytes), '\0');
  for (std::uint64_t at = 0; at < options_.slot_bytes; at += zeros.size()) {
    const std::size_t size = std::min<std::uint64_t>(zeros.size(), options_.slot_bytes - at);
    if (auto written = (*file)->write(at, std::string_view{zeros}.substr(0, size)); !written) return written;
  }
  if (auto synced = (*file)->sync(); !synced) return synced;
  if (auto synced = disk_.sync_folder(folder); !synced) return synced;
  slot.file = std::move(*file);
  slot.prepared = true;
  return {};
}

Result<bool> Journal::prepare() {
  for (std::uint32_t index = 0; index < options_.slots; ++index)
    if (!slots_[index]->prepared) {
      if (auto prepared = prepare_slot(index); !prepared) return pass(prepared);
      return std::ranges::all_of(slots_, [](const auto& slot) { return slot->prepared.load(); });
    }
  return true;
}

Result<void> Journal::read_headers() {
  for (std::uint32_t index = 0; index < options_.slots; ++index) {
    Slot& slot = *slots_[index];
    if (!slot.file) continue;
    std::string block(journal_block, '\0');
    auto got = slot.file->read(0, block);
    if (!got) return pass(got);
    if (auto header = SegmentHeader::decode(block); header && *got == block.size()) found_.push_back({index, *header});
  }
  std::ranges::sort(found_, {}, [](const Segment& segment) { return segment.header.number; });
  if (!found_.empty()) {
    segment_number_ = found_.back().header.number;
    for (const Segment& segment : found_) epoch_ = std::max(epoch_, segment.header.epoch);
  }
  return {};
}

// ---- replay ---------------------------------------------------------------------------------------------------------

// Walks groups through the segments found.
class Journal::Scan {
 public:
  Scan(Journal& journal, std::size_t segment) : journal_(journal), at_(segment) { enter(segment); }

  Sequence expected() const { return expected_; }
  std::uint32_t chain() const { return chain_; }

  // The next group, none at the end of the log, or damage.
  Result<std::optional<ReplayedGroup>> next() {
    while (true) {
      auto header = read_group();
      if (!header) return pass(header);
      if (*header) {
        take(**header);
        return ReplayedGroup{(*header)->sequence, (*header)->epoch, (*header)->now, (*header)->frame_count,
                             std::string_view{body_}.substr(GroupHeader::size, (*header)->body_length)};
      }
      if (const std::size_t named = follower(); named != journal_.found_.size()) {
        enter(named);
        continue;
      }
      auto rot = later_group();
      if (!rot) return pass(rot);
      if (rot->empty()) return std::nullopt;
      if (journal_.options_.accept_loss) return std::nullopt;
      return fail(Code::damaged_journal,
                  fmt::format("group {} cannot be read, but {} proves that it was written", expected_.value, *rot),
                  fmt::format("{} byte {} sequence {}", slot().path, position_, expected_.value));
    }
  }

 private:
  const Segment& segment() const { return journal_.found_[at_]; }
  Slot& slot() const { return *journal_.slots_[segment().slot]; }

  void enter(std::size_t index) {
    at_ = index;
    position_ = journal_block;
    expected_ = segment().header.first;
    chain_ = segment().header.chain;
    slot().used = true;
    journal_.current_ = segment().slot;  // the end of the log is in here: it stays until a later segment is begun
    slot().last_group = std::max(slot().last_group.load(), expected_.value - 1);
  }

  // The first later segment that says the log before it ends exactly here; the number of segments when none does.
  std::size_t follower() const {
    std::size_t index = at_ + 1;
    for (; index < journal_.found_.size(); ++index) {
      const SegmentHeader& header = journal_.found_[index].header;
      if (header.follows() == expected_ && header.chain == chain_) break;
    }
    return index;
  }

  Result<std::optional<GroupHeader>> read_group() {
    std::string block(journal_block, '\0');
    if (position_ + journal_block > journal_.options_.slot_bytes) return std::nullopt;
    auto got = slot().file->read(position_, block);
    if (!got) return pass(got);
    auto header = GroupHeader::decode(block);
    if (!header || header->salt != segment().header.salt || header->sequence != expected_ || header->chain != chain_)
      return std::nullopt;
    if (position_ + header->padded_size() > journal_.options_.slot_bytes) return std::nullopt;
    body_.resize(GroupHeader::size + header->body_length);
    got = slot().file->read(position_, body_);
    if (!got) return pass(got);
    const std::string_view body = std::string_view{body_}.substr(GroupHeader::size);
    if (*got != body_.size() || crc32c(body) != header->body_crc) return std::nullopt;
    return header;
  }

  void take(const GroupHeader& header) {
    position_ += header.padded_size();
    expected_ = continuo::next(header.sequence);
    chain_ = header.crc;
    slot().last_group = header.sequence.value;
  }

  // Names a group or segment that was written after the one expected here; empty when there is none: then this is only
  // a torn end.
  Result<std::string> later_group() {
    for (std::size_t index = at_; index < journal_.found_.size(); ++index) {
      const Segment& later = journal_.found_[index];
      if (index > at_ && later.header.follows() > expected_) return fmt::format("segment {}", later.header.number);
      auto found = later_group_in(later, index == at_ ? position_ : journal_block);
      if (!found || !found->empty()) return found;
    }
    return headless_group();
  }

  // A segment whose header block is damaged cannot be walked, but its first group stands where no payload ever can: in
  // the block behind it. If that is a group of this log or a later one, the header rotted.
  Result<std::string> headless_group() {
    for (std::uint32_t index = 0; index < journal_.options_.slots; ++index) {
      Slot& candidate = *journal_.slots_[index];
      if (!candidate.file ||
          std::ranges::any_of(journal_.found_, [&](const Segment& known) { return known.slot == index; }))
        continue;
      std::string block(journal_block, '\0');
      auto got = candidate.file->read(journal_block, block);
      if (!got) return pass(got);
      const auto header = GroupHeader::decode(block);
      if (header && header->sequence >= expected_)
        return fmt::format("group {} at {}, whose segment header is damaged", header->sequence.value, candidate.path);
    }
    return std::string{};
  }

  Result<std::string> later_group_in(const Segment& later, std::uint64_t from) {
    constexpr std::size_t piece = 64 * journal_block;
    std::string blocks(piece, '\0');
    Slot& slot = *journal_.slots_[later.slot];
    for (std::uint64_t at = from; at < journal_.options_.slot_bytes; at += piece) {
      auto got = slot.file->read(at, blocks);
      if (!got) return pass(got);
      for (std::size_t block = 0; block + journal_block <= *got; block += journal_block) {
        const auto header = GroupHeader::decode(std::string_view{blocks}.substr(block, journal_block));
        if (header && header->salt == later.header.salt && header->sequence > expected_)
          return fmt::format("group {} at {} byte {}", header->sequence.value, slot.path, at + block);
      }
    }
    return std::string{};
  }

  Journal& journal_;
  std::size_t at_;
  std::uint64_t position_ = 0;
  Sequence expected_;
  std::uint32_t chain_ = 0;
  std::string body_;
};

Result<void> Journal::replay(Sequence from, const std::function<Result<void>(const ReplayedGroup&)>& visit) {
  CHECK(!started_);
  next_ = from;
  if (found_.empty()) {
    if (from.value > 1 && !options_.accept_loss)
      return fail(Code::damaged_journal, fmt::format("the journal is empty, but group {} was written", from.value - 1),
                  folder);
    return {};
  }
  std::size_t first = found_.size();
  for (std::size_t index = 0; index < found_.size(); ++index)
    if (found_[index].header.follows() <= from) first = index;
  if (first == found_.size()) {
    // Groups after a gap stand on what the gap said: with a loss accepted, the log ends before it.
    if (options_.accept_loss) return {};
    return fail(Code::damaged_journal,
                fmt::format("the journal begins with group {}, but {} is needed", found_.front().header.first.value,
                            from.value),
                slot_path(found_.front().slot));
  }
  Scan scan{*this, first};
  while (true) {
    auto group = scan.next();
    if (!group) return pass(group);
    if (!*group) break;
    if ((*group)->sequence >= from)
      if (auto visited = visit(**group); !visited) return visited;
  }
  if (scan.expected() < from && !options_.accept_loss)
    return fail(Code::damaged_journal,
                fmt::format("the log ends at group {}, but {} was written", scan.expected().value - 1, from.value - 1),
                slot_path(found_.back().slot));
  next_ = std::max(scan.expected(), from);
  chain_ = scan.chain();
  return {};
}

// ---- writing --------------------------------------------------------------------------------------------------------

Result<void> Journal::start(Sequence at_least) {
  CHECK(!started_);
  if (at_least > next_.load()) {
    passed_over_ = static_cast<std::uint32_t>(at_least.value - next_.load().value);
    next_ = at_least;
  }
  epoch_ = Epoch{epoch_.value + 1};
  started_ = true;
  return open_segment();
}

Result<std::uint32_t> Journal::next_free_slot() const {
  // Oldest first would do as well; in turn keeps the wear even and the names in the order of use.
  for (std::uint32_t step = 1; step <= options_.slots; ++step) {
    const std::uint32_t index = (current_ + step) % options_.slots;
    const Slot& slot = *slots_[index];
    if (slot.prepared && !slot.used) return index;
  }
  return fail(Code::limit_reached, "every slot of the journal's ring is in use", folder);
}

Result<void> Journal::open_segment() {
  auto free = next_free_slot();
  if (!free) return pass(free);
  SegmentHeader header;
  header.number = ++segment_number_;
  header.salt = random_.next();
  header.epoch = epoch_;
  header.first = next_;
  header.passed_over = std::exchange(passed_over_, 0);
  header.chain = chain_;
  header.segment_bytes = options_.slot_bytes;
  std::string bytes;
  header.encode(bytes);
  buffer_.clear();
  buffer_.append(bytes);
  buffer_.pad();
  Slot& slot = *slots_[*free];
  // In this order: `release` on another thread must never see the slot in use before it sees that it is being written.
  current_ = *free;
  slot.last_group = next_.load().value - 1;
  slot.used = true;
  position_ = journal_block;
  salt_ = header.salt;
  if (auto written = slot.file->write_durable(0, buffer_.view()); !written)
    return fail_with(std::move(written.error()));
  return {};
}

Result<void> Journal::fail_with(Error error) {
  failed_ = true;
  return std::unexpected(std::move(error));
}

// Copies the body behind the header and gives its CRC: in pieces, so that each is still in the cache when it is read
// again.
std::uint32_t Journal::append_and_check(std::span<const std::string_view> body) {
  constexpr std::size_t cached = 16u << 10;
  std::uint32_t crc = 0;
  for (const std::string_view piece : body)
    for (std::size_t at = 0; at < piece.size(); at += cached) {
      const std::string_view part = piece.substr(at, cached);
      buffer_.append(part);
      crc = crc32c(part, crc);
    }
  return crc;
}

Result<Sequence> Journal::write(const Now& now, std::uint32_t frame_count, std::span<const std::string_view> body) {
  CHECK(started_);
  if (failed_) return fail(Code::node_failed, "an earlier write to the journal failed");
  std::size_t length = 0;
  for (const std::string_view piece : body) length += piece.size();
  if (padded(length) > options_.max_group) return fail(Code::too_large, fmt::format("a group of {} bytes", length));
  if (position_ + padded(length) > options_.slot_bytes)
    if (auto rolled = open_segment(); !rolled) return pass(rolled);

  buffer_.clear();
  constexpr char room[GroupHeader::size] = {};
  buffer_.append({room, sizeof room});
  const std::uint32_t body_crc = append_and_check(body);
  GroupHeader header;
  header.salt = salt_;
  header.epoch = epoch_;
  header.sequence = next_;
  header.chain = chain_;
  header.body_length = static_cast<std::uint32_t>(length);
  header.frame_count = frame_count;
  header.now = now;
  header.body_crc = body_crc;
  header.encode(buffer_.data());
  buffer_.pad();

  Slot& slot = *slots_[current_];
  if (auto written = slot.file->write_durable(position_, buffer_.view()); !written) {
    failed_ = true;
    return pass(written);
  }
  position_ += buffer_.size();
  chain_ = header.crc;
  slot.last_group = header.sequence.value;
  next_ = continuo::next(header.sequence);
  sealed_ = length == 0;
  return header.sequence;
}

Result<void> Journal::seal(const Now& now) {
  if (sealed_ || failed_ || !started_) return {};
  auto written = write(now, 0, {});
  if (!written) return pass(written);
  return {};
}

void Journal::release(Sequence upto) {
  for (std::uint32_t index = 0; index < options_.slots; ++index) {
    Slot& slot = *slots_[index];
    // In this order: once a slot in use is not the current one any more, its newest group is final.
    if (slot.used && index != current_ && slot.last_group.load() <= upto.value) slot.used = false;
  }
}

JournalUsage Journal::usage() const {
  JournalUsage usage;
  usage.slots = options_.slots;
  for (const auto& slot : slots_) {
    usage.used += slot->used ? 1 : 0;
    usage.prepared += slot->prepared ? 1 : 0;
  }
  usage.bytes = usage.used * options_.slot_bytes;
  return usage;
}

bool Journal::has_room(std::size_t body_bytes) const {
  return position_ + padded(body_bytes) <= options_.slot_bytes || free_slots() > 0;
}

std::uint32_t Journal::free_slots() const {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(slots_, [](const auto& slot) { return slot->prepared && !slot->used; }));
}

}  // namespace continuo::log
