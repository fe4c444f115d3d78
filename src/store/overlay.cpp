#include "store/overlay.hpp"

namespace ragstone {

Metadata overlay(const Metadata& own, const Metadata& source) {
  Metadata visible = source;
  for (const auto& [name, value] : own) visible.set(name, value);
  return visible;
}

bool same_overlay(const Metadata& own_a, const Metadata& source_a, const Metadata& own_b, const Metadata& source_b) {
  if (own_a == own_b && source_a == source_b) return true;
  return overlay(own_a, source_a) == overlay(own_b, source_b);
}

}  // namespace ragstone
