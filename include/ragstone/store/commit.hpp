#pragma once

#include <ragstone/base/ids.hpp>
#include <ragstone/base/metadata.hpp>
#include <ragstone/base/source.hpp>
#include <ragstone/base/span.hpp>
#include <ragstone/index/sparse_vectors.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace ragstone {

/// What tells a changed file without reading it.
struct FileStamp {
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;  ///< Nanoseconds since 1970.

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// A source as a store keeps it, without its text.
class SourceRecord {
 public:
  SourceRecord() = default;

  std::string id;
  Metadata metadata;
  Hash128 content;                 ///< Hash of the raw bytes that were read.
  std::optional<FileStamp> stamp;  ///< Set for files of a dataset.
  std::string reader;              ///< Signature of the reader; empty for a text given by the caller.
  std::string offset_map;          ///< OffsetMap::serialize(): text offsets to file offsets.
  std::uint64_t text_bytes = 0;    ///< Filled by the store.
  SourceState state = SourceState::ready;
  Stage stage = Stage::done;
  std::string reason;
  bool failed_as_stored = false;  ///< The failure is of the stored content, not of a newer one that was refused.
  std::uint32_t attempts = 0;
  Generation generation = 0;  ///< The commit that wrote the present content; filled by the store; 0: none yet.
};

/// A node to be written.
class NodeRow {
 public:
  NodeRow() = default;

  Uid uid;
  Hash128 content;           ///< hash128 of the node's text.
  Span span;                 ///< In the source's text.
  std::uint32_t parent = 0;  ///< Number of the parent in the parent group of the same source; unused for the root.
  bool is_span = true;
  std::string text;  ///< Only if !is_span.
  Metadata metadata;
};

/// A column of vectors: row i belongs to node i of the group.
class DenseRows {
 public:
  DenseRows() = default;

  std::string key;        ///< The embedder's key; differs from those of all other columns of the group.
  std::string signature;  ///< The embedder's identity.
  std::uint32_t dimension = 0;
  std::vector<float> values;  ///< [n x dimension], finite.
};

/// A column of sparse vectors: row i belongs to node i of the group. Weights are finite and above 0.
class SparseRows {
 public:
  SparseRows() = default;

  std::string key;
  std::string signature;  ///< The analyser's signature.
  SparseVectors rows;
  std::vector<std::uint32_t> lengths;  ///< Tokens of each row, repeats included.
};

/// All nodes of one group of one source, with the columns that were made for them.
class GroupRows {
 public:
  GroupRows() = default;

  std::string group;
  std::string parent;     ///< The parent group; empty for the root group.
  std::string signature;  ///< Of the transform and of all that it depends on.
  std::vector<NodeRow> rows;
  std::vector<DenseRows> dense;
  std::vector<SparseRows> sparse;
};

/// Puts a source in place of what was stored under its id: record, text and all groups. Nodes whose uid stays keep
/// their NodeId.
class SourceWrite {
 public:
  SourceWrite() = default;

  SourceRecord record;
  std::optional<Hash128> replaces;  ///< Set: skipped, and said so, unless this is the content that is stored.
  std::string text;                 ///< Valid UTF-8.
  std::vector<GroupRows> groups;    ///< A parent before its children; the root group first.
};

/// Adds groups to a source that is stored already, or replaces them; nodes whose uid stays keep their NodeId. Skipped
/// as a whole, and said so, if it no longer fits: the source is gone, its content is no longer `content`, a parent
/// group is missing, or a group of `columns` is missing or of another signature.
///
/// A stored child group whose nodes would lose their parents must be replaced in the same write.
class GroupWrite {
 public:
  GroupWrite() = default;

  std::string source;
  Hash128 content;
  /// Each puts the group of that name in place, with its columns; a parent before its children.
  std::vector<GroupRows> groups;
  /// `rows` empty: columns for a stored group of this signature, which keeps its nodes and its other columns.
  std::vector<GroupRows> columns;
};

/// Records that processing a source failed. What was stored under its id before stays searchable; a SourceWrite makes
/// the source ready again. Where the stored record is damaged, it stays as it is, and verify() finds it.
class SourceFailure {
 public:
  SourceFailure() = default;

  std::string source;
  Stage stage = Stage::load;
  std::string reason;
  std::optional<FileStamp> stamp;  ///< For a file of a dataset; kept in the record of a source that has no content yet.
  std::optional<Hash128>
      content;  ///< Set: it is the stored content that failed; ignored if another is stored, or none.
};

/// Records that a file of the dataset has another stamp but the content that is stored; of a damaged record, nothing.
class SourceTouch {
 public:
  SourceTouch() = default;

  std::string source;
  FileStamp stamp;
};

/// Changes that appear together or not at all. Each source is named once at most.
class Commit {
 public:
  Commit() = default;

  std::vector<SourceWrite> sources;
  std::vector<GroupWrite> groups;
  std::vector<SourceFailure> failures;
  std::vector<SourceTouch> touches;   ///< Unknown sources are ignored.
  std::vector<std::string> removals;  ///< Source ids; unknown ones are ignored.
  /// Set: the removal of a source whose content was written after this generation is skipped, and said so.
  std::optional<Generation> removals_as_of;
};

/// What a commit, or several, did to one group.
class GroupChange {
 public:
  GroupChange() = default;

  std::string group;
  /// New nodes, and nodes whose content or visible metadata changed (a span that moved alone is no change); ascending.
  std::vector<NodeId> upserts;
  std::vector<NodeId> removed;  ///< Ascending; no id is in both lists.
};

class CommitResult {
 public:
  CommitResult() = default;

  Generation generation = 0;
  std::vector<GroupChange> changes;  ///< Of groups with a change, by ascending name.
  /// Sources whose GroupWrite, or conditional SourceWrite or removal, no longer fitted.
  std::vector<std::string> skipped;
  std::vector<std::string> removed;  ///< Of the removals, those that removed a source.
};

static_assert(!std::is_aggregate_v<Commit> && !std::is_aggregate_v<SourceWrite> && !std::is_aggregate_v<GroupRows>);

}  // namespace ragstone
