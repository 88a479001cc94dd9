#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "continuo/disk/disk.h"

namespace continuo::disk {
namespace {

std::unexpected<Error> os_error(std::string_view act, const std::string& path, int error) {
  if (error == EMFILE || error == ENFILE)
    return fail(Code::overloaded, fmt::format("{}: {}", act, std::strerror(error)), path,
                "raise the limit of open files: ulimit -n, LimitNOFILE");
  const bool full = error == ENOSPC || error == EDQUOT;
  return fail(full ? Code::disk_full : Code::io_error, fmt::format("{}: {}", act, std::strerror(error)), path);
}

std::unexpected<Error> sync_error(const std::string& path, int error) {
  return fail(Code::io_error, fmt::format("sync: {}", std::strerror(error)), path);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

class RealFile final : public File {
 public:
  RealFile(int fd, int direct_fd, std::string path) : fd_(fd), direct_(direct_fd), path_(std::move(path)) {}

  Result<std::size_t> read(std::uint64_t at, std::span<const std::span<char>> pieces) override {
    std::array<iovec, 64> vector;
    std::size_t done = 0, first = 0, into = 0;  // the piece that is being filled, and how far
    while (first < pieces.size()) {
      std::size_t count = 0;
      for (; count < vector.size() && first + count < pieces.size(); ++count)
        vector[count] = {pieces[first + count].data(), pieces[first + count].size()};
      vector[0] = {pieces[first].data() + into, pieces[first].size() - into};
      const ssize_t got = ::preadv(fd_.get(), vector.data(), static_cast<int>(count), static_cast<off_t>(at + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return os_error("read", path_, errno);
      done += static_cast<std::size_t>(got);
      into += static_cast<std::size_t>(got);
      const std::size_t before = first;
      for (; first < pieces.size() && into >= pieces[first].size(); ++first) into -= pieces[first].size();
      if (got == 0 && first == before) break;  // the end; pieces of nothing are passed over
    }
    return done;
  }

  Result<void> write(std::uint64_t at, std::span<const std::string_view> pieces) override {
    std::array<iovec, 64> vector;
    while (!pieces.empty()) {
      const std::size_t count = std::min(pieces.size(), vector.size());
      std::size_t total = 0;
      for (std::size_t i = 0; i < count; ++i) {
        vector[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
        total += pieces[i].size();
      }
      if (auto written = write_vector(at, std::span{vector.data(), count}, total); !written) return written;
      at += total;
      pieces = pieces.subspan(count);
    }
    return {};
  }

  Result<void> write_durable(std::uint64_t at, std::string_view blocks) override {
    CHECK(at % block_size == 0 && blocks.size() % block_size == 0);
    const int fd = direct_.get() >= 0 ? direct_.get() : fd_.get();
    std::size_t done = 0;
    while (done < blocks.size()) {
      const ssize_t put = ::pwrite(fd, blocks.data() + done, blocks.size() - done, static_cast<off_t>(at + done));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return os_error("write", path_, errno);
      // A short direct write ends in the middle of a sector at worst; what is left would no longer be aligned.
      if (put == 0 || static_cast<std::size_t>(put) % block_size != 0) return os_error("short write", path_, EIO);
      done += static_cast<std::size_t>(put);
    }
    return direct_.get() >= 0 ? Result<void>{} : sync();
  }

  Result<void> sync() override {
    if (::fdatasync(fd_.get()) != 0) return sync_error(path_, errno);
    return {};
  }

  void start_write_back(std::uint64_t at, std::uint64_t size) override {
    ::sync_file_range(fd_.get(), static_cast<off_t>(at), static_cast<off_t>(size), SYNC_FILE_RANGE_WRITE);
  }

  Result<void> drop_cached(std::uint64_t at, std::uint64_t size) override {
    // The page a range begins in was kept when the one before it was dropped.
    const std::uint64_t from = at / block_size * block_size;
    const auto length = static_cast<off_t>((at + size) / block_size * block_size - from);
    if (length <= 0) return {};
    const unsigned wait = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    if (::sync_file_range(fd_.get(), static_cast<off_t>(from), length, wait) != 0 && errno != ENOSYS)
      return sync_error(path_, errno);
    ::posix_fadvise(fd_.get(), static_cast<off_t>(from), length, POSIX_FADV_DONTNEED);
    return {};
  }

  Result<std::uint64_t> size() override {
    struct stat status;
    if (::fstat(fd_.get(), &status) != 0) return os_error("stat", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  Result<void> truncate(std::uint64_t size) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) return os_error("truncate", path_, errno);
    return {};
  }

 private:
  // In calls of 64 KiB: for larger ones the kernel looks for larger pieces of memory for its page cache, which on a
  // virtual machine are seldom those that were used before, and touching others costs three times the copy.
  Result<void> write_vector(std::uint64_t at, std::span<iovec> vector, std::size_t total) {
    constexpr std::size_t call_bytes = 64 * 1024;
    std::size_t done = 0;
    while (done < total) {
      std::size_t count = 0, bytes = 0;
      while (count < vector.size() && bytes < call_bytes) bytes += vector[count++].iov_len;
      iovec& last = vector[count - 1];
      const std::size_t over = bytes > call_bytes ? bytes - call_bytes : 0;
      last.iov_len -= over;
      const ssize_t put = ::pwritev(fd_.get(), vector.data(), static_cast<int>(count), static_cast<off_t>(at + done));
      last.iov_len += over;
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return os_error("write", path_, errno);
      if (put == 0) return os_error("short write", path_, EIO);
      done += static_cast<std::size_t>(put);
      auto rest = static_cast<std::size_t>(put);
      while (!vector.empty() && rest >= vector.front().iov_len) {
        rest -= vector.front().iov_len;
        vector = vector.subspan(1);
      }
      if (!vector.empty())
        vector.front() = {static_cast<char*>(vector.front().iov_base) + rest, vector.front().iov_len - rest};
    }
    return {};
  }

  Descriptor fd_;
  Descriptor direct_;
  std::string path_;
};

class RealLock final : public Lock {
 public:
  explicit RealLock(int fd) : fd_(fd) {}

 private:
  Descriptor fd_;
};

std::string file_system_name(std::uint64_t magic) {
  switch (magic) {
    case EXT4_SUPER_MAGIC: return "ext4";
    case XFS_SUPER_MAGIC: return "xfs";
    case BTRFS_SUPER_MAGIC: return "btrfs";
    case TMPFS_MAGIC: return "tmpfs";
    case RAMFS_MAGIC: return "ramfs";
    case OVERLAYFS_SUPER_MAGIC: return "overlay";
    case NFS_SUPER_MAGIC: return "nfs";
    default: return fmt::format("0x{:x}", magic);
  }
}

class RealDisk final : public Disk {
 public:
  explicit RealDisk(std::string root) : root_(std::move(root)) {}

  Result<std::unique_ptr<File>> open(const std::string& path, const OpenOptions& options) override {
    const std::string full = root_ + "/" + path;
    const int fd = ::open(full.c_str(), O_RDWR | O_CLOEXEC | (options.create ? O_CREAT : 0), 0600);
    if (fd < 0) return os_error("open", full, errno);
    int direct = -1;
    if (options.durable && direct_works_) {
      direct = ::open(full.c_str(), O_RDWR | O_CLOEXEC | O_DIRECT | O_DSYNC);
      if (direct < 0) {
        const int error = errno;
        ::close(fd);
        return os_error("open for direct writes", full, error);
      }
    }
    return std::make_unique<RealFile>(fd, direct, full);
  }

  Result<void> make_folder(const std::string& path) override {
    std::error_code error;
    std::filesystem::create_directories(root_ + "/" + path, error);
    if (error) return os_error("make folder", root_ + "/" + path, error.value());
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& folder) override {
    std::vector<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator entry{root_ + "/" + folder, error}, end; !error && entry != end;
         entry.increment(error))
      names.push_back(entry->path().filename().string());
    if (error && error.value() != ENOENT) return os_error("list", root_ + "/" + folder, error.value());
    std::ranges::sort(names);
    return names;
  }

  Result<bool> exists(const std::string& path) override {
    struct stat status;
    if (::stat((root_ + "/" + path).c_str(), &status) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return os_error("stat", root_ + "/" + path, errno);
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename((root_ + "/" + from).c_str(), (root_ + "/" + to).c_str()) != 0)
      return os_error("rename", root_ + "/" + from, errno);
    return {};
  }

  Result<void> remove(const std::string& path) override {
    std::error_code error;
    std::filesystem::remove_all(root_ + "/" + path, error);
    if (error) return os_error("remove", root_ + "/" + path, error.value());
    return {};
  }

  Result<void> sync_folder(const std::string& path) override {
    const std::string full = root_ + "/" + path;
    const Descriptor folder{::open(full.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (folder.get() < 0) return os_error("open", full, errno);
    if (::fsync(folder.get()) != 0) return sync_error(full, errno);
    return {};
  }

  Result<std::unique_ptr<Lock>> lock(const std::string& path) override {
    const std::string full = root_ + "/" + path;
    const int fd = ::open(full.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return os_error("open", full, errno);
    auto lock = std::make_unique<RealLock>(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0)
      return fail(Code::data_locked, fmt::format("the folder {} is in use by another process", root_), full);
    return lock;
  }

  Result<Mode> probe(const std::string& folder) override {
    Mode mode;
    struct statfs status;
    if (::statfs((root_ + "/" + folder).c_str(), &status) != 0) return os_error("statfs", root_ + "/" + folder, errno);
    const auto magic = static_cast<std::uint64_t>(status.f_type) & 0xffffffffu;
    mode.file_system = file_system_name(magic);
    mode.lasting = magic != TMPFS_MAGIC && magic != RAMFS_MAGIC;
    mode.direct = direct_works_ = try_direct(root_ + "/" + folder + "/probe");
    return mode;
  }

  Result<Space> space() override {
    struct statvfs status;
    if (::statvfs(root_.c_str(), &status) != 0) return os_error("statvfs", root_, errno);
    return Space{status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize};
  }

  std::string native_root() const override { return root_; }

 private:
  // Open may succeed where writing does not, and alignment may be larger than a block: so write, and read it back.
  static bool try_direct(const std::string& path) {
    const Descriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_DIRECT | O_DSYNC, 0600)};
    if (file.get() < 0) return false;
    AlignedBuffer out, back;
    out.append(std::string(2 * block_size, 'p'));
    back.append(std::string(2 * block_size, '\0'));
    const bool works = ::pwrite(file.get(), out.data(), out.size(), 0) == static_cast<ssize_t>(out.size()) &&
                       ::pwrite(file.get(), out.data(), block_size, block_size) == static_cast<ssize_t>(block_size) &&
                       ::pread(file.get(), back.data(), back.size(), 0) == static_cast<ssize_t>(back.size()) &&
                       out.view() == back.view();
    ::unlink(path.c_str());
    return works;
  }

  std::string root_;
  bool direct_works_ = false;
};

}  // namespace

Result<std::unique_ptr<Disk>> open_real_disk(const std::string& root) {
  std::error_code error;
  std::filesystem::create_directories(root, error);
  if (error) return os_error("make folder", root, error.value());
  return std::make_unique<RealDisk>(root);
}

namespace {

// What is about to be filled from the file is not filled with zeros first.
std::string unfilled(std::size_t size) {
  std::string bytes;
  bytes.resize_and_overwrite(size, [size](char*, std::size_t) { return size; });  // g++ 12 may offer more than asked
  return bytes;
}

Result<void> whole(const Result<std::size_t>& got, std::uint64_t at, std::size_t size, std::string_view path) {
  if (!got) return std::unexpected(got.error());
  if (*got == size) return {};
  return fail(Code::damaged_data,
              fmt::format("the file ends at byte {}, {} more were expected", at + *got, size - *got),
              std::string{path});
}

}  // namespace

Result<std::vector<std::string>> read_exactly(File& file, std::uint64_t at, std::span<const std::size_t> sizes,
                                              std::string_view path) {
  std::vector<std::string> read(sizes.size());
  std::vector<std::span<char>> pieces;
  pieces.reserve(sizes.size());
  std::size_t total = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    read[i] = unfilled(sizes[i]);
    pieces.emplace_back(read[i]);
    total += sizes[i];
  }
  if (auto got = whole(file.read(at, pieces), at, total, path); !got) return pass(got);
  return read;
}

Result<std::string> read_exactly(File& file, std::uint64_t at, std::size_t size, std::string_view path) {
  std::string bytes = unfilled(size);
  if (auto got = whole(file.read(at, bytes), at, size, path); !got) return pass(got);
  return bytes;
}

}  // namespace continuo::disk
