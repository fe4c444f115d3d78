#pragma once

#include "store/filter_cache.hpp"
#include "store/segment/field_part.hpp"
#include "store/segment/part.hpp"
#include "store/sqlite/reader_pool.hpp"
#include "store/sqlite/state.hpp"
#include <ragstone/base/filter.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ragstone::sqlite {

/// A filter over the rows of one group, for one search in one thread.
///
/// Conditions on declared fields are answered from their columns; the rest, and rows that have no column yet, from the
/// metadata in the database, where each source is asked once. What select() found is remembered for later searches.
class MetadataFilter final : public segment::RowFilter {
 public:
  /// All outlive it.
  MetadataFilter(const State& state, ReaderSet& readers, FilterCache& cache, std::string_view group,
                 const Filter& filter);

  bool allows(NodeId node, segment::SourceNumber source) const override;
  Selection select(std::span<const NodeId> nodes, std::span<const segment::SourceNumber> sources,
                   const StopToken& stop) const override;
  bool selects_quickly() const noexcept override { return is_whole_ && has_all_rows_; }

 private:
  struct Source {
    Metadata metadata;
    bool matches = false;  ///< Without any metadata of the node.
  };
  /// A part of a column of fields, with the rows that the covered conditions allow.
  struct Columns {
    segment::FieldView view;
    mutable std::optional<RowBitmap> allowed;  ///< Once it was asked for.
  };
  enum class Verdict { no, yes, unknown };

  const RowBitmap& allowed_in(const Columns& columns, const StopToken& stop) const;
  Verdict ask_columns(NodeId node) const;
  bool ask_metadata(NodeId node, segment::SourceNumber source) const;
  const Source& source(segment::SourceNumber number) const;
  const Part* part_of(std::span<const NodeId> nodes) const;
  RowBitmap evaluate(const Part* part, std::span<const NodeId> nodes, std::span<const segment::SourceNumber> sources,
                     const StopToken& stop) const;

  const State& state_;
  ReaderSet& readers_;
  FilterCache& cache_;
  const std::string group_;
  const Filter& filter_;
  Filter covered_;             ///< The conditions that the columns answer; empty: none.
  bool is_whole_ = false;      ///< They are all of the filter.
  bool has_all_rows_ = false;  ///< No row of the group lacks the columns.
  bool own_metadata_ = false;  ///< Whether any node of the group has metadata of its own.
  std::vector<Columns> columns_;
  mutable std::optional<ReaderSet::Lease> database_;  ///< Once it was needed.
  mutable std::unordered_map<segment::SourceNumber, Source> sources_;
  mutable std::unordered_map<const NodeId*, const Part*> parts_;  ///< By where their ids lie; filled when first needed.
};

}  // namespace ragstone::sqlite
