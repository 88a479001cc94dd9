// A JSON text as a tree that is opened only where somebody looks. What is not opened stays the text it was: numbers of
// any size and the spelling of strings come out as they went in.
//
//   JsonNode root{R"({"a":[1,2.50]})"};      // valid JSON: nothing is checked again (validate_json)
//   root.member("a")->items()[0].value = JsonNode{"7"};
//   root.write(out);                          // {"a":[7,2.50]}
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace continuo::record {

struct JsonMember;

/// Views only: texts outlive the tree. Copies are deep.
class JsonNode {
 public:
  /// `text` may have blanks around it.
  explicit JsonNode(std::string_view text);
  JsonNode(const JsonNode&);
  JsonNode(JsonNode&&) noexcept;
  JsonNode& operator=(const JsonNode&);
  JsonNode& operator=(JsonNode&&) noexcept;
  ~JsonNode();

  bool is_object() const { return text_.front() == '{'; }
  bool is_array() const { return text_.front() == '['; }
  bool is_string() const { return text_.front() == '"'; }
  bool is_number() const { return text_.front() == '-' || (text_.front() >= '0' && text_.front() <= '9'); }
  /// Of what is neither object nor array.
  std::string_view text() const { return text_; }
  /// Of a string: what it stands for.
  std::string decoded() const;

  /// Of an object or array; opens it.
  std::vector<JsonMember>& items();
  /// Of an object: the member that comes first of this name; null.
  JsonNode* member(std::string_view name);

  void write(std::string& out) const;
  std::size_t size() const;   ///< bytes that `write` appends
  std::size_t depth() const;  ///< 0: neither object nor array

 private:
  void open();
  std::string_view text_;  // of what is opened only the first byte counts
  bool opened_ = false;
  std::vector<JsonMember> items_;
};

struct JsonMember {
  std::string_view name;  ///< with its quotes, as written; empty in arrays
  JsonNode value;
  bool is_named(std::string_view wanted) const;
};

/// What a JSON string with its quotes stands for.
std::string decoded_json_string(std::string_view token);

/// The same value: members in any order, numbers by what they are worth exactly, strings by what they stand for. An
/// object that has a name twice is equal to one that has the same values of it in the same order.
bool equal(JsonNode& left, JsonNode& right);

}  // namespace continuo::record
