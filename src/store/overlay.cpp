#include "store/overlay.hpp"

namespace ragstone {

Metadata overlay(const Metadata& own, const Metadata& source) {
  Metadata visible = source;
  for (const auto& [name, value] : own) visible.set(name, value);
  return visible;
}

}  // namespace ragstone
