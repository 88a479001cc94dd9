// Array consistency where a pattern chooses: {"items":{"$or":[{"sku":["a"]},{"color":["red"]}], ...}}. Which groups are
// chosen and in which elements their fields are met has to be found together.
//
// What is decided is elements, array by array: an element is out when not even all that the other arrays could give
// makes the pattern hold with it. The array with the fewest elements left is decided first, elements that meet the same
// fields are one, and an array without any left ends that try. So what usual patterns and events need is one look at
// each element. Patterns and events can be made for which nobody knows a fast way (any formula of logic can be written
// as one), so work is bounded.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "continuo/routing/array_consistency.h"
#include "continuo/routing/json_reader.h"

namespace continuo::routing {

/// What is left of a pattern's group when all that the event as a whole decides is taken out.
struct OpenGroup {
  std::vector<std::uint32_t> fields;  ///< which of the fields' places; all of them have to hold
  std::vector<std::vector<OpenGroup>> choices;
  bool empty() const { return fields.empty() && choices.empty(); }
};

class ArrayChoices {
 public:
  enum class Answer : std::uint8_t { yes, no, too_long };
  Answer holds(const OpenGroup& group, std::span<const FieldPlaces> fields, const ReadEvent& event);

 private:
  using Word = std::uint64_t;
  using Fields = std::vector<Word>;  // a set of fields
  // An element in which some field is met, or in whose own elements one is. The first one is the event.
  struct Element {
    std::uint32_t parent = 0;
    std::uint32_t array = 0;  // its number in the event
    std::uint32_t first_array = 0, arrays = 0;
  };
  struct Array {
    std::uint32_t parent = 0;
    std::vector<std::uint32_t> elements;
  };

  void collect(std::span<const FieldPlaces> fields, const ReadEvent& event);
  void collect_arrays();
  void drop_equal(Array& array);
  bool holds(const OpenGroup& group, std::span<const Word> met);
  // Where deciding stands.
  struct Stand {
    std::vector<std::uint32_t> open;  // arrays of the elements decided on
    Fields sure;                      // met in those elements
    Fields possible;                  // those, and what the open arrays have
  };
  bool decide(Stand stand, std::size_t depth);
  std::size_t fewest(const Stand& stand, std::vector<std::uint32_t>& elements);
  void take(std::size_t which, std::uint32_t element, Stand& stand);
  bool candidates(std::uint32_t array, const Stand& stand, std::vector<std::uint32_t>& out);
  void narrow(std::uint32_t array, std::uint32_t element, const Fields& sure, Fields& possible) const;
  std::span<Word> own(std::uint32_t element) { return {own_.data() + element * words_, words_}; }
  std::span<Word> below(std::uint32_t element) { return {below_.data() + element * words_, words_}; }
  std::span<const Word> below(std::uint32_t element) const { return {below_.data() + element * words_, words_}; }

  const OpenGroup* group_ = nullptr;
  std::size_t words_ = 0;
  std::uint64_t work_left_ = 0;
  std::vector<Element> elements_;
  std::vector<Array> arrays_;
  std::vector<Word> own_, below_;  // of each element: fields met in it; in it and in what it has
  std::vector<Fields> in_array_;   // of each array: fields met somewhere in it
};

}  // namespace continuo::routing
