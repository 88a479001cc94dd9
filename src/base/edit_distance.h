// How far two words are from each other: for "did you mean ...?".
#pragma once

#include <cstddef>
#include <string_view>

namespace continuo {

/// How many letters have to be put in, left out, changed or swapped with their neighbour to get from one to the other
/// (optimal string alignment). Time grows with the product of their lengths.
std::size_t edit_distance(std::string_view from, std::string_view to);

}  // namespace continuo
