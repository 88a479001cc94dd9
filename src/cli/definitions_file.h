// A file of definitions: what `continuo apply` makes the server have.
//
//   topics:
//     orders: {partitions: 6, retention: {time: 7d}}
//   queues:
//     mail: {lease: 30s, max_receives: 5}
//   subscriptions:
//     shipping:
//       topics: [orders]
//       filter: {type: [OrderPaid]}
//
// YAML, of which JSON is a part. Under each name stands what the HTTP contract's PUT of it takes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "continuo/base/errors.h"

namespace continuo::cli {

enum class Defined : std::uint8_t { topic, queue, subscription };

struct Definition {
  Defined kind = Defined::topic;
  std::string name;
  std::string json;  ///< the object, as JSON
};

class DefinitionsFile {
 public:
  /// Errors: io_error; bad_setting, unknown_field with file and line in `at`. `path` "-": standard input.
  static Result<DefinitionsFile> read(const std::string& path);
  ~DefinitionsFile();
  DefinitionsFile(DefinitionsFile&&) noexcept;
  DefinitionsFile& operator=(DefinitionsFile&&) noexcept;

  /// Topics first, then queues: what others read is there before them.
  const std::vector<Definition>& definitions() const { return definitions_; }
  /// An error of one of them, told with file and line.
  Error placed(const Definition& definition, Error error) const;

 private:
  struct Text;
  explicit DefinitionsFile(std::unique_ptr<Text> text);
  Result<void> load();
  std::unique_ptr<Text> text_;
  std::vector<Definition> definitions_;
};

}  // namespace continuo::cli
