#pragma once

#include "store/sqlite/database.hpp"
#include <ragstone/store/field.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ragstone::sqlite {

/// The key of the column that a group's declared fields make; no other column can have it.
inline constexpr char kFieldKey[] = "";

/// Which fields of metadata have columns, and how far those agree with the declaration.
struct FieldSettings {
  std::vector<FieldDeclaration> declared;  ///< By ascending name.
  /// Set while columns are made anew: sources from this number on may have those of an earlier declaration, or none.
  std::optional<std::int64_t> next_source;

  std::vector<std::string> names() const;
  /// Tells columns of different declarations apart.
  std::string signature() const;
};

FieldSettings load_fields(Database& database);
void save_fields(Database& database, const FieldSettings& settings);

}  // namespace ragstone::sqlite
