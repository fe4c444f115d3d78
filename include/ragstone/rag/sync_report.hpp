#pragma once

#include <ragstone/base/ids.hpp>
#include <ragstone/base/source.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace ragstone {

/// What becomes of sources whose files are gone, by LangChain's names. A changed file always replaces what was stored
/// of it, so that there is no mode "none".
enum class SyncCleanup {
  /// They stay: sync() adds and updates only. One that moved is there under both names. Those that never could be read
  /// hold nothing, and are forgotten.
  incremental,
  full,  ///< They are removed.
};

class SyncOptions {
 public:
  SyncOptions() = default;

  /// Reads every file again instead of trusting size and modification time. Unchanged content is still left alone.
  bool verify_content = false;
  SyncCleanup cleanup = SyncCleanup::full;
  /// A scan that finds no file in a dataset that had some removes nothing (a volume may not be mounted) unless this is
  /// set.
  bool allow_empty = false;
};

/// What sync() found and did. Each source is counted once.
class SyncReport {
 public:
  SyncReport() = default;

  std::size_t added = 0;
  std::size_t changed = 0;
  std::size_t moved = 0;  ///< The same content under a new name; the old name is gone.
  std::size_t removed = 0;
  /// Also those whose files are gone, where SyncCleanup or `allow_empty` keeps them, or where they may be in a new
  /// folder that cannot be opened.
  std::size_t unchanged = 0;
  /// They are in `failures`, and are tried again by the next sync(): sources that failed, what could not be looked at,
  /// and files that no reader accepts any more. What is stored of these stays.
  std::size_t failed = 0;
  std::size_t ignored = 0;          ///< Files that no reader accepts.
  bool kept_because_empty = false;  ///< See SyncOptions::allow_empty.
  std::size_t texts_embedded = 0;   ///< Texts sent to embedders.
  std::size_t texts_reused = 0;     ///< Texts whose vectors were stored already.
  std::vector<SourceStatus> failures;
  Generation generation = 0;  ///< Of the store afterwards.
};

/// How far a sync() or add_all() is.
class Progress {
 public:
  Progress() = default;

  std::size_t sources_done = 0;  ///< Stored or failed.
  std::size_t sources_total = 0;
  std::size_t sources_failed = 0;
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;
  std::string source;  ///< The one that was finished last; empty before the first.
};

static_assert(!std::is_aggregate_v<SyncOptions> && !std::is_aggregate_v<SyncReport> && !std::is_aggregate_v<Progress>);

}  // namespace ragstone
