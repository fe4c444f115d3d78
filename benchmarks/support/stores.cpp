#include "support/stores.hpp"

#include "support/sqlite_peer.hpp"
#include <ragstone/model/sqlite_store.hpp>
#include <ragstone/store/memory_engine.hpp>

#include <fstream>
#include <stdexcept>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace ragstone::bench {
namespace {

namespace fs = std::filesystem;

StoreKind sqlite_kind(const std::string& name, Durability durability) {
  SqliteOptions options;
  options.durability = durability;
  return {name, true, [options](const fs::path& folder) { return sqlite_store(folder, options); },
          [options](const fs::path& folder) { return sqlite_engine(folder, options); }};
}

void add_tables(PlainDatabase& database, StoreBytes& bytes) {
  database.each("SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE", [&](const PlainRow& row) {
    const std::string table = row.text(0);
    const auto size = static_cast<std::uint64_t>(row.integer(1));
    if (table.starts_with("text_")) {
      bytes.text += size;
    } else if (table.find("node") != std::string::npos || table.find("source") != std::string::npos) {
      bytes.nodes += size;
    } else if (table != "part") {
      bytes.other += size;
    }
  });
}

void add_parts(PlainDatabase& database, const fs::path& folder, StoreBytes& bytes) {
  const auto into = [&](std::int64_t dimension) -> std::uint64_t& {
    return dimension == 0 ? bytes.postings : bytes.vectors;
  };
  database.each(
      "SELECT c.dimension, coalesce(p.file, ''), coalesce(length(p.image), 0) FROM part p "
      "JOIN column_definition c ON c.number = p.definition",
      [&](const PlainRow& row) {
        const std::string file = row.text(1);
        into(row.integer(0)) += file.empty() ? static_cast<std::uint64_t>(row.integer(2))
                                             : static_cast<std::uint64_t>(fs::file_size(folder / "segments" / file));
      });
}

}  // namespace

const std::vector<StoreKind>& store_kinds() {
  static const std::vector<StoreKind> kinds = {
      {"memory", false, [](const fs::path&) { return memory_store(); },
       [](const fs::path&) { return memory_engine(); }},
      sqlite_kind("sqlite", Durability::durable),
      sqlite_kind("sqlite fast", Durability::fast),
  };
  return kinds;
}

const StoreKind& store_kind(const std::string& name) {
  for (const StoreKind& kind : store_kinds())
    if (kind.name == name) return kind;
  throw std::runtime_error("no store \"" + name + "\"");
}

std::uint64_t folder_bytes(const fs::path& folder) {
  std::uint64_t bytes = 0;
  if (!fs::exists(folder)) return 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) bytes += entry.file_size();
  return bytes;
}

StoreBytes store_bytes(const fs::path& folder) {
  StoreBytes bytes;
  PlainDatabase database(folder / "store.db", PlainDatabase::Access::read);
  add_tables(database, bytes);
  add_parts(database, folder, bytes);
  const std::uint64_t known = bytes.text + bytes.nodes + bytes.postings + bytes.vectors + bytes.other;
  const std::uint64_t all = folder_bytes(folder);
  if (all > known) bytes.other += all - known;
  return bytes;
}

void evict(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const int file = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;
    ::fdatasync(file);
    ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    ::close(file);
  }
}

void warm_up(const fs::path& folder) {
  std::vector<char> piece(std::size_t{1} << 20);
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    while (file.read(piece.data(), static_cast<std::streamsize>(piece.size()))) {
    }
  }
}

}  // namespace ragstone::bench
