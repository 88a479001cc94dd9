#include "shared_history.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace continuo::history {
namespace {

constexpr std::size_t head_bytes = 4096;
constexpr std::size_t room = 128'000'000;  // operations; memory is taken as they come
constexpr std::size_t bytes = head_bytes + room * sizeof(Operation);

}  // namespace

SharedHistory::SharedHistory() : file_(memfd_create("history", 0)) {
  if (file_ < 0 || ftruncate(file_, static_cast<off_t>(bytes)) != 0) throw std::runtime_error("no memory to share");
  map();
}

SharedHistory::SharedHistory(int file) : file_(file) { map(); }

SharedHistory::~SharedHistory() {
  munmap(head_, bytes);
  close(file_);
}

void SharedHistory::map() {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file_, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("the shared history cannot be mapped");
  head_ = static_cast<Head*>(memory);
  operations_ = reinterpret_cast<Operation*>(static_cast<char*>(memory) + head_bytes);
}

void SharedHistory::add(const Operation& operation) {
  const auto index = head_->claimed.fetch_add(1);
  if (index >= room) {
    fmt::print(stderr, "the history is full\n");
    std::exit(2);
  }
  // The kind comes last: whoever is killed in between leaves a place that says `none`.
  Operation unsaid = operation;
  unsaid.kind = Kind::none;
  operations_[index] = unsaid;
  std::atomic_ref<Kind>(operations_[index].kind).store(operation.kind, std::memory_order_release);
}

std::span<const Operation> SharedHistory::operations() const {
  return {operations_, std::min<std::size_t>(head_->claimed.load(), room)};
}

}  // namespace continuo::history
