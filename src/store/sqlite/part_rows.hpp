#pragma once

#include "store/segment/file_system.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/state.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone::sqlite {

/// Where sealed parts lie.
struct PartFolder {
  std::shared_ptr<segment::FileSystem> files;
  std::filesystem::path path;
  bool map = true;  ///< Map files rather than read them.
};

/// The name of a sealed part's file.
std::string part_file_name(PartNumber number);

/// Gives a file that is no image of a part another name, under which it is no orphan. Durable when
/// sync_directory() of the folder returns.
void set_aside(const PartFolder& folder, const std::string& file);
bool is_set_aside(std::string_view name);
/// Whether a file of that name was set aside.
bool was_set_aside(const PartFolder& folder, const std::string& file);
/// The files in the folder that were, as reports name them.
std::vector<std::string> files_set_aside(const PartFolder& folder);

/// Opens the image of a part of a column. Errors: Errc::corrupt_store.
PartData open_part(const ColumnDefinition& column, std::shared_ptr<const segment::Image> image);

/// Writes a file that is durable under its name when this returns: temporary file, sync, rename, sync of the folder.
/// On an error nothing is left. `write` is called once.
void write_part_file(const PartFolder& folder, const std::string& name,
                     const std::function<void(segment::OutputFile&)>& write);

/// A part with the column that it belongs to.
struct LoadedPart {
  DefinitionNumber definition = 0;
  Part part;
};

/// A part whose file is gone or whose image cannot be opened.
struct LostPart {
  DefinitionNumber definition = 0;
  Part part;  ///< Without data.
  bool is_gone = false;
};

/// How load_state() does it.
struct Loading {
  const State* known = nullptr;           ///< Parts that it has are taken from there.
  OnDamagedSource on_damage;              ///< See load_fresh().
  std::vector<LostPart>* lost = nullptr;  ///< Takes what would be an error otherwise.
  bool leaves_vectors = false;            ///< Staged ones stay unread: see UnreadParts.
};

/// The catalog and all parts that the database names. Errors: Errc::not_found for a file that is gone,
/// Errc::corrupt_store.
State load_state(Database& database, const PartFolder& folder, const Loading& loading = {});

struct CompleteState;
/// Reads what a state was loaded without (see UnreadParts), where nobody has yet. Damaged parts are no error.
CompleteState read_rest(Database& database, const State& state);

/// One part; none if there is no part of that number. Errors: as load_state().
std::optional<LoadedPart> load_part(Database& database, const PartFolder& folder, const Catalog& catalog,
                                    PartNumber number);
/// The parts that a commit staged in its row of the log, as far as they are still there. Errors: Errc::corrupt_store.
std::vector<LoadedPart> load_staged(Database& database, const Catalog& catalog, Generation commit);

/// Writes a part's file and opens it; see write_part_file().
Part seal_part(const PartFolder& folder, PartNumber number, const ColumnDefinition& column,
               const std::function<void(segment::OutputFile&)>& write);
/// A new part that is to be staged, or sealed already where its image is too large for the database.
Part part_of_image(const PartFolder& folder, PartNumber number, const ColumnDefinition& column, std::string_view image);
/// Names a part, with its dead rows and the image of one that is staged, in the database.
void insert_part(Database& database, DefinitionNumber definition, const Part& part);
/// Adds a part that is to be staged with its commit to `parts`, for log_commit().
void stage_part(DefinitionNumber definition, const Part& part, std::string& parts);
/// Forgets a part and its staged image, if it has one; the counters of `catalog` are to be saved after it.
void erase_part(Database& database, Catalog& catalog, const Part& part);
/// Adds dead rows to a part that is in the database.
void kill_rows(Database& database, Part& part, std::span<const std::uint32_t> rows);

}  // namespace ragstone::sqlite
