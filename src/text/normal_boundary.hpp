#pragma once

namespace ragstone::detail {

/// Whether normalize() of a text that ends before this valid code point, and of the rest, are those of the whole.
bool has_normal_boundary_before(char32_t code_point);

}  // namespace ragstone::detail
