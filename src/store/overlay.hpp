#pragma once

#include <ragstone/base/filter.hpp>
#include <ragstone/base/metadata.hpp>

#include <string_view>

namespace ragstone {

/// A node's metadata as it is seen: its own values over those of its source.
Metadata overlay(const Metadata& own, const Metadata& source);

/// Whether two nodes' metadata look the same.
bool same_overlay(const Metadata& own_a, const Metadata& source_a, const Metadata& own_b, const Metadata& source_b);

/// What overlay() gives, for a filter, without making it.
class OverlayFields final : public FieldLookup {
 public:
  /// Both outlive this object.
  OverlayFields(const Metadata& own, const Metadata& source) : own_(own), source_(source) {}

  const Scalar* find(std::string_view name) const override {
    const Scalar* value = own_.find(name);
    return value ? value : source_.find(name);
  }

 private:
  const Metadata& own_;
  const Metadata& source_;
};

}  // namespace ragstone
