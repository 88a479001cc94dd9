// How many files the process may open, and how many of them are for topics.
#pragma once

#include <cstddef>
#include <cstdint>

namespace continuo::cli {

struct FileLimit {
  std::uint64_t now = 0;   ///< files, connections too, that may be open at once
  std::uint64_t most = 0;  ///< what the process may raise it to
};

FileLimit file_limit();
/// Raises the limit as far as the process may.
void raise_file_limit();
/// Of this limit, half is for topic files, at most max_topic_files; the rest is for connections.
std::size_t topic_files(const FileLimit& limit);

constexpr std::size_t max_topic_files = 65'536;

}  // namespace continuo::cli
