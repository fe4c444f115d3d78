#include "store/sqlite/staged_parts.hpp"

#include "store/coding.hpp"
#include "store/sqlite/part_table.hpp"

#include <algorithm>

namespace ragstone::sqlite {
namespace {

template <class Visit>
void parse(std::string_view parts, Visit visit) {
  ByteReader in(parts, "staged parts of a commit");
  while (!in.at_end()) {
    StagedPart part;
    part.number = in.zigzag();
    part.definition = in.zigzag();
    part.rows = in.varint(UINT32_MAX);
    part.digest = in.raw<std::int64_t>();
    part.image = in.string();
    visit(part);
  }
}

PartRecord record_of(const StagedPart& part) {
  PartRecord record;
  record.number = part.number;
  record.definition = part.definition;
  record.rows = part.rows;
  record.digest = part.digest;
  record.image = part.image;
  return record;
}

void write(Database& database, Generation generation, std::string_view parts) {
  Statement& update = database.statement("UPDATE commit_log SET parts = ?2 WHERE generation = ?1");
  update.bind_integer(1, static_cast<std::int64_t>(generation));
  update.bind_blob(2, parts);
  update.run();
}

}  // namespace

void append_staged(std::string& parts, const StagedPart& part) {
  ByteWriter out;
  out.zigzag(part.number);
  out.zigzag(part.definition);
  out.varint(part.rows);
  out.raw(part.digest);
  out.string(part.image);
  parts += std::move(out).take();
}

void read_staged(Database& database, Generation generation, const std::function<void(const StagedPart&)>& visit) {
  Statement& read = database.statement("SELECT parts FROM commit_log WHERE generation = ?1");
  const Rows guard(read);
  read.bind_integer(1, static_cast<std::int64_t>(generation));
  if (read.step()) parse(read.blob(0), visit);
}

bool erase_staged(Database& database, Catalog& catalog, Generation generation, std::int64_t number) {
  const auto place = std::find(catalog.staged.begin(), catalog.staged.end(), generation);
  if (place == catalog.staged.end()) return false;
  std::string rest;
  bool found = false;
  read_staged(database, generation, [&](const StagedPart& part) {
    if (part.number == number) {
      found = true;
    } else {
      append_staged(rest, part);
    }
  });
  if (!found) return false;
  write(database, generation, rest);
  if (rest.empty()) catalog.staged.erase(place);
  return true;
}

void move_staged(Database& database, Catalog& catalog, Generation last) {
  while (!catalog.staged.empty() && catalog.staged.front() <= last) {
    read_staged(database, catalog.staged.front(),
                [&](const StagedPart& part) { insert_part(database, record_of(part)); });
    write(database, catalog.staged.front(), {});
    catalog.staged.erase(catalog.staged.begin());
  }
}

}  // namespace ragstone::sqlite
