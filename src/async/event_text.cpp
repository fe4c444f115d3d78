#include "async/event_text.hpp"

#include <ragstone/base/error.hpp>

#include <ostream>
#include <variant>

namespace ragstone {

void append_values(std::ostream& out, const Metadata& values) {
  for (const auto& [name, value] : values) {
    out << ' ' << name << '=';
    std::visit([&out](const auto& scalar) { out << std::boolalpha << scalar; }, value);
  }
}

void append_error(std::ostream& out, const Event& event) {
  if (event.cancelled()) {
    out << " cancelled";
  } else if (event.error()) {
    out << " error=" << name_of(errc_of(event.error())) << ": " << message_of(event.error());
  }
}

}  // namespace ragstone
