#include "continuo/routing/array_choices.h"

#include <algorithm>
#include <ranges>
#include <tuple>

namespace continuo::routing {
namespace {

// In looks at groups of the pattern. Beside it there is time to look at all elements so many times.
constexpr std::uint64_t most_work = 1'000'000;
constexpr std::uint64_t free_looks = 8;
constexpr std::size_t most_depth = 1'000;  // of arrays with several elements that may do

std::uint64_t groups_in(const OpenGroup& group) {
  std::uint64_t groups = 1;
  for (const auto& choice : group.choices)
    for (const OpenGroup& each : choice) groups += groups_in(each);
  return groups;
}

}  // namespace

ArrayChoices::Answer ArrayChoices::holds(const OpenGroup& group, std::span<const FieldPlaces> fields,
                                         const ReadEvent& event) {
  group_ = &group;
  words_ = (fields.size() + 63) / 64;
  collect(fields, event);
  collect_arrays();
  work_left_ = most_work + free_looks * groups_in(group) * elements_.size();
  Stand stand{{}, Fields(words_), {below(0).begin(), below(0).end()}};
  for (std::uint32_t i = 0; i < elements_[0].arrays; ++i) stand.open.push_back(elements_[0].first_array + i);
  const bool found = decide(std::move(stand), 0);
  if (work_left_ == 0) return Answer::too_long;
  return found ? Answer::yes : Answer::no;
}

// The elements that matter, each behind the one it is in.
void ArrayChoices::collect(std::span<const FieldPlaces> fields, const ReadEvent& event) {
  std::vector<ContextId> contexts{0};
  std::vector<bool> seen(event.contexts.size());
  seen[0] = true;
  for (const FieldPlaces& field : fields)
    for (ContextId context : field.contexts)
      for (; !seen[context]; context = event.contexts[context].parent) {
        seen[context] = true;
        contexts.push_back(context);
      }
  std::ranges::sort(contexts);
  const auto number_of = [&](ContextId context) {
    return static_cast<std::uint32_t>(std::ranges::lower_bound(contexts, context) - contexts.begin());
  };
  elements_.assign(contexts.size(), {});
  for (std::size_t i = 1; i < contexts.size(); ++i) {
    elements_[i].parent = number_of(event.contexts[contexts[i]].parent);
    elements_[i].array = event.contexts[contexts[i]].array;
  }
  own_.assign(contexts.size() * words_, 0);
  for (std::size_t field = 0; field < fields.size(); ++field)
    for (const ContextId context : fields[field].contexts) own(number_of(context))[field / 64] |= Word{1} << field % 64;
  below_ = own_;
  for (auto i = static_cast<std::uint32_t>(elements_.size()); --i > 0;)
    for (std::size_t word = 0; word < words_; ++word) below(elements_[i].parent)[word] |= below(i)[word];
}

void ArrayChoices::collect_arrays() {
  arrays_.clear();
  in_array_.clear();
  std::vector<std::uint32_t> by_array;
  for (std::uint32_t i = 1; i < elements_.size(); ++i) by_array.push_back(i);
  std::ranges::sort(by_array, {}, [&](std::uint32_t each) {
    return std::tuple{elements_[each].parent, elements_[each].array, each};
  });
  for (std::size_t i = 0; i < by_array.size(); ++i) {
    const Element& element = elements_[by_array[i]];
    Element& parent = elements_[element.parent];
    if (i == 0 || elements_[by_array[i - 1]].parent != element.parent ||
        elements_[by_array[i - 1]].array != element.array) {
      if (parent.arrays++ == 0) parent.first_array = static_cast<std::uint32_t>(arrays_.size());
      arrays_.push_back({element.parent, {}});
      in_array_.emplace_back(words_);
    }
    arrays_.back().elements.push_back(by_array[i]);
    for (std::size_t word = 0; word < words_; ++word) in_array_.back()[word] |= below(by_array[i])[word];
  }
  for (Array& array : arrays_) drop_equal(array);
}

// Of elements that have nothing inside and meet the same fields, one is enough.
void ArrayChoices::drop_equal(Array& array) {
  const auto inner =
      std::ranges::partition(array.elements, [&](std::uint32_t each) { return elements_[each].arrays == 0; });
  const std::ranges::subrange plain{array.elements.begin(), inner.begin()};
  std::ranges::sort(plain, [&](std::uint32_t left, std::uint32_t right) {
    return std::ranges::lexicographical_compare(own(left), own(right));
  });
  const auto equal = std::ranges::unique(
      plain, [&](std::uint32_t left, std::uint32_t right) { return std::ranges::equal(own(left), own(right)); });
  array.elements.erase(equal.begin(), inner.begin());
}

bool ArrayChoices::holds(const OpenGroup& group, std::span<const Word> met) {
  if (work_left_ > 0) --work_left_;
  for (const std::uint32_t field : group.fields)
    if ((met[field / 64] >> field % 64 & 1) == 0) return false;
  return std::ranges::all_of(group.choices, [&](const auto& choice) {
    return std::ranges::any_of(choice, [&](const OpenGroup& each) { return holds(each, met); });
  });
}

// `possible` when the array's fields are those of one element.
void ArrayChoices::narrow(std::uint32_t array, std::uint32_t element, const Fields& sure, Fields& possible) const {
  for (std::size_t word = 0; word < words_; ++word)
    possible[word] = (possible[word] & ~(in_array_[array][word] & ~sure[word])) | below(element)[word];
}

// The elements of the array that may do. False: none.
bool ArrayChoices::candidates(std::uint32_t array, const Stand& stand, std::vector<std::uint32_t>& out) {
  out.clear();
  Fields with;
  for (const std::uint32_t element : arrays_[array].elements) {
    with = stand.possible;
    narrow(array, element, stand.sure, with);
    if (holds(*group_, with)) out.push_back(element);
    if (work_left_ == 0) return false;
  }
  return !out.empty();
}

// Which of the open arrays has the fewest elements that may do, and these; none when some array has none.
std::size_t ArrayChoices::fewest(const Stand& stand, std::vector<std::uint32_t>& elements) {
  std::size_t best = stand.open.size();
  std::vector<std::uint32_t> some;
  for (std::size_t i = 0; i < stand.open.size(); ++i) {
    if (!candidates(stand.open[i], stand, some)) return stand.open.size();
    if (best < stand.open.size() && some.size() >= elements.size()) continue;
    best = i;
    elements.swap(some);
  }
  return best;
}

void ArrayChoices::take(std::size_t which, std::uint32_t element, Stand& stand) {
  narrow(stand.open[which], element, stand.sure, stand.possible);
  for (std::size_t word = 0; word < words_; ++word) stand.sure[word] |= own(element)[word];
  stand.open.erase(stand.open.begin() + static_cast<std::ptrdiff_t>(which));
  for (std::uint32_t i = 0; i < elements_[element].arrays; ++i)
    stand.open.push_back(elements_[element].first_array + i);
}

bool ArrayChoices::decide(Stand stand, std::size_t depth) {
  std::vector<std::uint32_t> elements;
  for (;;) {
    if (work_left_ == 0 || !holds(*group_, stand.possible)) return false;
    if (holds(*group_, stand.sure)) return true;
    const std::size_t which = fewest(stand, elements);
    if (which == stand.open.size()) return false;
    if (elements.size() == 1) {
      take(which, elements[0], stand);
      continue;
    }
    if (depth == most_depth) work_left_ = 0;
    return std::ranges::any_of(elements, [&](std::uint32_t element) {
      Stand next = stand;
      take(which, element, next);
      return decide(std::move(next), depth + 1);
    });
  }
}

}  // namespace continuo::routing
