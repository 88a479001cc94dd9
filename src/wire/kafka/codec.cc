#include "continuo/wire/kafka/codec.h"

#include "continuo/base/errors.h"

namespace continuo::wire::kafka {

std::optional<std::string_view> Reader::run(std::int64_t length, bool nullable) {
  if (length == -1 && nullable) return std::nullopt;
  if (length < 0) {
    in_.fail();
    return std::nullopt;
  }
  return in_.raw(static_cast<std::uint64_t>(length));
}

// Every element takes a byte at least.
bool Reader::counted(std::int64_t count) {
  if (count < 0 || static_cast<std::uint64_t>(count) > in_.left() || static_cast<std::uint64_t>(count) > items_left_) {
    in_.fail();
    return false;
  }
  items_left_ -= static_cast<std::size_t>(count);
  return true;
}

void Writer::put(const SentRecords& value, bool) {
  long_length(value.size());
  for (const SentRecords::Piece& piece : value.pieces) {
    out_.splices.push_back({out_.bytes.size(), piece});
    out_.spliced += piece.bytes.size();
  }
}

void Writer::string_length(std::size_t size) {
  if (flexible_) return bytes().varint(size + 1);
  CHECK(size <= std::numeric_limits<std::int16_t>::max(), "a string of the protocol");
  bytes().be(static_cast<std::int16_t>(size));
}

void Writer::long_length(std::size_t size) {
  if (flexible_) return bytes().varint(size + 1);
  CHECK(size <= std::numeric_limits<std::int32_t>::max(), "an array of the protocol");
  bytes().be(static_cast<std::int32_t>(size));
}

void Writer::null_string() {
  if (flexible_) return bytes().varint(0);
  bytes().be(std::int16_t{-1});
}

void Writer::null_run() {
  if (flexible_) return bytes().varint(0);
  bytes().be(std::int32_t{-1});
}

std::string Output::flat() const {
  std::string all;
  all.reserve(size());
  std::size_t at = 0;
  for (const Splice& splice : splices) {
    all.append(bytes, at, splice.at - at);
    all.append(splice.piece.bytes);
    at = splice.at;
  }
  return all.append(bytes, at);
}

}  // namespace continuo::wire::kafka
