// Random patterns and events that collide: a seed chooses a world of few names, strings and numbers, and both are made
// of them. Everything is valid; events break only where `bend` breaks them.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/random.h"
#include "continuo/routing/oracle_json_test.h"
#include "continuo/routing/pattern.h"

namespace continuo::routing::oracle {

class Generator {
 public:
  Generator(std::uint64_t seed, Scope scope);

  Json pattern();
  /// Anything of the world. Scope::event: an object of attributes, extensions, `headers`, `key` and `data`.
  Json event();
  /// One that has a good chance to match, and now and then hardly misses.
  Json event_for(const Json& pattern);
  /// One of the ways to write it: blanks, escapes.
  std::string spell(const Json& json);
  /// Rarely: the text ends early, or something stands behind it.
  std::string bend(std::string text);

  Random& random() { return random_; }

 private:
  using Paths = std::set<std::string>;

  const std::string& name() { return names_[random_.below(names_.size())]; }
  const std::string& text() { return texts_[random_.below(texts_.size())]; }
  const std::string& number() { return numbers_[random_.below(numbers_.size())]; }
  std::string field_name();
  std::string piece();
  std::string wildcard();
  std::string network();
  Json scalar();
  Json value(int depth);
  Json object(int depth);
  Json headers(std::size_t most);

  Json group(const std::string& path, int depth, Paths& used);
  Json attribute_group(Paths& used);
  void add_field(Json& group, const std::string& path, const std::string& name, int depth, Paths& used);
  void add_choice(Json& group, const std::string& path, int depth, Paths& used);
  Json conditions(bool text_only);
  Json condition(bool text_only);
  Json anything_but(bool text_only);
  Json numeric();

  void satisfy(const Json& group, Json& event, bool below_data);
  Json satisfying(const Json& conditions, bool text_only);
  Json split_among_elements(const Json& group);
  std::string matching_text(const Json& condition);

  SeededRandom random_;
  Scope scope_;
  std::vector<std::string> names_, texts_, numbers_;
  bool about_arrays_ = false;  // fields are easily met, but in different elements; and there are many choices
};

}  // namespace continuo::routing::oracle
