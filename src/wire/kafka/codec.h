// Kafka's wire encoding of one message in one version.
//
// A message is declared once, by a `fields` function that names its members in the order of the wire; Reader and Writer
// run it, and from it follow all versions, both encodings (classic and flexible, KIP-482) and tagged fields:
//
//   struct HeartbeatRequest { std::string group_id; std::int32_t generation_id = -1; ... };
//   void fields(auto& io, Of<HeartbeatRequest> auto& m) {
//     io(m.group_id);
//     io(m.generation_id);
//     io(m.group_instance_id, {.since = 3});   // optional<string>: a nullable string
//   }
//
// What a version does not have keeps its default when it is read, and is left out when it is written. Sources: Apache
// Kafka's protocol guide and message definitions (clients/src/main/resources/common/message).
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "continuo/base/bytes.h"

namespace continuo::wire::kafka {

template <class M, class T>
concept Of = std::same_as<std::remove_const_t<M>, T>;  ///< M is T, const or not: what `fields` takes

/// Which versions have a field.
struct When {
  static constexpr std::int16_t for_ever = std::numeric_limits<std::int16_t>::max();
  std::int16_t since = 0;
  std::int16_t until = for_ever;  ///< the last one
  std::int16_t nullable = 0;      ///< of an optional: from which version on null may stand there
};

/// A topic's id on the wire; all zero: none.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const Uuid&) const = default;
  bool is_zero() const { return *this == Uuid{}; }
};

/// Bytes that are no text: a member's metadata, an assignment.
struct Bytes : std::string {
  using std::string::string;
  explicit Bytes(std::string text) : std::string(std::move(text)) {}
};

/// Record batches as a request carries them: where they were received. Null when absent.
struct ReceivedRecords {
  std::optional<std::string_view> bytes;
};

/// Record batches as an answer carries them: pieces of memory that others own too, never copied.
struct SentRecords {
  struct Piece {
    std::shared_ptr<const std::string> owner;
    std::string_view bytes;
  };
  std::vector<Piece> pieces;
  std::size_t size() const {
    std::size_t sum = 0;
    for (const Piece& piece : pieces) sum += piece.bytes.size();
    return sum;
  }
};

/// Reads one message. A reader that met something impossible stays failed and gives defaults: check done() at the end.
class Reader {
 public:
  /// `bytes` begin behind the header. What is made of them is bounded: at most `most_items` elements of arrays, so that
  /// a small message cannot become a large structure.
  Reader(std::string_view bytes, std::int16_t version, bool flexible, std::size_t most_items = 200'000)
      : in_(bytes), version_(version), flexible_(flexible), items_left_(most_items) {}

  /// A whole structure: its fields, then its tagged ones.
  template <class T>
  void structure(T& message) {
    const std::int32_t outer = wanted_tag_;
    wanted_tag_ = no_tag;
    fields(*this, message);
    if (flexible_) tags(message);
    wanted_tag_ = outer;
  }

  template <class T>
  void operator()(T& value, When when = {}) {
    if (wanted_tag_ != no_tag || version_ < when.since || version_ > when.until) return;
    get(value, version_ >= when.nullable);
  }
  template <class T>
  void tagged(std::int32_t tag, T& value, When when = {}) {
    if (wanted_tag_ != tag || version_ < when.since || version_ > when.until) return;
    wanted_tag_ = no_tag;
    get(value, version_ >= when.nullable);
    wanted_tag_ = found_tag;
  }

  bool ok() const { return in_.ok(); }
  bool done() const { return in_.done(); }
  std::int16_t version() const { return version_; }

 private:
  static constexpr std::int32_t no_tag = -1;     // fields are read in their order
  static constexpr std::int32_t found_tag = -2;  // the tagged field was read

  template <class T>
  void tags(T& message) {
    const std::uint64_t count = in_.varint();
    for (std::uint64_t i = 0; i < count && in_.ok(); ++i) {
      const std::uint64_t tag = in_.varint();
      const std::string_view value = in_.raw(in_.varint());
      if (!in_.ok() || tag > 1'000'000) continue;  // nobody has that many: unknown, skipped
      const ByteReader rest = std::exchange(in_, ByteReader{value});
      wanted_tag_ = static_cast<std::int32_t>(tag);
      fields(*this, message);
      const bool whole = wanted_tag_ != found_tag || in_.done();
      wanted_tag_ = no_tag;
      const bool good = in_.ok() && whole;
      in_ = rest;
      if (!good) in_.fail();
    }
  }

  template <std::integral T>
  void get(T& value, bool) {
    value = in_.be<T>();
  }
  void get(bool& value, bool) { value = in_.u8() != 0; }
  void get(Uuid& value, bool) {
    const std::string_view bytes = in_.raw(value.bytes.size());
    if (in_.ok()) std::copy(bytes.begin(), bytes.end(), value.bytes.begin());
  }
  void get(std::string& value, bool) { value = run(string_length(), false).value_or(std::string_view{}); }
  void get(std::optional<std::string>& value, bool nullable) { value = run(string_length(), nullable); }
  void get(Bytes& value, bool) { value = Bytes{std::string{run(long_length(), false).value_or(std::string_view{})}}; }
  void get(ReceivedRecords& value, bool nullable) { value.bytes = run(long_length(), nullable); }
  void get(SentRecords& value, bool nullable) {
    const auto bytes = run(long_length(), nullable);
    if (!bytes) return;
    auto owner = std::make_shared<const std::string>(*bytes);
    value.pieces = {{owner, *owner}};
  }
  template <class T>
  void get(std::vector<T>& value, bool) {
    elements(long_length(), value);
  }
  template <class T>
  void get(std::optional<std::vector<T>>& value, bool nullable) {
    const std::int64_t length = long_length();
    if (length < 0 && nullable) return value.reset();
    elements(length, value.emplace());
  }
  template <class T>
    requires std::is_class_v<T>
  void get(T& value, bool) {
    structure(value);
  }

  // -1: null.
  std::int64_t compact_length() {
    const std::uint64_t length = in_.varint();
    if (length <= std::numeric_limits<std::int32_t>::max()) return static_cast<std::int64_t>(length) - 1;
    in_.fail();
    return 0;
  }
  std::int64_t string_length() { return flexible_ ? compact_length() : in_.be<std::int16_t>(); }
  std::int64_t long_length() { return flexible_ ? compact_length() : in_.be<std::int32_t>(); }
  std::optional<std::string_view> run(std::int64_t length, bool nullable);
  bool counted(std::int64_t count);
  template <class T>
  void elements(std::int64_t count, std::vector<T>& out) {
    if (!counted(count)) return;
    for (std::int64_t i = 0; i < count && in_.ok(); ++i) get(out.emplace_back(), false);
  }

  ByteReader in_;
  const std::int16_t version_;
  const bool flexible_;
  std::size_t items_left_;
  std::int32_t wanted_tag_ = no_tag;
};

/// What a Writer made: bytes, with runs of others' memory between them.
struct Output {
  struct Splice {
    std::size_t at = 0;  ///< before this byte of `bytes`
    SentRecords::Piece piece;
  };
  std::string bytes;
  std::vector<Splice> splices;  ///< in order
  std::size_t spliced = 0;      ///< their bytes
  std::size_t size() const { return bytes.size() + spliced; }
  std::string flat() const;  ///< all in one string: for tests
};

/// Writes one message at the end of an Output.
class Writer {
 public:
  Writer(Output& out, std::int16_t version, bool flexible) : out_(out), version_(version), flexible_(flexible) {}

  template <class T>
  void structure(const T& message) {
    const Mode outer = std::exchange(mode_, Mode::fields);
    fields(*this, message);
    if (flexible_) {
      const std::uint32_t outer_count = std::exchange(tag_count_, 0);
      mode_ = Mode::count_tags;
      fields(*this, message);
      bytes().varint(tag_count_);
      mode_ = Mode::tags;
      if (tag_count_ != 0) fields(*this, message);
      tag_count_ = outer_count;
    }
    mode_ = outer;
  }

  template <class T>
  void operator()(const T& value, When when = {}) {
    if (mode_ != Mode::fields || version_ < when.since || version_ > when.until) return;
    put(value, version_ >= when.nullable);
  }
  /// Written when it differs from a fresh one. Tags in growing order.
  template <class T>
  void tagged(std::int32_t tag, const T& value, When when = {}) {
    if (mode_ == Mode::fields || version_ < when.since || version_ > when.until || value == T{}) return;
    if (mode_ == Mode::count_tags) {
      ++tag_count_;
      return;
    }
    Output inner;
    Writer writer{inner, version_, flexible_};
    writer.put(value, true);
    bytes().varint(static_cast<std::uint64_t>(tag));
    bytes().text(inner.bytes);
  }

  std::int16_t version() const { return version_; }

 private:
  enum class Mode : std::uint8_t { fields, count_tags, tags };

  ByteWriter bytes() { return ByteWriter{out_.bytes}; }

  template <std::integral T>
  void put(T value, bool) {
    bytes().be(value);
  }
  void put(bool value, bool) { bytes().u8(value ? 1 : 0); }
  void put(const Uuid& value, bool) {
    out_.bytes.append(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size());
  }
  void put(const std::string& value, bool) { string_length(value.size()), bytes().raw(value); }
  void put(const std::optional<std::string>& value, bool nullable) {
    if (!value && nullable) return null_string();
    put(value ? *value : std::string{}, false);
  }
  void put(const Bytes& value, bool) { long_length(value.size()), bytes().raw(value); }
  void put(const ReceivedRecords& value, bool nullable) {
    if (!value.bytes && nullable) return null_run();
    long_length(value.bytes.value_or("").size());
    bytes().raw(value.bytes.value_or(""));
  }
  void put(const SentRecords& value, bool nullable);
  template <class T>
  void put(const std::vector<T>& value, bool) {
    long_length(value.size());
    for (const T& each : value) put(each, false);
  }
  template <class T>
  void put(const std::optional<std::vector<T>>& value, bool nullable) {
    if (!value && nullable) return null_run();
    put(value ? *value : std::vector<T>{}, false);
  }
  template <class T>
    requires std::is_class_v<T>
  void put(const T& value, bool) {
    structure(value);
  }

  void string_length(std::size_t size);
  void long_length(std::size_t size);
  void null_string();
  void null_run();

  Output& out_;
  const std::int16_t version_;
  const bool flexible_;
  Mode mode_ = Mode::fields;
  std::uint32_t tag_count_ = 0;
};

}  // namespace continuo::wire::kafka
