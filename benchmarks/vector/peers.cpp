#include "vector/peers.hpp"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>

#include <faiss/IndexFlat.h>
#include <faiss/impl/IDSelector.h>
#include <hnswlib/hnswlib.h>

namespace ragstone::bench {
namespace {

std::unique_ptr<hnswlib::SpaceInterface<float>> space_of(std::size_t dimension, bool l2) {
  if (l2) return std::make_unique<hnswlib::L2Space>(dimension);
  return std::make_unique<hnswlib::InnerProductSpace>(dimension);
}

template <class Queue>
std::vector<std::uint32_t> numbers(Queue queue) {
  std::vector<std::uint32_t> found(queue.size());
  for (std::size_t i = found.size(); i-- > 0; queue.pop()) found[i] = static_cast<std::uint32_t>(queue.top().second);
  return found;
}

class HnswGraph final : public VectorPeer {
 public:
  HnswGraph(std::size_t dimension, bool l2) : dimension_(dimension), space_(space_of(dimension, l2)) {}

  void build(std::span<const float> rows, std::size_t threads) override {
    const std::size_t count = rows.size() / dimension_;
    graph_ = std::make_unique<hnswlib::HierarchicalNSW<float>>(space_.get(), count, 16, 200);
    graph_->addPoint(rows.data(), 0);
    std::atomic<std::size_t> next{1};
    const auto work = [&] {
      for (std::size_t i = next++; i < count; i = next++) graph_->addPoint(rows.data() + i * dimension_, i);
    };
    std::vector<std::jthread> helpers;
    for (std::size_t t = 1; t < threads; ++t) helpers.emplace_back(work);
    work();
  }
  void set_ef(std::size_t ef) override { graph_->setEf(ef); }
  std::vector<std::uint32_t> search(std::span<const float> query, std::size_t k) const override {
    return numbers(graph_->searchKnn(query.data(), k));
  }
  std::vector<std::uint32_t> search(std::span<const float> query, std::size_t k,
                                    std::span<const std::uint64_t> allowed) const override {
    std::vector<std::uint32_t> found;
    for (const std::uint32_t row : numbers(graph_->searchKnn(query.data(), std::max(k, graph_->ef_)))) {
      if ((allowed[row / 64] >> (row % 64) & 1) == 0) continue;
      found.push_back(row);
      if (found.size() == k) break;
    }
    return found;
  }
  void save(const std::filesystem::path& file) const override { graph_->saveIndex(file.string()); }
  void load(const std::filesystem::path& file) override {
    graph_ = std::make_unique<hnswlib::HierarchicalNSW<float>>(space_.get(), file.string());
  }
  std::size_t bytes() const override {
    std::size_t upper = 0;
    for (std::size_t i = 0; i < graph_->cur_element_count; ++i)
      upper += static_cast<std::size_t>(graph_->element_levels_[i]) * graph_->size_links_per_element_;
    return graph_->max_elements_ * (graph_->size_data_per_element_ + sizeof(void*) + sizeof(int) + sizeof(std::mutex)) +
           upper;
  }

 private:
  std::size_t dimension_;
  std::unique_ptr<hnswlib::SpaceInterface<float>> space_;
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph_;
};

class HnswScan final : public VectorPeer {
 public:
  HnswScan(std::size_t dimension, bool l2) : dimension_(dimension), space_(space_of(dimension, l2)) {}

  void build(std::span<const float> rows, std::size_t) override {
    rows_ = rows;
    scan_ = std::make_unique<hnswlib::BruteforceSearch<float>>(space_.get(), rows.size() / dimension_);
    for (std::size_t i = 0; i * dimension_ < rows.size(); ++i) scan_->addPoint(rows.data() + i * dimension_, i);
  }
  void set_ef(std::size_t) override {}
  std::vector<std::uint32_t> search(std::span<const float> query, std::size_t k) const override {
    return numbers(scan_->searchKnn(query.data(), k));
  }
  /// By hnswlib's own kernel over the rows that match.
  std::vector<std::uint32_t> search(std::span<const float> query, std::size_t k,
                                    std::span<const std::uint64_t> allowed) const override {
    std::priority_queue<std::pair<float, std::size_t>> best;
    const auto distance = space_->get_dist_func();
    for (std::size_t w = 0; w < allowed.size(); ++w)
      for (std::uint64_t word = allowed[w]; word != 0; word &= word - 1) {
        const std::size_t row = w * 64 + static_cast<std::size_t>(__builtin_ctzll(word));
        const float d = distance(query.data(), rows_.data() + row * dimension_, space_->get_dist_func_param());
        if (best.size() == k && d >= best.top().first) continue;
        if (best.size() == k) best.pop();
        best.emplace(d, row);
      }
    return numbers(std::move(best));
  }
  std::size_t bytes() const override { return rows_.size_bytes() + rows_.size() / dimension_ * sizeof(std::size_t); }

 private:
  std::size_t dimension_;
  std::unique_ptr<hnswlib::SpaceInterface<float>> space_;
  std::unique_ptr<hnswlib::BruteforceSearch<float>> scan_;
  std::span<const float> rows_;
};

class FaissScan final : public VectorPeer {
 public:
  FaissScan(std::size_t dimension, bool l2)
      : dimension_(dimension),
        index_(static_cast<faiss::Index::idx_t>(dimension), l2 ? faiss::METRIC_L2 : faiss::METRIC_INNER_PRODUCT) {}

  void build(std::span<const float> rows, std::size_t) override {
    index_.add(static_cast<faiss::Index::idx_t>(rows.size() / dimension_), rows.data());
  }
  void set_ef(std::size_t) override {}
  std::vector<std::uint32_t> search(std::span<const float> query, std::size_t k) const override {
    return run(query, k, nullptr);
  }
  std::vector<std::uint32_t> search(std::span<const float> query, std::size_t k,
                                    std::span<const std::uint64_t> allowed) const override {
    faiss::IDSelectorBitmap selector(allowed.size_bytes(), reinterpret_cast<const std::uint8_t*>(allowed.data()));
    return run(query, k, &selector);
  }
  std::size_t bytes() const override { return static_cast<std::size_t>(index_.ntotal) * dimension_ * sizeof(float); }

 private:
  std::vector<std::uint32_t> run(std::span<const float> query, std::size_t k, faiss::IDSelector* selector) const {
    std::vector<float> distances(k);
    std::vector<faiss::Index::idx_t> labels(k);
    faiss::SearchParameters parameters;
    parameters.sel = selector;
    index_.search(1, query.data(), static_cast<faiss::Index::idx_t>(k), distances.data(), labels.data(), &parameters);
    std::vector<std::uint32_t> found;
    for (const faiss::Index::idx_t label : labels)
      if (label >= 0) found.push_back(static_cast<std::uint32_t>(label));
    return found;
  }

  std::size_t dimension_;
  faiss::IndexFlat index_;
};

}  // namespace

std::vector<std::uint32_t> VectorPeer::search(std::span<const float>, std::size_t,
                                              std::span<const std::uint64_t>) const {
  throw std::logic_error("this peer has no filter");
}

void VectorPeer::save(const std::filesystem::path&) const { throw std::logic_error("this peer cannot be saved"); }
void VectorPeer::load(const std::filesystem::path&) { throw std::logic_error("this peer cannot be loaded"); }

std::unique_ptr<VectorPeer> hnswlib_graph(std::size_t dimension, bool l2) {
  return std::make_unique<HnswGraph>(dimension, l2);
}
std::unique_ptr<VectorPeer> hnswlib_scan(std::size_t dimension, bool l2) {
  return std::make_unique<HnswScan>(dimension, l2);
}
std::unique_ptr<VectorPeer> faiss_scan(std::size_t dimension, bool l2) {
  return std::make_unique<FaissScan>(dimension, l2);
}

std::uint64_t read_all(std::span<const float> values) {
  const auto* words = reinterpret_cast<const std::uint64_t*>(values.data());
  const std::size_t count = values.size() / 2;
  std::uint64_t sums[32] = {};
  std::size_t i = 0;
  for (; i + 32 <= count; i += 32)
    for (std::size_t lane = 0; lane < 32; ++lane) sums[lane] ^= words[i + lane];
  std::uint64_t sum = 0;
  for (const std::uint64_t lane : sums) sum ^= lane;
  for (; i < count; ++i) sum ^= words[i];
  return sum;
}

}  // namespace ragstone::bench
