#pragma once

#include "store/segment/part.hpp"
#include "store/sqlite/database.hpp"
#include <ragstone/base/filter.hpp>

#include <cstdint>
#include <unordered_map>

namespace ragstone::sqlite {

/// A filter over the metadata in the database; each source is asked once. For one thread.
class MetadataFilter final : public segment::RowFilter {
 public:
  /// All outlive it. `own_metadata`: whether any node of the group has metadata of its own.
  MetadataFilter(Database& database, const Filter& filter, bool own_metadata)
      : database_(database), filter_(filter), own_metadata_(own_metadata) {}

  bool allows(NodeId node, segment::SourceNumber source) const override;

 private:
  struct Source {
    Metadata metadata;
    bool matches = false;  ///< Without any metadata of the node.
  };

  const Source& source(segment::SourceNumber number) const;

  Database& database_;
  const Filter& filter_;
  const bool own_metadata_;
  mutable std::unordered_map<segment::SourceNumber, Source> sources_;
};

}  // namespace ragstone::sqlite
