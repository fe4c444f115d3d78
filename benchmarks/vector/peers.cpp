#include "vector/peers.hpp"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/impl/IDSelector.h>
#include <faiss/index_io.h>
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

 private:
  std::size_t dimension_;
  std::unique_ptr<hnswlib::SpaceInterface<float>> space_;
  std::unique_ptr<hnswlib::BruteforceSearch<float>> scan_;
  std::span<const float> rows_;
};

std::vector<std::uint32_t> search_faiss(const faiss::Index& index, std::span<const float> query, std::size_t k,
                                        const faiss::SearchParameters* parameters = nullptr) {
  std::vector<float> distances(k);
  std::vector<faiss::Index::idx_t> labels(k);
  index.search(1, query.data(), static_cast<faiss::Index::idx_t>(k), distances.data(), labels.data(), parameters);
  std::vector<std::uint32_t> found;
  for (const faiss::Index::idx_t label : labels)
    if (label >= 0) found.push_back(static_cast<std::uint32_t>(label));
  return found;
}

faiss::MetricType metric_of(bool l2) { return l2 ? faiss::METRIC_L2 : faiss::METRIC_INNER_PRODUCT; }

class FaissGraph final : public VectorPeer {
 public:
  FaissGraph(std::size_t dimension, bool l2)
      : index_(std::make_unique<faiss::IndexHNSWFlat>(static_cast<int>(dimension), 16, metric_of(l2))) {
    graph().hnsw.efConstruction = 200;
  }

  void build(std::span<const float> rows, std::size_t) override {
    index_->add(static_cast<faiss::Index::idx_t>(rows.size()) / index_->d, rows.data());
  }
  void set_ef(std::size_t ef) override { graph().hnsw.efSearch = static_cast<int>(ef); }
  std::vector<std::uint32_t> search(std::span<const float> query, std::size_t k) const override {
    return search_faiss(*index_, query, k);
  }
  void save(const std::filesystem::path& file) const override { faiss::write_index(index_.get(), file.c_str()); }
  void load(const std::filesystem::path& file) override { index_.reset(faiss::read_index(file.c_str())); }

 private:
  faiss::IndexHNSW& graph() { return dynamic_cast<faiss::IndexHNSW&>(*index_); }

  std::unique_ptr<faiss::Index> index_;
};

class FaissScan final : public VectorPeer {
 public:
  FaissScan(std::size_t dimension, bool l2) : index_(static_cast<faiss::Index::idx_t>(dimension), metric_of(l2)) {}

  void build(std::span<const float> rows, std::size_t) override {
    index_.add(static_cast<faiss::Index::idx_t>(rows.size()) / index_.d, rows.data());
  }
  void set_ef(std::size_t) override {}
  std::vector<std::uint32_t> search(std::span<const float> query, std::size_t k) const override {
    return search_faiss(index_, query, k);
  }
  std::vector<std::uint32_t> search(std::span<const float> query, std::size_t k,
                                    std::span<const std::uint64_t> allowed) const override {
    faiss::IDSelectorBitmap selector(allowed.size_bytes(), reinterpret_cast<const std::uint8_t*>(allowed.data()));
    faiss::SearchParameters parameters;
    parameters.sel = &selector;
    return search_faiss(index_, query, k, &parameters);
  }

 private:
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
std::unique_ptr<VectorPeer> faiss_graph(std::size_t dimension, bool l2) {
  return std::make_unique<FaissGraph>(dimension, l2);
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
