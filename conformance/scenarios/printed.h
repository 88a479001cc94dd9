// Any answer as JSON: {"type": NAME, "0": first field, "1": ...}, fields numbered as `fields` names them; those that
// the version does not have are left out. Batches are taken apart, so that what two servers wrote into them can be
// compared.
#pragma once

#include <boost/core/demangle.hpp>
#include <boost/json.hpp>

#include <string>
#include <typeinfo>

#include "continuo/base/checksum.h"
#include "continuo/record/batch.h"
#include "continuo/wire/kafka/codec.h"

namespace continuo::conformance {

using wire::kafka::Bytes;
using wire::kafka::ReceivedRecords;
using wire::kafka::SentRecords;
using wire::kafka::Uuid;
using wire::kafka::When;

inline std::string hex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes)
    for (const int shift : {4, 0}) out += "0123456789abcdef"[static_cast<unsigned char>(byte) >> shift & 15];
  return out;
}

class Printed {
 public:
  explicit Printed(std::int16_t version) : version_(version) {}

  template <class T>
  void operator()(T& value, When when = {}) {
    const int place = place_++;
    if (version_ < when.since || version_ > when.until) return;
    object_[std::to_string(place)] = json(value);
  }
  template <class T>
  void tagged(std::int32_t, T& value, When when = {}) {
    (*this)(value, when);
  }

  template <class T>
  static boost::json::value of(const T& message, std::int16_t version) {
    return Printed{version}.structure(message);
  }

 private:
  template <class T>
  boost::json::value structure(const T& message) {
    constexpr std::string_view outer = "continuo::wire::kafka::";
    std::string name = boost::core::demangle(typeid(T).name());
    object_["type"] = name.starts_with(outer) ? name.substr(outer.size()) : name;
    fields(*this, message);
    return std::move(object_);
  }

  boost::json::value json(bool value) const { return value; }
  template <std::integral T>
  boost::json::value json(T value) const {
    return std::int64_t{value};
  }
  boost::json::value json(const Uuid& value) const {
    return boost::json::value(hex({reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()}));
  }
  boost::json::value json(const std::string& value) const { return boost::json::value(value); }
  boost::json::value json(const Bytes& value) const { return boost::json::value(hex(value)); }
  boost::json::value json(const ReceivedRecords& value) const {
    return boost::json::value(hex(value.bytes.value_or("")));
  }
  boost::json::value json(const SentRecords& value) const {
    std::string all;
    for (const auto& piece : value.pieces) all += piece.bytes;
    return batches(all);
  }
  template <class T>
  boost::json::value json(const std::optional<T>& value) const {
    return value ? json(*value) : boost::json::value{};
  }
  template <class T>
  boost::json::value json(const std::vector<T>& value) const {
    boost::json::array all;
    for (const T& each : value) all.push_back(json(each));
    return all;
  }
  template <class T>
    requires std::is_class_v<T>
  boost::json::value json(const T& value) const {
    return of(value, version_);
  }

  // The end may be a part of a batch: Kafka cuts where its limit is.
  static boost::json::value batches(std::string_view bytes) {
    boost::json::array all;
    while (!bytes.empty()) {
      const auto header = record::read_batch_header(bytes);
      if (!header) {
        all.emplace_back(boost::json::object{{"part_of_a_batch", true}});
        break;
      }
      const std::string_view whole = bytes.substr(0, header->size);
      using L = record::BatchLayout;
      all.emplace_back(boost::json::object{{"base_offset", header->base_offset.value},
                                           {"size", header->size},
                                           {"leader_epoch", header->leader_epoch},
                                           {"attributes", header->attributes},
                                           {"last_offset_delta", header->last_offset_delta},
                                           {"base_timestamp", header->base_timestamp},
                                           {"max_timestamp", header->max_timestamp},
                                           {"producer_id", header->producer_id},
                                           {"producer_epoch", header->producer_epoch},
                                           {"base_sequence", header->base_sequence},
                                           {"record_count", header->record_count},
                                           {"crc_holds", crc32c(whole.substr(L::attributes)) == header->crc},
                                           {"crc_of_records", crc32c(whole.substr(L::records))}});
      bytes.remove_prefix(header->size);
    }
    return all;
  }

  std::int16_t version_;
  int place_ = 0;
  boost::json::object object_;
};

}  // namespace continuo::conformance
