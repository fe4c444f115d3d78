#pragma once

#include <ragstone/base/metadata.hpp>

#include <string>
#include <string_view>

/// The rules of metadata.hpp for names and values, shared by Metadata and Filter. Empty if all is well, otherwise a
/// phrase that says what is wrong and what to do.
namespace ragstone::detail {

std::string name_problem(std::string_view name);
std::string value_problem(const Scalar& value);

}  // namespace ragstone::detail
