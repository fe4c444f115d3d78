#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ragstone {

/// What the values of a declared field are meant to be. A store whose columns have types makes one of this type; the
/// embedded ones keep a value of any kind as it is, and compare it as Filter says.
enum class FieldKind { boolean, integer, real, text };

/// A name in metadata that filters often ask for. A store keeps the values of declared fields beside its rows, so that
/// a filter over them costs about a nanosecond a row; other fields are looked up in the metadata of each source and
/// node.
class FieldDeclaration {
 public:
  FieldDeclaration() = default;
  FieldDeclaration(std::string field_name, FieldKind field_kind) : name(std::move(field_name)), kind(field_kind) {}

  std::string name;
  FieldKind kind = FieldKind::text;

  friend bool operator==(const FieldDeclaration&, const FieldDeclaration&) = default;
};

/// The same declarations by ascending name. Errors: Errc::invalid_argument for a name that Metadata would not take or
/// that occurs twice, and for more than 64 fields.
std::vector<FieldDeclaration> checked_fields(std::vector<FieldDeclaration> fields);

static_assert(!std::is_aggregate_v<FieldDeclaration>);

}  // namespace ragstone
