#include "store/segment/file_system.hpp"
#include "store/segment/index_folder.hpp"
#include "store/sqlite/access.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/digest.hpp"
#include "store/sqlite/engine.hpp"
#include "store/sqlite/tools.hpp"
#include "store/sqlite/unfinished.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/sqlite_engine.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace ragstone {
namespace sqlite {
namespace {

using segment::FileType;

constexpr char kTables[] =
    "PRAGMA application_id=1380009793;"
    "PRAGMA user_version=1;"
    "CREATE TABLE file(number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL) STRICT;"
    "CREATE TABLE piece(file INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL, digest INTEGER NOT NULL,"
    " PRIMARY KEY(file, number)) STRICT;";
constexpr std::int64_t kArchiveId = 1380009793;  // "RAGA"
constexpr std::int64_t kArchiveVersion = 1;
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

/// The part of a name between a beginning and an end; none if it has others.
std::optional<std::string_view> between(std::string_view name, std::string_view prefix, std::string_view suffix) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() <= prefix.size() + suffix.size()) return {};
  return name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
}

/// Names come from a file that anybody may have made: only a store's own are followed.
bool is_store_file(std::string_view name) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_'; };
  if (name == kDatabaseFile || name == kSessionsFile) return true;
  if (const auto number = between(name, "segments/part-", ".seg"))
    return std::all_of(number->begin(), number->end(), is_digit);
  const auto index = between(name, "indexes/", segment::kIndexSuffix);
  return index && std::all_of(index->begin(), index->end(), is_plain);
}

void pack(Database& archive, std::int64_t number, const std::string& name, std::string_view bytes,
          const StopToken& stop) {
  Statement& file = archive.statement("INSERT INTO file(number, name, bytes) VALUES(?1, ?2, ?3)");
  file.bind_integer(1, number);
  file.bind_text(2, name);
  file.bind_integer(3, static_cast<std::int64_t>(bytes.size()));
  file.run();
  for (std::size_t at = 0; at < bytes.size(); at += kPieceBytes) {
    throw_if_stopped(stop);
    const std::string_view piece = bytes.substr(at, kPieceBytes);
    Statement& insert = archive.statement("INSERT INTO piece(file, number, bytes, digest) VALUES(?1, ?2, ?3, ?4)");
    insert.bind_integer(1, number);
    insert.bind_integer(2, static_cast<std::int64_t>(at / kPieceBytes));
    insert.bind_blob(3, piece);
    insert.bind_integer(4, digest_of(piece));
    insert.run();
  }
}

[[noreturn]] void refuse_archive(const std::filesystem::path& archive, const std::string& reason) {
  throw Error(Errc::corrupt_store,
              "import \"" + archive.string() + "\": " + reason + "; export the store again if it is still there");
}

void unpack(Database& database, std::int64_t number, std::int64_t size, const std::filesystem::path& archive,
            segment::OutputFile& file, const StopToken& stop) {
  Statement& read = database.statement("SELECT number, bytes, digest FROM piece WHERE file = ?1 ORDER BY number");
  const Rows guard(read);
  read.bind_integer(1, number);
  std::size_t at = 0;
  for (std::int64_t next = 0; read.step(); ++next) {
    throw_if_stopped(stop);
    const std::string_view piece = read.blob(1);
    if (read.integer(0) != next || digest_of(piece) != read.integer(2) || piece.size() > kPieceBytes)
      refuse_archive(archive, "a piece is damaged or missing");
    file.write(at, piece);
    at += piece.size();
  }
  if (static_cast<std::int64_t>(at) != size) refuse_archive(archive, "a file in it is cut short");
}

std::int64_t number(Database& database, const char* pragma) {
  Statement& read = database.statement(pragma);
  const Rows guard(read);
  return read.step() ? read.integer(0) : 0;
}

void check_kind(Database& database, const std::filesystem::path& archive) {
  if (number(database, "PRAGMA application_id") != kArchiveId) refuse_archive(archive, "it is no archive of a store");
  const std::int64_t version = number(database, "PRAGMA user_version");
  if (version != kArchiveVersion)
    throw Error(Errc::unsupported, "import \"" + archive.string() + "\": it is an archive of version " +
                                       std::to_string(version) + ", this library knows " +
                                       std::to_string(kArchiveVersion) + "; import it with the library that made it");
}

/// Where a link leads, which Database refuses to follow.
std::filesystem::path resolved(const std::filesystem::path& archive) {
  std::error_code error;
  std::filesystem::path file = std::filesystem::canonical(archive, error);
  if (error)
    throw Error(segment::medium_errc(error.value()), "import \"" + archive.string() + "\": " + error.message());
  return file;
}

}  // namespace

void export_store(const std::filesystem::path& store, const std::filesystem::path& archive, const EngineHooks& hooks,
                  const StopToken& stop) {
  const std::shared_ptr<segment::FileSystem> files = hooks.files;
  Unfinished unfinished(*files, archive, "export to");
  const std::filesystem::path copy = unfinished.path() / "store";
  SqliteOptions reading;
  reading.access = access_to_read(store);
  make_engine(store, reading, hooks)->backup(copy, stop);

  const std::filesystem::path packed = unfinished.path() / "archive";
  {
    Database database(packed, OpenMode::create, hooks.vfs_name());
    database.execute(kTables);
    Transaction transaction(database);
    std::int64_t number = 0;
    const auto add = [&](const std::string& name) {
      const std::shared_ptr<const segment::Image> image = files->open(copy / name, true);
      const std::span<const std::byte> bytes = image->bytes();
      pack(database, ++number, name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, stop);
    };
    add(kDatabaseFile);
    if (files->type_of(copy / kSessionsFile) != FileType::none) add(kSessionsFile);
    for (const std::string folder : {kPartFolder, kIndexFolder})
      if (files->type_of(copy / folder) == FileType::directory)
        for (const std::string& name : files->list(copy / folder)) add(folder + '/' + name);
    transaction.commit();
  }
  unfinished.become_target(packed);
}

void import_store(const std::filesystem::path& archive, const std::filesystem::path& store, const EngineHooks& hooks,
                  const StopToken& stop) {
  if (hooks.files->type_of(archive) == FileType::none)
    throw Error(Errc::not_found, "import \"" + archive.string() + "\": there is no such file");
  Database database(resolved(archive), OpenMode::read, hooks.vfs_name());
  check_kind(database, archive);
  const std::shared_ptr<segment::FileSystem> files = hooks.files;
  Unfinished unfinished(*files, store, "import to");
  files->create_directory(unfinished.path() / kPartFolder);
  Statement& read = database.statement("SELECT number, name, bytes FROM file");
  const Rows guard(read);
  while (read.step()) {
    const std::string name(read.text(1));
    if (!is_store_file(name)) refuse_archive(archive, "it holds a file that no store has");
    if (name.starts_with(kIndexFolder)) files->create_directory(unfinished.path() / kIndexFolder);
    const std::unique_ptr<segment::OutputFile> file = files->create(unfinished.path() / name);
    unpack(database, read.integer(0), read.integer(2), archive, *file, stop);
    file->sync();
  }
  if (files->type_of(unfinished.path() / kDatabaseFile) == FileType::none) refuse_archive(archive, "it holds no store");
  for (const char* folder : {kPartFolder, kIndexFolder})
    if (files->type_of(unfinished.path() / folder) == FileType::directory)
      files->sync_directory(unfinished.path() / folder);
  files->sync_directory(unfinished.path());
  unfinished.become_target(unfinished.path());
}

}  // namespace sqlite

void export_store(const std::filesystem::path& store, const std::filesystem::path& archive, const StopToken& stop) {
  sqlite::export_store(store, archive, sqlite::EngineHooks(), stop);
}

void import_store(const std::filesystem::path& archive, const std::filesystem::path& store, const StopToken& stop) {
  sqlite::import_store(archive, store, sqlite::EngineHooks(), stop);
}

}  // namespace ragstone
