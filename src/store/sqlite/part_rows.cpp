#include "store/sqlite/part_rows.hpp"

#include "store/sqlite/commit_log.hpp"
#include "store/sqlite/digest.hpp"
#include "store/sqlite/part_table.hpp"
#include "store/sqlite/staged_parts.hpp"
#include "store/sqlite/unread_parts.hpp"
#include "store/sqlite/vector_index_settings.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_map>
#include <utility>

namespace ragstone::sqlite {
namespace {

// A larger image goes to a file at once, for one more sync: in the database it would be written three times (log,
// database, file).
constexpr std::size_t kMaxStagedBytes = std::size_t{256} << 10;
// Single rows are cheap to add and dear to read at opening; from so many on they are folded into one blob.
constexpr std::size_t kMaxLoggedDead = 256;
constexpr char kDamaged[] = ".damaged";

[[noreturn]] void refuse_image(PartNumber number) {
  throw Error(Errc::corrupt_store,
              "store: the image of part " + std::to_string(number) + " is missing; verify the store, then recover it");
}

std::shared_ptr<const segment::Image> staged_image(Database& database, PartNumber number) {
  Statement& read = database.statement("SELECT image FROM part WHERE number = ?1");
  const Rows guard(read);
  read.bind_integer(1, number);
  if (!read.step() || read.is_null(0)) refuse_image(number);
  return segment::heap_image(read.blob(0));
}

void erase(Database& database, const char* sql, PartNumber number) {
  Statement& statement = database.statement(sql);
  statement.bind_integer(1, number);
  statement.run();
}

void write_dead(Database& database, const Part& part) {
  const std::string dead = part.dead.serialize();
  Statement& update = database.statement("UPDATE part SET dead = ?2, dead_tokens = ?3 WHERE number = ?1");
  update.bind_integer(1, part.number);
  update.bind_blob(2, dead);
  update.bind_integer(3, static_cast<std::int64_t>(part.dead_tokens));
  update.run();
}

std::int64_t digest_of(PartNumber number, DefinitionNumber definition, std::size_t rows, std::string_view file) {
  Digest digest;
  digest.integer(number);
  digest.integer(definition);
  digest.integer(static_cast<std::int64_t>(rows));
  digest.text(file);
  return std::move(digest).value();
}

std::string_view image_of(const Part& part) {
  const std::span<const std::byte> bytes =
      std::visit([](const auto& data) { return data->container().image().bytes(); }, part.data);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void remove_or_leave(const PartFolder& folder, const std::filesystem::path& file) noexcept {
  try {
    folder.files->remove(file);
  } catch (const std::exception&) {
    // An orphan is removed when the store is opened.
  }
}

constexpr char kPartColumns[] =
    "SELECT number, definition, rows, file, dead, dead_tokens, digest, coalesce(length(image), 0) FROM part";

[[noreturn]] void refuse_record(PartNumber number) {
  throw Error(Errc::corrupt_store,
              "store: the record of part " + std::to_string(number) + " is damaged; verify the store, then recover it");
}

PartRow read_part_row(const Statement& read) {
  PartRow row;
  row.part.number = read.integer(0);
  row.definition = read.integer(1);
  row.rows = static_cast<std::size_t>(read.integer(2));
  row.part.file = read.text(3);
  row.dead = read.blob(4);
  row.part.dead_tokens = static_cast<std::uint64_t>(read.integer(5));
  row.image_bytes = static_cast<std::size_t>(read.integer(7));
  if (digest_of(row.part.number, row.definition, row.rows, row.part.file) != read.integer(6))
    refuse_record(row.part.number);
  return row;
}

PartRow read_staged_row(Generation commit, const StagedPart& staged) {
  PartRow row;
  row.part.number = staged.number;
  row.part.commit = commit;
  row.definition = staged.definition;
  row.rows = staged.rows;
  if (digest_of(staged.number, staged.definition, staged.rows, {}) != staged.digest) refuse_record(staged.number);
  return row;
}

std::optional<PartRow> read_part_row(Database& database, PartNumber number) {
  static const std::string sql = std::string(kPartColumns) + " WHERE number = ?1";
  Statement& read = database.statement(sql);
  const Rows guard(read);
  read.bind_integer(1, number);
  return read.step() ? std::optional(read_part_row(read)) : std::nullopt;
}

std::vector<PartRow> read_part_rows(Database& database) {
  std::vector<PartRow> rows;
  Statement& read = database.statement(kPartColumns);
  const Rows guard(read);
  while (read.step()) rows.push_back(read_part_row(read));
  return rows;
}

std::unordered_map<PartNumber, std::vector<std::uint32_t>> read_logged_dead(Database& database) {
  std::unordered_map<PartNumber, std::vector<std::uint32_t>> logged;
  Statement& read = database.statement("SELECT part, row FROM dead_row");
  const Rows guard(read);
  while (read.step()) logged[read.integer(0)].push_back(static_cast<std::uint32_t>(read.integer(1)));
  return logged;
}

std::unordered_map<PartNumber, const Part*> index_parts(const State* state) {
  std::unordered_map<PartNumber, const Part*> parts;
  if (state != nullptr)
    for (const auto& [definition, column] : state->columns)
      for (const Part& part : column->parts) parts.emplace(part.number, &part);
  return parts;
}

PartData read_data(Database& database, const PartFolder& folder, const ColumnDefinition& column, const Part& part) {
  return open_part(column, part.is_staged() ? staged_image(database, part.number)
                                            : folder.files->open(folder.path / part.file, folder.map));
}

/// Marks what is dead; `single`: the rows that are logged one by one.
void add_dead(PartRow& row, std::vector<std::uint32_t>& single) {
  Part& part = row.part;
  if (part.rows() != row.rows)
    throw Error(Errc::corrupt_store, "store: part " + std::to_string(part.number) + " has " +
                                         std::to_string(part.rows()) + " rows, its record says " +
                                         std::to_string(row.rows) + "; verify the store, then recover it");
  part.dead = segment::DeadRows::parse(row.dead, row.rows);
  std::erase_if(single, [&](std::uint32_t number) { return number >= row.rows || part.dead.contains(number); });
  part.logged_dead = single.size();
  part.kill(single);
}

/// Puts parts that the database names into the columns of a state.
class PartLoader {
 public:
  /// All outlive it. The catalog of `state` is loaded.
  PartLoader(Database& database, const PartFolder& folder, State& state, const Loading& loading)
      : database_(database),
        folder_(folder),
        state_(state),
        loading_(loading),
        known_(index_parts(loading.known)),
        dead_(read_logged_dead(database)) {}

  /// All parts of the table.
  void load_table() {
    for (PartRow& row : read_part_rows(database_)) load(row);
  }

  /// The parts that a commit staged in its row of the log.
  void load_commit(Generation commit) {
    const auto wants = [&](const StagedPart& staged, std::size_t bytes) {
      PartRow row = read_staged_row(commit, staged);
      row.image_bytes = bytes;
      return !leave(row);
    };
    read_staged(database_, commit, wants, [&](const StagedPart& staged) { load(commit, staged); });
  }

  /// A part that was left unread.
  void load_unread(PartRow row) {
    take(row, [&] { return open_part(state_.catalog.column(row.definition), read_image(row.part)); });
  }

  void finish() {
    for (auto& [definition, added] : added_) {
      const Column* before = state_.column(definition);
      Column column = before ? *before : Column();
      std::move(added.begin(), added.end(), std::back_inserter(column.parts));
      std::sort(column.parts.begin(), column.parts.end(),
                [](const Part& a, const Part& b) { return a.number < b.number; });
      state_.columns[definition] = std::make_shared<const Column>(std::move(column));
    }
    if (!unread_.empty()) state_.unread = std::make_shared<UnreadParts>(std::move(unread_));
  }

 private:
  /// Whether the part stays unread.
  bool leave(const PartRow& row) {
    if (!loading_.leaves_vectors || !row.part.is_staged()) return false;
    const auto column = state_.catalog.columns().find(row.definition);
    if (column == state_.catalog.columns().end() || !column->second.is_dense()) return false;
    unread_.push_back(row);
    return true;
  }

  void load(PartRow& row) {
    if (leave(row)) return;
    take(row, [&] { return read_data(database_, folder_, state_.catalog.column(row.definition), row.part); });
  }

  void load(Generation commit, const StagedPart& staged) {
    PartRow row = read_staged_row(commit, staged);
    take(row, [&] { return open_part(state_.catalog.column(row.definition), segment::heap_image(staged.image)); });
  }

  std::shared_ptr<const segment::Image> read_image(const Part& part) {
    if (part.commit == 0) return staged_image(database_, part.number);
    std::shared_ptr<const segment::Image> image;
    const auto wants = [&](const StagedPart& staged, std::size_t) { return staged.number == part.number; };
    read_staged(database_, part.commit, wants,
                [&](const StagedPart& staged) { image = segment::heap_image(staged.image); });
    if (!image) refuse_image(part.number);
    return image;
  }

  template <class Read>
  void take(PartRow& row, Read read) {
    const auto same = known_.find(row.part.number);
    const bool is_known = same != known_.end() && same->second->file == row.part.file;
    std::vector<std::uint32_t>& dead = dead_[row.part.number];
    row.part.logged_dead = dead.size();
    try {
      row.part.data = is_known ? same->second->data : read();
      add_dead(row, dead);
    } catch (const Error& error) {
      const bool is_gone = error.errc() == Errc::not_found;
      if (loading_.lost == nullptr || (!is_gone && error.errc() != Errc::corrupt_store)) throw;
      row.part.data = {};
      loading_.lost->push_back({row.definition, std::move(row.part), is_gone});
      return;
    }
    added_[row.definition].push_back(std::move(row.part));
  }

  Database& database_;
  const PartFolder& folder_;
  State& state_;
  const Loading& loading_;
  const std::unordered_map<PartNumber, const Part*> known_;
  std::unordered_map<PartNumber, std::vector<std::uint32_t>> dead_;
  std::map<DefinitionNumber, std::vector<Part>> added_;
  std::vector<PartRow> unread_;
};

}  // namespace

void set_aside(const PartFolder& folder, const std::string& file) {
  folder.files->rename(folder.path / file, folder.path / (file + kDamaged));
}

bool is_set_aside(std::string_view name) { return name.ends_with(kDamaged); }

bool was_set_aside(const PartFolder& folder, const std::string& file) {
  return folder.files->type_of(folder.path / (file + kDamaged)) != segment::FileType::none;
}

std::vector<std::string> files_set_aside(const PartFolder& folder) {
  std::vector<std::string> files;
  if (folder.files->type_of(folder.path) != segment::FileType::directory) return files;
  for (const std::string& name : folder.files->list(folder.path))
    if (is_set_aside(name)) files.push_back((folder.path.filename() / name).string());
  std::sort(files.begin(), files.end());
  return files;
}

std::string part_file_name(PartNumber number) { return "part-" + std::to_string(number) + ".seg"; }

PartData open_part(const ColumnDefinition& column, std::shared_ptr<const segment::Image> image) {
  if (column.is_fields()) return std::make_shared<const segment::FieldPart>(std::move(image));
  if (!column.is_dense()) return std::make_shared<const segment::SparsePart>(std::move(image));
  auto part = std::make_shared<const segment::DensePart>(std::move(image));
  if (part->dimension() != column.dimension)
    throw Error(Errc::corrupt_store, "store: a part of column \"" + column.key + "\" has dimension " +
                                         std::to_string(part->dimension()) + ", the column has " +
                                         std::to_string(column.dimension) + "; verify the store, then recover it");
  return part;
}

void write_part_file(const PartFolder& folder, const std::string& name,
                     const std::function<void(segment::OutputFile&)>& write) {
  const std::filesystem::path temporary = folder.path / (name + ".tmp");
  folder.files->remove(temporary);
  try {
    {
      const std::unique_ptr<segment::OutputFile> file = folder.files->create(temporary);
      write(*file);
      file->sync();
    }
    folder.files->rename(temporary, folder.path / name);
    folder.files->sync_directory(folder.path);
  } catch (...) {
    for (const auto& path : {temporary, folder.path / name}) remove_or_leave(folder, path);
    throw;
  }
}

std::vector<LoadedPart> load_staged(Database& database, const Catalog& catalog, Generation commit) {
  std::vector<PartRow> rows;
  read_staged(database, commit, [&](const StagedPart& staged) {
    PartRow& row = rows.emplace_back(read_staged_row(commit, staged));
    row.part.data = open_part(catalog.column(row.definition), segment::heap_image(staged.image));
  });
  std::vector<LoadedPart> parts;
  if (rows.empty()) return parts;
  auto logged = read_logged_dead(database);
  for (PartRow& row : rows) {
    add_dead(row, logged[row.part.number]);
    parts.push_back({row.definition, std::move(row.part)});
  }
  return parts;
}

State load_state(Database& database, const PartFolder& folder, const Loading& loading) {
  State state;
  state.catalog = load_catalog(database);
  state.fields = std::make_shared<const FieldSettings>(load_fields(database));
  state.vector_indexes = std::make_shared<const VectorIndexes>(load_vector_indexes(database));
  state.lost = std::make_shared<const LostColumns>(LostColumns::load(database));
  state.fresh = std::make_shared<const FreshSources>(load_fresh(database, state.catalog, loading.on_damage));
  PartLoader loader(database, folder, state, loading);
  loader.load_table();
  for (const Generation commit : state.catalog.staged) loader.load_commit(commit);
  loader.finish();
  return state;
}

CompleteState read_rest(Database& database, const State& state) {
  return state.unread->whole([&] {
    // Staged parts are in the database alone.
    const PartFolder none;
    CompleteState whole;
    Loading loading;
    loading.lost = &whole.lost;
    State all = state;
    all.unread.reset();
    PartLoader loader(database, none, all, loading);
    for (const PartRow& row : state.unread->parts()) loader.load_unread(row);
    loader.finish();
    whole.state = std::make_shared<const State>(std::move(all));
    return whole;
  });
}

std::optional<LoadedPart> load_part(Database& database, const PartFolder& folder, const Catalog& catalog,
                                    PartNumber number) {
  std::optional<PartRow> row = read_part_row(database, number);
  if (!row) return std::nullopt;
  row->part.data = read_data(database, folder, catalog.column(row->definition), row->part);
  add_dead(*row, read_logged_dead(database)[number]);
  return LoadedPart{row->definition, std::move(row->part)};
}

Part seal_part(const PartFolder& folder, PartNumber number, const ColumnDefinition& column,
               const std::function<void(segment::OutputFile&)>& write) {
  Part part;
  part.number = number;
  part.file = part_file_name(number);
  write_part_file(folder, part.file, write);
  try {
    part.data = open_part(column, folder.files->open(folder.path / part.file, folder.map));
  } catch (...) {
    remove_or_leave(folder, folder.path / part.file);
    throw;
  }
  return part;
}

Part part_of_image(const PartFolder& folder, PartNumber number, const ColumnDefinition& column,
                   std::string_view image) {
  if (image.size() > kMaxStagedBytes)
    return seal_part(folder, number, column, [image](segment::OutputFile& file) { file.write(0, image); });
  Part part;
  part.number = number;
  part.data = open_part(column, segment::heap_image(image));
  return part;
}

void insert_part(Database& database, DefinitionNumber definition, const Part& part) {
  const std::string dead = part.dead.serialize();
  PartRecord record;
  record.number = part.number;
  record.definition = definition;
  record.rows = part.rows();
  record.file = part.file;
  record.dead_tokens = part.dead_tokens;
  record.digest = digest_of(part.number, definition, part.rows(), part.file);
  record.dead = dead;
  if (part.is_staged()) record.image = image_of(part);
  insert_part(database, record);
}

void stage_part(DefinitionNumber definition, const Part& part, std::string& parts) {
  append_staged(parts, {part.number, definition, part.rows(), digest_of(part.number, definition, part.rows(), {}),
                        image_of(part)});
}

void erase_part(Database& database, Catalog& catalog, const Part& part) {
  // It has a row of its own once the log has forgotten its commit.
  if (part.commit == 0 || !erase_staged(database, catalog, part.commit, part.number))
    erase(database, "DELETE FROM part WHERE number = ?1", part.number);
  if (part.logged_dead > 0) erase(database, "DELETE FROM dead_row WHERE part = ?1", part.number);
}

void kill_rows(Database& database, Part& part, std::span<const std::uint32_t> rows) {
  part.kill(rows);
  part.logged_dead += rows.size();
  if (part.commit == 0 && part.logged_dead > kMaxLoggedDead) {
    erase(database, "DELETE FROM dead_row WHERE part = ?1", part.number);
    part.logged_dead = 0;
    write_dead(database, part);
    return;
  }
  Statement& insert = database.statement("INSERT INTO dead_row(part, row) VALUES(?1, ?2)");
  for (const std::uint32_t row : rows) {
    insert.bind_integer(1, part.number);
    insert.bind_integer(2, row);
    insert.run();
  }
}

}  // namespace ragstone::sqlite
