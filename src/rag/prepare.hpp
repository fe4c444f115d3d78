#pragma once

#include "rag/ingest_plan.hpp"
#include "reader/dataset.hpp"
#include <ragstone/base/source.hpp>
#include <ragstone/base/stop.hpp>
#include <ragstone/reader/reader.hpp>
#include <ragstone/store/commit.hpp>

#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone {

/// A failure of one source, with the stage that it happened in.
struct StageError {
  Stage stage = Stage::load;
  std::exception_ptr error;
};

/// Something to be ingested: a file of the dataset, or a text that the caller gave.
struct IngestItem {
  std::string id;
  std::string path;  ///< Of the file; empty for a text.
  FileStamp stamp;   ///< Of the file, as it was listed.
  std::string text;
  Metadata metadata;
  std::uint64_t bytes = 0;  ///< Size of the file or text.
  /// Set: a retry of this stored content, to be dropped if another has been stored meanwhile.
  std::optional<Hash128> replaces;
  /// Of such a retry of what was a file: what is known of that.
  std::shared_ptr<const SourceRecord> was_file;
  /// What the store holds under this id in a form that need not be made again.
  std::optional<Hash128> known_content;
  std::string known_reader;
  std::optional<FileStamp> known_stamp;

  bool is_file() const noexcept { return !path.empty(); }
};

using SourceIds = std::set<std::string, std::less<>>;

/// There may be very many: they are never copied to another place to make room.
using IngestItems = std::deque<IngestItem>;

struct ReadItem {
  SourceWrite write;       ///< Record and text, no groups.
  bool unchanged = false;  ///< The known content, read by the known reader; then without text.
  bool restamped = false;  ///< Unchanged, with another stamp than is known, which spares the next scan the reading.
};

/// 1 to 4,096 bytes of valid UTF-8 without NUL.
bool is_valid_source_id(std::string_view id) noexcept;

/// Loads and reads an item. Blocking. `stage` follows the work, so that a caller who catches
/// an exception knows how far it came.
ReadItem read_item(const IngestItem& item, const std::vector<std::shared_ptr<const Reader>>& readers,
                   std::uint64_t max_bytes, const StopToken& stop, Stage& stage);

/// Cuts a source's text into the plan's groups and analyses them; BM25's columns are filled, embedders' columns are
/// not. A pure function of its arguments.
std::vector<GroupRows> make_groups(const std::string& source_id, const std::string& text, const Metadata& metadata,
                                   const IngestPlan& plan, const StopToken& stop, Stage& stage);

/// The text of a row.
std::string_view row_text(const NodeRow& row, const std::string& source_text);

}  // namespace ragstone
