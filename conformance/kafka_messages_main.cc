// Prints the shape of every Kafka message in every version that is advertised, for conformance/messages to compare:
//   KEY request|response VERSION FLEXIBLE { TYPE TYPE ... @TAG:TYPE }
#include <fmt/format.h>

#include "continuo/wire/kafka/messages_test.h"

namespace continuo::wire::kafka {
namespace {

/// Goes over a message like a reader or a writer, and notes what it meets.
class Shape {
 public:
  explicit Shape(std::int16_t version) : version_(version) {}
  template <class T>
  void operator()(T& value, When when = {}) {
    if (version_ < when.since || version_ > when.until) return;
    note(value, version_ >= when.nullable);
    text_ += ' ';
  }
  template <class T>
  void tagged(std::int32_t tag, T& value, When when = {}) {
    if (version_ < when.since || version_ > when.until) return;
    text_ += fmt::format("@{}:", tag);
    note(value, version_ >= when.nullable);
    text_ += ' ';
  }
  template <class T>
  std::string of(T message) {
    text_.clear();
    note(message, false);
    return text_;
  }

 private:
  void note(bool&, bool) { text_ += "bool"; }
  template <std::integral T>
  void note(T&, bool) {
    text_ += fmt::format("int{}", 8 * sizeof(T));
  }
  void note(Uuid&, bool) { text_ += "uuid"; }
  void note(std::string&, bool) { text_ += "string"; }
  void note(Bytes&, bool) { text_ += "bytes"; }
  void note(std::optional<std::string>&, bool nullable) { text_ += nullable ? "string?" : "string"; }
  void note(ReceivedRecords&, bool) { text_ += "records"; }
  void note(SentRecords&, bool) { text_ += "records"; }
  template <class T>
  void note(std::vector<T>&, bool) {
    T element{};
    text_ += "[";
    note(element, false);
    text_ += "]";
  }
  template <class T>
  void note(std::optional<std::vector<T>>&, bool nullable) {
    std::vector<T> elements;
    if (nullable) text_ += "?";
    note(elements, false);
  }
  template <class T>
    requires std::is_class_v<T>
  void note(T& value, bool) {
    text_ += "{ ";
    fields(*this, value);
    text_ += "}";
  }

  std::int16_t version_;
  std::string text_;
};

void print_all() {
  each_api([]<class Request, class Response>(ApiKey key) {
    const Api& api = *find_api(static_cast<std::int16_t>(key));
    for (std::int16_t version = api.min_version; version <= api.max_version; ++version) {
      const auto print = [&](std::string_view direction, const std::string& shape) {
        fmt::print("{} {} {} {} {}\n", static_cast<int>(key), direction, version, api.flexible(version) ? 1 : 0, shape);
      };
      print("request", Shape{version}.of(Request{}));
      print("response", Shape{version}.of(Response{}));
    }
  });
}

}  // namespace
}  // namespace continuo::wire::kafka

int main() { continuo::wire::kafka::print_all(); }
