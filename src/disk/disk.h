// The one seam to the disk. Everything Continuo stores goes through it: the real file system, a simulated disk that
// loses what was not synced, or one that fails at the n-th call.
//
// Paths are relative to the disk's root, with '/' between folders. Errors: disk_full for ENOSPC and EDQUOT, overloaded
// for EMFILE and ENFILE, io_error for everything else; `at` names the path. After a failed sync nothing is known of
// what was written before it, and the next one would claim success: it is an io_error whatever the reason, and callers
// stop.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"

namespace continuo::disk {

/// Durable writes start on, and have the length of, a multiple of this; their memory is aligned to it.
constexpr std::size_t block_size = 4096;

/// One open file. Reads may come from any thread at any time; writes, syncs and truncation from one thread at a time.
class File {
 public:
  virtual ~File() = default;
  /// Fills the pieces one after the other from `at` on; gives the bytes read, fewer only at the end of the file.
  virtual Result<std::size_t> read(std::uint64_t at, std::span<const std::span<char>> pieces) = 0;
  /// Writes all the pieces one after the other; in the page cache when it returns, not on the disk.
  virtual Result<void> write(std::uint64_t at, std::span<const std::string_view> pieces) = 0;
  /// Writes whole blocks; on the disk when it returns. Memory and place are block-aligned. The file has that length
  /// already.
  virtual Result<void> write_durable(std::uint64_t at, std::string_view blocks) = 0;
  /// Everything written before is on the disk when it returns, the length too.
  virtual Result<void> sync() = 0;
  /// Asks for write-back of a range to begin; a hint.
  virtual void start_write_back(std::uint64_t at, std::uint64_t size) = 0;
  /// Waits for write-back of a range, and takes it out of the page cache. Promises nothing: not that the range lasts,
  /// nor that its pages are gone. Errors: io_error when write-back of it failed, which is told only once: as a failed
  /// sync.
  virtual Result<void> drop_cached(std::uint64_t at, std::uint64_t size) = 0;
  virtual Result<std::uint64_t> size() = 0;
  virtual Result<void> truncate(std::uint64_t size) = 0;

  Result<std::size_t> read(std::uint64_t at, std::span<char> out) { return read(at, std::span{&out, 1}); }
  Result<void> write(std::uint64_t at, std::string_view bytes) { return write(at, std::span{&bytes, 1}); }
};

struct OpenOptions {
  bool create = false;   ///< make it when absent
  bool durable = false;  ///< will be written with write_durable
};

/// How durable writes reach the disk; found out by trying.
struct Mode {
  bool direct = false;      ///< O_DIRECT|O_DSYNC; else buffered writes and fdatasync
  bool lasting = true;      ///< false: the file system lives in memory (tmpfs, ramfs), nothing survives the machine
  std::string file_system;  ///< its name, or a number in hex
};

struct Space {
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
};

/// Held as long as the object lives; released by the system when the process dies.
class Lock {
 public:
  virtual ~Lock() = default;
};

/// A folder tree. Thread-safe.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, const OpenOptions& options) = 0;
  /// Makes the folder and those above it; fine when it is there.
  virtual Result<void> make_folder(const std::string& path) = 0;
  /// Names in the folder, sorted. An absent folder has none.
  virtual Result<std::vector<std::string>> list(const std::string& folder) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  /// Removes a file, or a folder with all in it. Fine when absent.
  virtual Result<void> remove(const std::string& path) = 0;
  /// Names made, renamed or removed in this folder are on the disk when it returns.
  virtual Result<void> sync_folder(const std::string& path) = 0;
  /// data_locked when another process, or another lock of this one, holds it.
  virtual Result<std::unique_ptr<Lock>> lock(const std::string& path) = 0;
  virtual Result<Mode> probe(const std::string& folder) = 0;
  virtual Result<Space> space() = 0;
  /// Where the root is on the machine, for libraries that open files themselves (LMDB); empty for a simulated disk.
  virtual std::string native_root() const = 0;
};

/// The machine's file system below `root`, which is made when absent.
Result<std::unique_ptr<Disk>> open_real_disk(const std::string& root);

/// Reads exactly `size` bytes; damaged_data when the file is shorter.
Result<std::string> read_exactly(File& file, std::uint64_t at, std::size_t size, std::string_view path);
/// The same for several that follow each other: strings of these sizes, with one call of the system for many.
Result<std::vector<std::string>> read_exactly(File& file, std::uint64_t at, std::span<const std::size_t> sizes,
                                              std::string_view path);

/// Memory aligned to block_size, growing in blocks; contents beyond `size()` are zero up to the next block.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  ~AlignedBuffer();
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;

  void clear() { size_ = 0; }
  void append(std::string_view bytes);
  /// Zeros up to the next whole block.
  void pad();
  char* data() { return data_; }
  std::size_t size() const { return size_; }
  std::string_view view() const { return {data_, size_}; }

 private:
  void reserve(std::size_t size);
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace continuo::disk
