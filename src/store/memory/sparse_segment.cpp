#include "store/memory/sparse_segment.hpp"

#include "store/segment/image_sink.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace ragstone::memory {
namespace {

// A segment is never stored, so that its generation and the numbers of its sources mean nothing.
constexpr Generation kGeneration = 0;

std::shared_ptr<const segment::SparsePart> open_part(const std::string& image) {
  return std::make_shared<const segment::SparsePart>(segment::heap_image(image));
}

}  // namespace

SparseSegment::SparseSegment(std::vector<Input> inputs) {
  std::sort(inputs.begin(), inputs.end(),
            [](const Input& a, const Input& b) { return a.nodes->source->id < b.nodes->source->id; });
  for (const Input& input : inputs) {
    const std::vector<std::uint32_t>& lengths = input.column.lengths;
    const auto tokens = std::accumulate(lengths.begin(), lengths.end(), std::uint64_t{0});
    entries_.push_back({input.nodes, input.definition, tokens});
  }
  places_ = places_by_node(entries_);
  std::vector<segment::SparseRow> rows;
  rows.reserve(places_.size());
  for (const Place& place : places_) {
    const SparseRows& column = inputs[place.entry].column;
    const StoredRow& row = entries_[place.entry].nodes->rows[place.number];
    const segment::RowKey key{row.id, 1, row.content};
    rows.push_back({key, &column.rows, place.number, column.lengths[place.number]});
  }
  part_ = open_part(segment::build_sparse(kGeneration, rows));
}

std::shared_ptr<const SparseSegment> SparseSegment::merge(std::span<const Tier<SparseSegment>> tiers,
                                                          const StopToken& stop) {
  throw_if_stopped(stop);
  const std::shared_ptr<SparseSegment> merged(new SparseSegment);
  merged->entries_ = live_entries(tiers);
  merged->places_ = places_by_node(merged->entries_);
  std::vector<segment::SparseView> views;
  for (const Tier<SparseSegment>& tier : tiers) views.push_back({tier.segment->part(), dead_rows(tier)});
  segment::StringSink image(sizeof(std::uint64_t));
  segment::merge_sparse(kGeneration, views, image, stop);
  merged->part_ = open_part(std::move(image).take());
  return merged;
}

}  // namespace ragstone::memory
