// What a matcher and an explanation have to agree with, and how little of a disagreement is enough to show it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/record/batch.h"
#include "continuo/record/event.h"
#include "continuo/routing/matcher.h"
#include "continuo/routing/oracle_test.h"
#include "continuo/routing/pattern.h"

namespace continuo::routing::oracle {

/// A text in memory of its own, so that a sanitizer sees who reads behind it.
class Exactly {
 public:
  explicit Exactly(std::string_view text) : bytes_(new char[text.size()]), size_(text.size()) {
    text.copy(bytes_.get(), size_);
  }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

/// An event of Scope::event, from an object of its attributes, extensions, `headers`, `key` and `data`.
class BuiltInput {
 public:
  /// `data` as this text, when there is some.
  BuiltInput(const Json& event, const std::string& data);
  BuiltInput(const BuiltInput&) = delete;
  BuiltInput& operator=(const BuiltInput&) = delete;
  const Input& input() const { return input_; }

 private:
  Json json_;
  Exactly data_;
  std::string batch_;
  record::Event event_;
  std::optional<record::Record> record_;
  Input input_;
};

struct Case {
  Scope scope = Scope::json;
  std::vector<std::string> patterns;
  std::string event;  ///< Scope::json: as it is matched; else the object, with `data` apart
  std::string data;
};

/// Empty: all agree. Else what does not, for every pattern that does not.
std::string disagreement(const Case& tried);

/// A case as small as can be found for which `fails` still says true.
Case shrunk(Case failing, const std::function<bool(const Case&)>& fails);

std::string to_string(const Case& tried);

}  // namespace continuo::routing::oracle
