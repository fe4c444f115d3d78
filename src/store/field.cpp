#include "base/metadata_rules.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/field.hpp>

#include <algorithm>
#include <cstddef>

namespace ragstone {
namespace {

constexpr std::size_t kMaxFields = 64;

}  // namespace

std::vector<FieldDeclaration> checked_fields(std::vector<FieldDeclaration> fields) {
  if (fields.size() > kMaxFields)
    throw Error(Errc::invalid_argument, "declare fields: " + std::to_string(fields.size()) +
                                            " are too many; declare at most 64, those that filters ask for most");
  for (const FieldDeclaration& field : fields)
    if (const std::string problem = detail::name_problem(field.name); !problem.empty())
      throw Error(Errc::invalid_argument, "declare fields: " + problem);
  const auto by_name = [](const FieldDeclaration& a, const FieldDeclaration& b) { return a.name < b.name; };
  std::sort(fields.begin(), fields.end(), by_name);
  const auto same = [](const FieldDeclaration& a, const FieldDeclaration& b) { return a.name == b.name; };
  if (const auto twice = std::adjacent_find(fields.begin(), fields.end(), same); twice != fields.end())
    throw Error(Errc::invalid_argument, "declare fields: \"" + twice->name + "\" is declared twice");
  return fields;
}

}  // namespace ragstone
