// The text of a metrics page: Prometheus' format 0.0.4.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace continuo::serve {

class MetricsPage {
 public:
  void counter(std::string_view name, std::string_view what, std::uint64_t value) {
    plain(name, what, "counter", value);
  }
  void gauge(std::string_view name, std::string_view what, std::uint64_t value) { plain(name, what, "gauge", value); }
  void gauge_seconds(std::string_view name, std::string_view what, double seconds) {
    head(name, what, "gauge");
    text_ += fmt::format("{} {:.9f}\n", name, seconds);
  }
  /// Samples follow as lines.
  void head(std::string_view name, std::string_view what, std::string_view kind) {
    text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, what, kind);
  }
  void line(std::string_view text) { text_.append(text).append("\n"); }
  void lines(std::string_view text) { text_.append(text); }
  void add(const MetricsPage& other) { text_ += other.text_; }
  const std::string& text() const { return text_; }

 private:
  void plain(std::string_view name, std::string_view what, std::string_view kind, std::uint64_t value) {
    head(name, what, kind);
    text_ += fmt::format("{} {}\n", name, value);
  }
  std::string text_;
};

}  // namespace continuo::serve
