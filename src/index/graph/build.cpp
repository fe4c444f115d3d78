#include "index/graph/build.hpp"

#include "index/graph/measure.hpp"
#include "index/graph/reach.hpp"
#include "kernel/large_pages.hpp"
#include "kernel/simd.hpp"
#include "kernel/stop_poll.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

// Its own kernels are chosen by the compiler's flags, and would need other functions than ours with the same names.
#define NO_MANUAL_VECTORIZATION
#if defined(__SANITIZE_THREAD__)
// So that a suppression can name its generator of levels, which it shares without a lock, and nothing else.
#pragma GCC push_options
#pragma GCC optimize("no-inline")
#include <hnswlib/hnswlib.h>
#pragma GCC pop_options
#else
#include <hnswlib/hnswlib.h>
#endif

namespace ragstone::graph {
namespace {

// Rows that are kept out of the graph at first to measure it: so many, and at most one in so many.
constexpr std::size_t kHeldOut = 200;
constexpr std::size_t kHeldOutShare = 20;

/// What follows the codes of an element in hnswlib's memory.
struct Trailer {
  CodeFactor factor;
  std::int32_t sum = 0;  ///< Of the codes.
};

/// Distances between rows of codes, for hnswlib: what code_factor() says for a query, symmetrically.
class CodeSpace final : public hnswlib::SpaceInterface<float> {
 public:
  CodeSpace(std::size_t dimension, Metric metric)
      : dimension_(dimension), share_(metric == Metric::l2 ? 0.5F : 1.0F), dot_(kernel::simd().code_dot) {}

  /// A multiple of what hnswlib's links, which follow it, are aligned to.
  std::size_t get_data_size() override {
    constexpr std::size_t kAlignment = alignof(hnswlib::linklistsizeint);
    return (dimension_ + sizeof(Trailer) + kAlignment - 1) / kAlignment * kAlignment;
  }
  hnswlib::DISTFUNC<float> get_dist_func() override { return distance; }
  void* get_dist_func_param() override { return this; }

  std::vector<char> element(const CodeRows& rows, std::size_t row) {
    std::vector<char> element(get_data_size());
    std::memcpy(element.data(), rows.row(row), dimension_);
    const Trailer trailer{rows.factors[row], std::accumulate(rows.row(row), rows.row(row) + dimension_, 0)};
    std::memcpy(element.data() + dimension_, &trailer, sizeof trailer);
    return element;
  }

 private:
  static float distance(const void* a, const void* b, const void* self) {
    const auto& space = *static_cast<const CodeSpace*>(self);
    Trailer at_a;
    Trailer at_b;
    std::memcpy(&at_a, static_cast<const char*>(a) + space.dimension_, sizeof at_a);
    std::memcpy(&at_b, static_cast<const char*>(b) + space.dimension_, sizeof at_b);
    const std::int32_t dot =
        space.dot_(static_cast<const std::int8_t*>(a), static_cast<const std::int8_t*>(b), space.dimension_, at_b.sum);
    return at_a.factor.addend + at_b.factor.addend -
           space.share_ * at_a.factor.factor * at_b.factor.factor * static_cast<float>(dot);
  }

  std::size_t dimension_;
  float share_;
  decltype(kernel::Simd::code_dot) dot_;
};

using Hnsw = hnswlib::HierarchicalNSW<float>;

/// Finds rows that are copies of earlier ones.
void find_copies(const CodeRows& rows, BuiltGraph& to, const StopToken& stop) {
  kernel::StopPoll poll(stop);
  std::unordered_multimap<std::size_t, std::uint32_t> originals;  // by hash
  std::vector<std::pair<std::uint32_t, std::uint32_t>> copies;    // original, copy
  originals.reserve(rows.count());
  const auto same = [&](std::size_t a, std::size_t b) {
    return std::memcmp(&rows.factors[a], &rows.factors[b], sizeof(CodeFactor)) == 0 &&
           std::memcmp(rows.row(a), rows.row(b), rows.dimension) == 0;
  };
  for (std::uint32_t row = 0; row < rows.count(); ++row) {
    poll.spend(rows.dimension + 100);
    const std::size_t hash =
        std::hash<std::string_view>()({reinterpret_cast<const char*>(rows.row(row)), rows.dimension});
    const auto [begin, end] = originals.equal_range(hash);
    const auto known = std::find_if(begin, end, [&](const auto& item) { return same(item.second, row); });
    if (known == end) {
      originals.emplace(hash, row);
    } else {
      copies.emplace_back(known->second, row);
    }
  }
  std::sort(copies.begin(), copies.end());
  for (const auto& [original, copy] : copies) {
    to.originals.push_back(original);
    to.copies.push_back(copy);
  }
}

class Builder {
 public:
  Builder(const CodeRows& rows, const BuildOptions& options, const Parallel* parallel, const StopToken& stop)
      : rows_(rows), options_(options), parallel_(parallel), stop_(stop), space_(rows.dimension, options.metric) {}

  BuiltGraph run() {
    GraphHeader& header = built_.header;
    header.nodes = static_cast<std::uint32_t>(rows_.count());
    find_copies(rows_, built_, stop_);
    header.metric = metric_code(options_.metric);
    header.degree = static_cast<std::uint32_t>(2 * options_.m);
    header.upper_degree = static_cast<std::uint32_t>(options_.m);
    header.ef_construction = static_cast<std::uint32_t>(options_.ef_construction);
    std::vector<bool> apart(rows_.count());  // not among the first that are inserted
    for (const std::uint32_t copy : built_.copies) apart[copy] = true;
    const std::vector<std::uint32_t> held_out = choose_held_out(apart);
    for (const std::uint32_t row : held_out) apart[row] = true;
    std::vector<std::uint32_t> first;
    for (std::uint32_t row = 0; row < header.nodes; ++row)
      if (!apart[row]) first.push_back(row);
    hnsw_.emplace(&space_, first.size() + held_out.size(), options_.m, options_.ef_construction);
    kernel::ask_for_large_pages(hnsw_->data_level0_memory_, hnsw_->max_elements_ * hnsw_->size_data_per_element_);
    insert(first);
    convert();
    if (!held_out.empty()) {
      measure_recall(rows_, options_.metric, held_out, built_, stop_);
      insert(held_out);
      convert();
    }
    hnsw_.reset();
    make_reachable(rows_, options_.metric, built_, stop_);
    return std::move(built_);
  }

 private:
  std::vector<std::uint32_t> choose_held_out(const std::vector<bool>& apart) const {
    const std::size_t rows = apart.size();
    const std::size_t count = std::min(kHeldOut, (rows - built_.copies.size()) / kHeldOutShare);
    std::vector<std::uint32_t> chosen;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t row = (2 * i + 1) * rows / (2 * count);
      if (!apart[row]) chosen.push_back(static_cast<std::uint32_t>(row));
    }
    return chosen;
  }

  void insert_one(std::uint32_t node) {
    throw_if_stopped(stop_);
    const std::vector<char> element = space_.element(rows_, node);
    hnsw_->addPoint(element.data(), node);
  }

  /// In one order, that of `nodes`, however many threads work at it.
  void insert(const std::vector<std::uint32_t>& nodes) {
    std::size_t alone = 0;
    if (hnsw_->cur_element_count == 0) insert_one(nodes[alone++]);
    std::atomic<std::size_t> next{alone};
    const auto work = [&](std::size_t) {
      for (std::size_t i = next++; i < nodes.size(); i = next++) insert_one(nodes[i]);
    };
    if (parallel_ == nullptr || parallel_->width() < 2) return work(0);
    parallel_->run(parallel_->width(), work);
  }

  void convert() {
    const std::size_t count = hnsw_->cur_element_count;
    GraphHeader& header = built_.header;
    std::vector<std::uint32_t> node_of(count);
    for (std::uint32_t i = 0; i < count; ++i) node_of[i] = static_cast<std::uint32_t>(hnsw_->getExternalLabel(i));
    const auto copy_links = [&](hnswlib::linklistsizeint* from, std::uint32_t* to) {
      const auto* ids = reinterpret_cast<const hnswlib::tableint*>(from + 1);
      const std::size_t size = hnsw_->getListCount(from);
      for (std::size_t i = 0; i < size; ++i) to[i] = node_of[ids[i]];
    };
    built_.links.assign(std::size_t{header.nodes} * header.degree, kNone);
    for (std::uint32_t i = 0; i < count; ++i)
      copy_links(hnsw_->get_linklist0(i), &built_.links[std::size_t{node_of[i]} * header.degree]);
    header.entry = node_of[hnsw_->enterpoint_node_];
    header.upper_levels = static_cast<std::uint32_t>(hnsw_->maxlevel_);
    built_.upper.clear();
    for (int level = 1; level <= hnsw_->maxlevel_; ++level) {
      std::vector<std::pair<std::uint32_t, std::uint32_t>> members;  // node, hnswlib's number
      for (std::uint32_t i = 0; i < count; ++i)
        if (hnsw_->element_levels_[i] >= level) members.emplace_back(node_of[i], i);
      std::sort(members.begin(), members.end());
      built_.upper.push_back(static_cast<std::uint32_t>(members.size()));
      for (const auto& [node, number] : members) built_.upper.push_back(node);
      for (const auto& [node, number] : members) {
        const std::size_t at = built_.upper.size();
        built_.upper.resize(at + header.upper_degree, kNone);
        copy_links(hnsw_->get_linklist(number, level), &built_.upper[at]);
      }
    }
  }

  const CodeRows& rows_;
  const BuildOptions options_;
  const Parallel* parallel_;
  const StopToken& stop_;
  CodeSpace space_;
  BuiltGraph built_;
  std::optional<Hnsw> hnsw_;
};

}  // namespace

BuiltGraph build(const CodeRows& rows, const BuildOptions& options, const Parallel* parallel, const StopToken& stop) {
  if (rows.count() == 0 || options.m < 2 || options.m > 2048 || metric_code(options.metric) == 0)
    throw Error(Errc::invalid_argument, "build a graph: it needs rows, 2 to 2,048 links a node, and another metric");
  try {
    return Builder(rows, options, parallel, stop).run();
  } catch (const Error&) {
    throw;
  } catch (const boost::system::system_error&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw Error(Errc::limit_exceeded, std::string("build a graph: ") + error.what());
  }
}

}  // namespace ragstone::graph
