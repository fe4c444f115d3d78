#pragma once

#include <ragstone/base/ids.hpp>
#include <ragstone/base/source.hpp>
#include <ragstone/model/prices.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace ragstone {

/// Why a sync would read a file.
enum class ReadReason {
  added,           ///< Nothing is stored under its name.
  changed,         ///< It has another size than what is stored, or what is stored was no file.
  doubtful,        ///< The same size, but another modification time, or one too fresh to be trusted when it was read.
  reader_changed,  ///< Another reader, or another version of it, takes the file now.
  failed,          ///< The last attempt failed.
  asked,           ///< Nothing speaks for a change; SyncOptions::verify_content asks for a look.
};

const char* name_of(ReadReason reason) noexcept;

class PlannedRead {
 public:
  PlannedRead() = default;

  std::string id;
  std::uint64_t bytes = 0;  ///< Of the file.
  ReadReason reason = ReadReason::added;

  /// Whether the content is likely to be what is stored, so that reading it is all.
  bool is_likely_unchanged() const noexcept { return reason == ReadReason::doubtful || reason == ReadReason::asked; }
};

/// What an embedder would be asked, at an estimate.
class EmbedEstimate {
 public:
  EmbedEstimate() = default;

  std::string key;    ///< Of the embedder.
  std::string model;  ///< Its name in price tables, and in UsageRow.
  std::size_t texts = 0;
  std::uint64_t tokens = 0;        ///< By estimated_token_counter().
  std::size_t calls = 0;           ///< In batches of its max_batch().
  std::size_t doubtful_texts = 0;  ///< More, if the files that are likely unchanged have changed after all.
  /// True: from the sizes of the files, and the texts and tokens to a byte of at most 32 stored sources. False: no
  /// stored source has these groups, so from one text and 300 tokens for each 1,000 bytes.
  bool from_stored = false;

  /// What `tokens` cost: 0 for none of them. Empty where the model has no price in the table, or none for tokens.
  /// `doubtful_texts` are not in it, and an embedder that caches may ask for less.
  std::optional<double> cost(const PriceTable& prices) const;
};

/// Nodes of a group, or one of its columns, that stored sources lack under today's signatures of chunker, analyser and
/// embedder.
class PendingBuild {
 public:
  PendingBuild() = default;

  std::string group;
  std::string key;  ///< Of the column; empty for the nodes.
  std::size_t sources = 0;
  EmbedEstimate embedding;  ///< For an embedder's column; otherwise zeros.
};

/// What a sync() would do, told before it does: made by Document::plan(), which lists the dataset and reads the store,
/// but opens no file, writes nothing and calls no embedder.
///
/// Estimates err on the high side where chunks of a changed file are stored already: those cost no embedding.
class SyncPlan {
 public:
  SyncPlan() = default;

  std::vector<PlannedRead> reads;  ///< Ascending by id.
  /// Sources whose files are gone, ascending; by SyncCleanup::incremental only those that hold nothing. One that moved
  /// is here, and among the reads under its new name.
  std::vector<std::string> removals;
  /// Failed sources that are no files, or whose files are gone and which stay: tried again from their stored texts.
  std::vector<std::string> retries;
  std::size_t unchanged = 0;
  std::size_t ignored = 0;          ///< Files that no reader accepts.
  bool kept_because_empty = false;  ///< See SyncOptions::allow_empty: no file was found, and nothing is removed.
  /// What could not be looked at, and files that no reader accepts any more. Nothing that is there or below it is
  /// removed; and nothing at all while a folder is there that has never been looked into.
  std::vector<SourceStatus> problems;
  /// By ascending key; of what is read anew and of the retries, not of what is lost or pending.
  std::vector<EmbedEstimate> embedding;
  /// Columns of groups in use that damage took rows of. A sync makes them anew.
  std::vector<PendingBuild> lost;
  /// The signatures changed since, or it has never been built for all sources. A sync leaves that alone; the next use
  /// of the group or Document::build() makes it.
  std::vector<PendingBuild> pending;
  Generation generation = 0;  ///< Of the store that was compared with.

  std::uint64_t bytes_to_read() const noexcept;
  /// Of `embedding` and `lost`, summed by currency, without what EmbedEstimate::cost() is empty for: nothing is here of
  /// a model that has no price, which may not be taken for free.
  std::map<std::string, double> costs(const PriceTable& prices) const;
  /// Whether a sync would read, remove, retry and make anew nothing.
  bool empty() const noexcept { return reads.empty() && removals.empty() && retries.empty() && lost.empty(); }
};

static_assert(!std::is_aggregate_v<PlannedRead> && !std::is_aggregate_v<EmbedEstimate> &&
              !std::is_aggregate_v<PendingBuild> && !std::is_aggregate_v<SyncPlan>);

}  // namespace ragstone
