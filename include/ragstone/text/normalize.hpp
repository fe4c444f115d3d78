#pragma once

#include <string>
#include <string_view>

namespace ragstone {

/// Unicode NFKC with full case folding (NFKC_Casefold): "Ｆｕｌｌ Straße" becomes "full strasse". Idempotent. ASCII
/// text is only lower-cased. Invalid bytes become U+FFFD.
std::string normalize(std::string_view text);

/// Appends normalize(text) to `out`.
void append_normalized(std::string& out, std::string_view text);

}  // namespace ragstone
