#pragma once

#include <ragstone/async/event.hpp>

#include <iosfwd>

namespace ragstone {

/// Writes " name=value" for each entry.
void append_values(std::ostream& out, const Metadata& values);

/// Writes " cancelled" or " error=code: message" for a failed run.
void append_error(std::ostream& out, const Event& event);

}  // namespace ragstone
