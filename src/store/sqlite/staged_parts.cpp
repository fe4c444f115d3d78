#include "store/sqlite/staged_parts.hpp"

#include "store/coding.hpp"
#include "store/sqlite/part_table.hpp"

#include <algorithm>

namespace ragstone::sqlite {
namespace {

constexpr char kWhat[] = "staged parts of a commit";
// A smaller row takes two pages or three; what is looked at in a larger one takes as many.
constexpr std::uint64_t kSmallRow = 8192;
// What a part has before its image takes no more: three numbers, a digest and a size.
constexpr std::uint64_t kHeadBytes = 48;

/// Up to the size of the image, which comes next.
StagedPart parse_head(ByteReader& in) {
  StagedPart part;
  part.number = in.zigzag();
  part.definition = in.zigzag();
  part.rows = in.varint(UINT32_MAX);
  part.digest = in.raw<std::int64_t>();
  return part;
}

template <class Visit>
void parse(std::string_view parts, Visit visit) {
  ByteReader in(parts, kWhat);
  while (!in.at_end()) {
    StagedPart part = parse_head(in);
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

/// Of all parts of one commit; 0 if there is no such row.
std::uint64_t size_of_row(Database& database, Generation generation) {
  Statement& read = database.statement("SELECT length(parts) FROM commit_log WHERE generation = ?1");
  const Rows guard(read);
  read.bind_integer(1, static_cast<std::int64_t>(generation));
  return read.step() ? static_cast<std::uint64_t>(read.integer(0)) : 0;
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

void read_staged(Database& database, Generation generation,
                 const std::function<bool(const StagedPart&, std::size_t bytes)>& wants,
                 const std::function<void(const StagedPart&)>& visit) {
  const std::uint64_t size = size_of_row(database, generation);
  if (size <= kSmallRow) {
    read_staged(database, generation, [&](const StagedPart& part) {
      if (wants({part.number, part.definition, part.rows, part.digest, {}}, part.image.size())) visit(part);
    });
    return;
  }
  const auto bytes_at = [&](std::uint64_t at, std::uint64_t count) {
    std::string bytes;
    const auto row = static_cast<std::int64_t>(generation);
    if (!database.append_blob("commit_log", "parts", row, at, count, bytes)) ByteReader({}, kWhat).fail();
    return bytes;
  };
  for (std::uint64_t at = 0; at < size;) {
    const std::string head = bytes_at(at, std::min(kHeadBytes, size - at));
    ByteReader in(head, kWhat);
    StagedPart part = parse_head(in);
    const std::uint64_t bytes = in.varint(size);
    at += in.position();
    if (bytes > size - at) in.fail();
    if (wants(part, bytes)) {
      const std::string image = bytes_at(at, bytes);
      part.image = image;
      visit(part);
    }
    at += bytes;
  }
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
