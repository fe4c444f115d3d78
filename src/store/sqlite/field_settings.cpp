#include "store/sqlite/field_settings.hpp"

#include <ragstone/base/error.hpp>

namespace ragstone::sqlite {

std::vector<std::string> FieldSettings::names() const {
  std::vector<std::string> names;
  for (const FieldDeclaration& field : declared) names.push_back(field.name);
  return names;
}

std::string FieldSettings::signature() const {
  // A name holds no control character.
  std::string signature = "fields/1";
  for (const FieldDeclaration& field : declared)
    signature += '\n' + std::to_string(static_cast<int>(field.kind)) + field.name;
  return signature;
}

FieldSettings load_fields(Database& database) {
  FieldSettings settings;
  Statement& fields = database.statement("SELECT name, kind FROM field ORDER BY name");
  const Rows guard_fields(fields);
  while (fields.step()) {
    const std::int64_t kind = fields.integer(1);
    if (kind < 0 || kind > static_cast<std::int64_t>(FieldKind::text))
      throw Error(Errc::corrupt_store,
                  "store: a declared field has an unknown kind; verify the store, then recover it");
    settings.declared.emplace_back(std::string(fields.text(0)), static_cast<FieldKind>(kind));
  }
  Statement& rebuild = database.statement("SELECT next_source FROM field_rebuild");
  const Rows guard_rebuild(rebuild);
  if (rebuild.step()) settings.next_source = rebuild.integer(0);
  return settings;
}

void save_fields(Database& database, const FieldSettings& settings) {
  database.execute("DELETE FROM field; DELETE FROM field_rebuild");
  Statement& insert = database.statement("INSERT INTO field(name, kind) VALUES(?1, ?2)");
  for (const FieldDeclaration& field : settings.declared) {
    insert.bind_text(1, field.name);
    insert.bind_integer(2, static_cast<std::int64_t>(field.kind));
    insert.run();
  }
  if (!settings.next_source) return;
  Statement& rebuild = database.statement("INSERT INTO field_rebuild(one, next_source) VALUES(1, ?1)");
  rebuild.bind_integer(1, *settings.next_source);
  rebuild.run();
}

}  // namespace ragstone::sqlite
