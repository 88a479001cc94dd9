#include "continuo/cli/file_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace continuo::cli {

FileLimit file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  return {limit.rlim_cur, limit.rlim_max};
}

void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);  // refused: it stays as it is
}

std::size_t topic_files(const FileLimit& limit) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(limit.now / 2, max_topic_files));
}

}  // namespace continuo::cli
