// What the content type of an event says about its data.
#pragma once

#include <string_view>

namespace continuo::record {

constexpr std::string_view structured_event_type = "application/cloudevents+json";

/// "application/json; charset=utf-8" -> "application/json": without parameters and surrounding blanks.
std::string_view without_parameters(std::string_view content_type);

/// The same letters, upper or lower case (ASCII).
bool equal_ignoring_case(std::string_view left, std::string_view right);

/// application/json, text/json, or anything that ends in +json; parameters and case do not count.
/// CloudEvents JSON format 1.0.2, section 3.1; an absent type (empty) means JSON there, but is not JSON here.
bool is_json_type(std::string_view content_type);

/// Types whose data is text for people to read: text/*, and XML, YAML, forms and scripts by their usual names. By the
/// type alone, so that all events of one type look the same to who reads them as JSON.
bool is_text_type(std::string_view content_type);

}  // namespace continuo::record
