// Base64 (RFC 4648, section 4), as CloudEvents' `data_base64` carries binary data.
#pragma once

#include <string>
#include <string_view>

namespace continuo::record {

/// How many bytes `text` decodes to at most.
constexpr std::size_t base64_decoded_bound(std::string_view text) { return text.size() / 4 * 3; }

/// Appends the decoded bytes to `out`. Strict: full padding, no line breaks, no characters outside the alphabet, and
/// the bits that do not count are zero, so that every run of bytes has one text. On false `out` is as it was.
bool base64_decode(std::string_view text, std::string& out);

/// Appends `bytes` in base64.
void base64_encode(std::string_view bytes, std::string& out);

}  // namespace continuo::record
