#include <ragstone/base/error.hpp>
#include <ragstone/index/index.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace ragstone {

void Index::update(const IndexUpdate& update, const StopToken& stop) {
  do_update(update, stop);
  generation_.store(update.to, std::memory_order_release);
}

void Index::clear() {
  do_clear();
  generation_.store(0, std::memory_order_release);
}

std::vector<ScoredNode> Index::query(const IndexQuery& query, const StopToken& stop) const {
  if (query.top_k == 0) throw Error(Errc::invalid_argument, "index query: top_k is 0; ask for at least 1 hit");
  std::vector<ScoredNode> hits = do_query(query, stop);
  for (const ScoredNode& hit : hits)
    if (!std::isfinite(hit.score))
      throw Error(Errc::internal, "index query: the index returned a score that is NaN or infinite");
  return hits;
}

void Index::save(IndexOutput& output, const StopToken& stop) const { do_save(output, stop); }

void Index::load(std::shared_ptr<const IndexImage> image) {
  const Generation loaded = image->generation();
  do_load(std::move(image));
  generation_.store(std::max(generation(), loaded), std::memory_order_release);
}

void Index::do_save(IndexOutput&, const StopToken&) const {
  throw Error(Errc::unsupported, "save index: this index has no saved form");
}

void Index::do_load(std::shared_ptr<const IndexImage>) {
  throw Error(Errc::unsupported, "load index: this index has no saved form");
}

}  // namespace ragstone
