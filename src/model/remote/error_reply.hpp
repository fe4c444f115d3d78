#pragma once

#include <string>
#include <string_view>

#include <simdjson.h>

namespace ragstone::detail {

/// What a server says about an error: {error: {message}}, {error: "..."}, {message}, {detail}, else the text itself;
/// on one line, at most 64 KB, valid UTF-8. It may repeat the request's key: see ModelServerCore::told().
std::string error_text(std::string_view body);

/// The code of an error where it is a text, {error: {code}} or {code}; empty otherwise.
std::string error_code(std::string_view body);

/// error_text() of a parsed reply; empty if it reports no error: has neither {error: ...} nor {object: "error"}.
std::string error_text(const simdjson::dom::element& reply);

}  // namespace ragstone::detail
