// One declaration of fields serves writing and reading: `fields(io, value)` names them in order, and `io` is a
// FieldWriter or a FieldReader.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "continuo/base/bytes.h"
#include "continuo/base/hash.h"
#include "continuo/base/ids.h"
#include "continuo/base/time.h"

namespace continuo::engines {

template <class T>
concept FieldEnum = std::is_enum_v<T>;

class FieldWriter {
 public:
  explicit FieldWriter(std::string& out) : out_(out) {}
  template <class... T>
  void operator()(const T&... values) {
    (put(values), ...);
  }

 private:
  void put(std::uint32_t v) { out_.varint(v); }
  void put(std::uint64_t v) { out_.varint(v); }
  void put(bool v) { out_.u8(v ? 1 : 0); }
  void put(const std::string& v) { out_.text(v); }
  void put(Millis v) { out_.svarint(v.count()); }
  void put(WallTime v) { out_.svarint(v.ms); }
  void put(Elapsed v) { out_.svarint(v.ms); }
  void put(const Hash128& v) { out_.u64(v.low), out_.u64(v.high); }
  void put(PartitionRef v) { put(v.topic), put(v.partition); }
  template <FieldEnum T>
  void put(T v) {
    out_.u8(static_cast<std::uint8_t>(v));
  }
  template <class Tag, class Value>
  void put(Id<Tag, Value> v) {
    out_.varint(static_cast<std::uint64_t>(v.value));
  }
  template <class T>
  void put(const std::optional<T>& v) {
    put(v.has_value());
    if (v) put(*v);
  }
  // Offsets mostly grow: by differences they take a byte or two.
  void put(const std::vector<Offset>& v) {
    out_.varint(v.size());
    std::uint64_t before = 0;
    for (const Offset each : v) {
      out_.varint(static_cast<std::uint64_t>(each.value) - before);
      before = static_cast<std::uint64_t>(each.value);
    }
  }
  template <class T>
  void put(const std::vector<T>& v) {
    out_.varint(v.size());
    for (const T& each : v) put(each);
  }
  template <class T>
    requires std::is_class_v<T>
  void put(const T& v) {
    fields(*this, v);
  }
  ByteWriter out_;
};

class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : in_(bytes) {}
  template <class... T>
  void operator()(T&... values) {
    (get(values), ...);
  }
  bool done() const { return in_.done(); }
  bool ok() const { return in_.ok(); }
  ByteReader& bytes() { return in_; }

 private:
  void get(std::uint32_t& v) { v = static_cast<std::uint32_t>(in_.varint()); }
  void get(std::uint64_t& v) { v = in_.varint(); }
  void get(bool& v) { v = in_.u8() != 0; }
  void get(std::string& v) { v = in_.text(); }
  void get(Millis& v) { v = Millis{in_.svarint()}; }
  void get(WallTime& v) { v.ms = in_.svarint(); }
  void get(Elapsed& v) { v.ms = in_.svarint(); }
  void get(Hash128& v) { v.low = in_.u64(), v.high = in_.u64(); }
  void get(PartitionRef& v) { get(v.topic), get(v.partition); }
  template <FieldEnum T>
  void get(T& v) {
    const std::uint8_t value = in_.u8();
    if (value > static_cast<std::uint8_t>(T::last)) in_.fail();
    v = static_cast<T>(value);
  }
  template <class Tag, class Value>
  void get(Id<Tag, Value>& v) {
    v.value = static_cast<Value>(in_.varint());
  }
  template <class T>
  void get(std::optional<T>& v) {
    bool present = false;
    get(present);
    if (present) get(v.emplace());
  }
  void get(std::vector<Offset>& v) {
    const std::uint64_t count = in_.varint();
    if (count > in_.left()) return in_.fail();
    v.reserve(static_cast<std::size_t>(count));
    std::uint64_t offset = 0;
    for (std::uint64_t i = 0; i < count && in_.ok(); ++i) {
      offset += in_.varint();
      v.push_back(Offset{static_cast<std::int64_t>(offset)});
    }
  }
  template <class T>
  void get(std::vector<T>& v) {
    const std::uint64_t count = in_.varint();
    if (count > in_.left()) return in_.fail();  // every element takes a byte at least
    for (std::uint64_t i = 0; i < count && in_.ok(); ++i) get(v.emplace_back());
  }
  template <class T>
    requires std::is_class_v<T>
  void get(T& v) {
    fields(*this, v);
  }
  ByteReader in_;
};

}  // namespace continuo::engines
