// Batches to test with.
#pragma once

#include <memory>
#include <string>

#include "continuo/log/seam/home.h"
#include "continuo/record/batch.h"

namespace continuo::log {

/// A batch of `records` records from `base` on, with a value of `value_bytes` each.
inline AppendedBatch sample_batch(PartitionRef partition, Offset base, int records = 1, std::size_t value_bytes = 10,
                                  std::int64_t timestamp_ms = 1'000) {
  record::BatchBuilder builder;
  for (int i = 0; i < records; ++i) {
    std::string body;
    record::BodyWriter{body}
        .key("key-" + std::to_string((base.value + i) % 7))
        .value(std::string(value_bytes, static_cast<char>('a' + (base.value + i) % 26)))
        .header_count(0);
    builder.add(body, timestamp_ms + i);
  }
  return {partition, base, base + records, timestamp_ms + records - 1,
          std::make_shared<const std::string>(builder.finish(base))};
}

}  // namespace continuo::log
