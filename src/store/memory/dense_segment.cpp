#include "store/memory/dense_segment.hpp"

#include "store/segment/image_sink.hpp"

#include <algorithm>
#include <utility>

namespace ragstone::memory {
namespace {

// A segment is never stored, so that its generation and the numbers of its sources mean nothing.
constexpr Generation kGeneration = 0;

}  // namespace

DenseSegment::DenseSegment(std::uint32_t dimension, std::vector<Input> inputs, const segment::DenseForm& form)
    : form_(form) {
  std::sort(inputs.begin(), inputs.end(),
            [](const Input& a, const Input& b) { return a.nodes->source->id < b.nodes->source->id; });
  for (const Input& input : inputs) entries_.push_back({input.nodes});
  places_ = places_by_node(entries_);
  std::vector<segment::RowKey> keys;
  std::vector<float> values;
  keys.reserve(places_.size());
  values.reserve(places_.size() * dimension);
  for (const Place& place : places_) {
    const StoredRow& row = entries_[place.entry].nodes->rows[place.number];
    keys.push_back({row.id, 1, row.content});
    const auto vector = std::span(inputs[place.entry].values).subspan(place.number * std::size_t{dimension}, dimension);
    values.insert(values.end(), vector.begin(), vector.end());
  }
  inputs.clear();
  form_.graph.reset();
  part_ = std::make_shared<const segment::DensePart>(
      segment::heap_image(segment::build_dense(kGeneration, dimension, keys, values, form_)));
}

std::shared_ptr<const DenseSegment> DenseSegment::merge(std::span<const Tier<DenseSegment>> tiers,
                                                        const StopToken& stop) {
  segment::DenseForm form = tiers.back().segment->form_;
  form.graph.reset();
  return merge(tiers, form, nullptr, stop);
}

std::shared_ptr<const DenseSegment> DenseSegment::merge(std::span<const Tier<DenseSegment>> tiers,
                                                        const segment::DenseForm& form, const Parallel* parallel,
                                                        const StopToken& stop) {
  throw_if_stopped(stop);
  const std::shared_ptr<DenseSegment> merged(new DenseSegment);
  merged->form_ = form;
  merged->entries_ = live_entries(tiers);
  merged->places_ = places_by_node(merged->entries_);
  std::vector<segment::DenseView> views;
  for (const Tier<DenseSegment>& tier : tiers) views.push_back({tier.segment->part(), dead_rows(tier)});
  segment::HeapSink image;
  segment::merge_dense(kGeneration, views, image, stop, form, parallel);
  merged->part_ = std::make_shared<const segment::DensePart>(std::move(image).take());
  return merged;
}

}  // namespace ragstone::memory
