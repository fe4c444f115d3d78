#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace ragstone::detail {

/// Adds the members of a JSON object to a request. `what` names the object in errors; an empty text is one without
/// members. `own`: names of members that are set in another way.
/// Errors: Errc::invalid_argument for a text that is no JSON object, or has a member of `own`.
void add_members(nlohmann::json& body, const std::string& object, std::string_view what,
                 std::initializer_list<std::string_view> own);

}  // namespace ragstone::detail
