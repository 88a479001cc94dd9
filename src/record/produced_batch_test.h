// Batches as producers send them: for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/bytes.h"
#include "continuo/base/checksum.h"
#include "continuo/record/batch.h"

namespace continuo::record {

/// Who sent a batch, where producers number theirs.
struct ProducedBy {
  std::int64_t producer = -1;
  std::int16_t epoch = -1;
  std::int32_t first_sequence = -1;
};

/// A batch of records with the key "k" and these values, all of one time.
inline std::string produced_batch(const std::vector<std::string>& values, std::int64_t timestamp_ms,
                                  ProducedBy by = {}) {
  using L = BatchLayout;
  BatchBuilder builder;
  for (const std::string& value : values) {
    std::string body;
    BodyWriter{body}.key("k").value(value).header_count(0);
    builder.add(body, timestamp_ms);
  }
  std::string batch = builder.finish(Offset{0});
  set_place(batch.data(), Offset{0}, -1);
  store(batch.data() + L::producer_id, big_endian(by.producer));
  store(batch.data() + L::producer_epoch, big_endian(by.epoch));
  store(batch.data() + L::base_sequence, big_endian(by.first_sequence));
  store(batch.data() + L::crc, big_endian(crc32c(std::string_view{batch}.substr(L::attributes))));
  return batch;
}

}  // namespace continuo::record
