#include "model/remote/extra_members.hpp"

#include <ragstone/base/error.hpp>

#include <nlohmann/json.hpp>

namespace ragstone::detail {

void add_members(nlohmann::json& body, const std::string& object, std::string_view what,
                 std::initializer_list<std::string_view> own) {
  if (object.empty()) return;
  const nlohmann::json members = nlohmann::json::parse(object, nullptr, false);
  if (!members.is_object())
    throw Error(Errc::invalid_argument, std::string(what) + " must hold a JSON object, such as {\"top_k\": 20}");
  for (const std::string_view name : own)
    if (members.contains(name))
      throw Error(Errc::invalid_argument, std::string(what) + " must not set \"" + std::string(name) + '"');
  body.update(members);
}

}  // namespace ragstone::detail
