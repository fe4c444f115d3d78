#pragma once

#include "store/memory/part_column.hpp"
#include "store/memory/segment_fields.hpp"
#include "store/memory/stored_source.hpp"
#include "store/memory/tiers.hpp"
#include "store/segment/dense_part.hpp"
#include <ragstone/base/parallel.hpp>
#include <ragstone/base/stop.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ragstone::memory {

/// Some rows of a column of vectors, as a part: what the persistent store has in its segment files.
class DenseSegment {
 public:
  struct Entry {
    std::shared_ptr<const StoredRows> nodes;
  };

  /// An entry with its vectors.
  struct Input {
    std::shared_ptr<const StoredRows> nodes;
    std::vector<float> values;  ///< [n x dimension]
  };

  /// `inputs` in any order. No graph is built, whatever the form.
  DenseSegment(std::uint32_t dimension, std::vector<Input> inputs, const segment::DenseForm& form);

  const std::vector<Entry>& entries() const noexcept { return entries_; }
  /// Over the rows of the part.
  const SegmentFields& fields() const noexcept { return fields_; }
  static const std::string& source_of(const Entry& entry) noexcept { return entry.nodes->source->id; }
  static std::size_t weight_of(const Entry& entry) noexcept { return entry.nodes->rows.size() + 1; }
  static bool is_same(const Entry& a, const Entry& b) noexcept { return a.nodes == b.nodes; }
  /// In the form of the last tier, but without a graph: a commit waits for it.
  static std::shared_ptr<const DenseSegment> merge(std::span<const Tier<DenseSegment>> tiers, const StopToken& stop);
  /// See merge_dense() for `form` and `parallel`.
  static std::shared_ptr<const DenseSegment> merge(std::span<const Tier<DenseSegment>> tiers,
                                                   const segment::DenseForm& form, const Parallel* parallel,
                                                   const StopToken& stop);

  const std::shared_ptr<const segment::DensePart>& part() const noexcept { return part_; }
  /// Of each row of the part.
  const std::vector<Place>& places() const noexcept { return places_; }

 private:
  DenseSegment() = default;

  std::vector<Entry> entries_;
  std::vector<Place> places_;
  segment::DenseForm form_;  ///< Which the part has where it is large enough.
  std::shared_ptr<const segment::DensePart> part_;
  SegmentFields fields_;
};

}  // namespace ragstone::memory
