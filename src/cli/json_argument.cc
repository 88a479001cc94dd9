#include "continuo/cli/json_argument.h"

#include <boost/json.hpp>

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>

namespace continuo::cli {
namespace {

std::string all_of(std::istream& in) { return {std::istreambuf_iterator<char>(in), {}}; }

}  // namespace

Result<std::string> json_argument(const std::string& given, std::string_view option, JsonKind kind) {
  const bool object = kind == JsonKind::object;
  std::string text = given;
  const std::size_t begin = given.find_first_not_of(" \t\r\n");
  if (given == "-") {
    text = all_of(std::cin);
  } else if (begin == std::string::npos || given[begin] != (object ? '{' : '[')) {
    const std::string path = given.starts_with('@') ? given.substr(1) : given;
    std::ifstream file(path, std::ios::binary);
    if (!file)
      return fail(
          Code::bad_usage, fmt::format("'{}' is neither JSON nor a file that can be read", given), std::string{option},
          object ? R"(JSON like {"type":["OrderPaid"]}, a file's name, or -)" : "a JSON array, a file's name, or -");
    text = all_of(file);
  }
  boost::system::error_code error;
  const auto value = boost::json::parse(text, error);
  if (error || (object ? !value.is_object() : !value.is_array()))
    return fail(Code::bad_usage, fmt::format("'{}' is no JSON {}", given.substr(0, 80), object ? "object" : "array"),
                std::string{option});
  return text;
}

}  // namespace continuo::cli
