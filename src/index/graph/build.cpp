#include "index/graph/build.hpp"

#include "index/graph/hnsw.hpp"
#include "index/graph/measure.hpp"
#include "index/graph/reach.hpp"
#include "kernel/large_pages.hpp"
#include "kernel/simd.hpp"
#include "kernel/stop_poll.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <queue>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

namespace ragstone::graph {
namespace {

// Rows that measure the graph: so many, and at most one in kMeasuringShare.
constexpr std::size_t kMeasuring = 200;

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
    const float distance = at_a.factor.addend + at_b.factor.addend -
                           space.share_ * at_a.factor.factor * at_b.factor.factor * static_cast<float>(dot);
    // Of vectors so long that the square is none; hnswlib's order would break.
    return std::isnan(distance) ? std::numeric_limits<float>::max() : distance;
  }

  std::size_t dimension_;
  float share_;
  decltype(kernel::Simd::code_dot) dot_;
};

/// For each row the first that has its codes.
std::vector<std::uint32_t> firsts(std::size_t rows, const BuiltGraph& graph) {
  std::vector<std::uint32_t> first(rows);
  std::iota(first.begin(), first.end(), 0U);
  for (std::size_t i = 0; i < graph.copies.size(); ++i) first[graph.copies[i]] = graph.originals[i];
  return first;
}

/// Puts what is left of a graph into an empty one of hnswlib, as if its rows had been inserted there.
class Seeding {
 public:
  /// Rows that are `apart` are taken for gone.
  Seeding(const BaseGraph& base, CodeSpace& space, const CodeRows& rows, const std::vector<std::uint32_t>& first,
          const std::vector<bool>& apart, Hnsw& to, const StopToken& stop)
      : base_(*base.graph), space_(space), rows_(rows), hnsw_(to), poll_(stop) {
    find_rows(base, first, apart);
    find_levels();
  }

  /// Marks the rows that came along.
  void run(std::vector<bool>& seeded) {
    for (std::uint32_t node = 0; node < base_.nodes(); ++node) {
      if (row_of_[node] == kNone) continue;
      add_element(node);
      seeded[row_of_[node]] = true;
    }
    for (std::uint32_t node = 0; node < base_.nodes(); ++node)
      if (number_of_[node] != kNone) link(node, 0, base_.links(node), hnsw_.maxM0_);
    for (std::size_t i = 0; i < base_.upper().size(); ++i) {
      const UpperLevel& level = base_.upper()[i];
      const std::size_t degree = base_.header().upper_degree;
      for (std::size_t n = 0; n < level.nodes.size(); ++n)
        if (number_of_[level.nodes[n]] != kNone)
          link(level.nodes[n], i + 1, level.links.subspan(n * degree, degree), hnsw_.maxM_);
    }
  }

 private:
  /// A node stands for all rows of its codes: it lives on in the first that is left of them.
  void find_rows(const BaseGraph& base, const std::vector<std::uint32_t>& first, const std::vector<bool>& apart) {
    row_of_.assign(base_.nodes(), kNone);
    number_of_.assign(base_.nodes(), kNone);
    std::vector<bool> taken = apart;
    std::vector<bool> is_copy(base_.nodes());
    const auto take = [&](std::uint32_t node, std::uint32_t row) {
      if (row == kNone || row_of_[node] != kNone || taken[first[row]]) return;
      row_of_[node] = first[row];
      taken[first[row]] = true;
    };
    for (const std::uint32_t copy : base_.copies()) is_copy[checked(copy)] = true;
    for (std::uint32_t node = 0; node < base_.nodes(); ++node)
      if (!is_copy[node]) take(node, base.rows[node]);
    for (std::size_t i = 0; i < base_.copies().size(); ++i)
      take(checked(base_.originals()[i]), base.rows[base_.copies()[i]]);
  }

  void find_levels() {
    level_of_.assign(base_.nodes(), 0);
    for (std::size_t i = 0; i < base_.upper().size(); ++i) {
      const auto nodes = base_.upper()[i].nodes;
      if (std::ranges::adjacent_find(nodes, std::greater_equal<>()) != nodes.end())
        throw_corrupt_graph("the nodes of a level do not ascend");
      for (const std::uint32_t node : nodes) level_of_[checked(node)] = i + 1;
    }
  }

  std::uint32_t checked(std::uint32_t node) const {
    if (node >= base_.nodes()) throw_corrupt_graph("a link leads nowhere");
    return node;
  }

  void add_element(std::uint32_t node) {
    poll_.spend(rows_.dimension + 200);
    const auto number = static_cast<std::uint32_t>(hnsw_.cur_element_count);
    const std::uint32_t row = row_of_[node];
    std::memset(hnsw_.get_linklist0(number), 0, hnsw_.size_data_per_element_);
    std::memcpy(hnsw_.getDataByInternalId(number), space_.element(rows_, row).data(), space_.get_data_size());
    hnsw_.setExternalLabel(number, row);
    const auto level = static_cast<int>(level_of_[node]);
    hnsw_.make_upper_links(number, level);
    hnsw_.element_levels_[number] = level;
    hnsw_.cur_element_count = number + 1;
    number_of_[node] = number;
    if (level > hnsw_.maxlevel_) {
      hnsw_.maxlevel_ = level;
      hnsw_.enterpoint_node_ = number;
    }
  }

  /// Of a node on a level that it may not be on, none.
  std::span<const std::uint32_t> links_of(std::uint32_t node, std::size_t level) const {
    if (level == 0) return base_.links(node);
    const UpperLevel& upper = base_.upper()[level - 1];
    const auto place = std::lower_bound(upper.nodes.begin(), upper.nodes.end(), node);
    if (place == upper.nodes.end() || *place != node) return {};
    const std::size_t degree = base_.header().upper_degree;
    return upper.links.subspan(static_cast<std::size_t>(place - upper.nodes.begin()) * degree, degree);
  }

  /// Numbers of hnswlib that a node's links lead to, and whether one led to a row that is gone.
  bool gather(std::uint32_t node, std::size_t level, std::vector<std::uint32_t>& numbers) const {
    bool some_gone = false;
    for (const std::uint32_t link : links_of(node, level)) {
      if (link == kNone) break;
      const std::uint32_t number = number_of_[checked(link)];
      some_gone |= number == kNone;
      if (number != kNone && level_of_[link] >= level) numbers.push_back(number);
    }
    return some_gone;
  }

  void link(std::uint32_t node, std::size_t level, std::span<const std::uint32_t> links, std::size_t most) {
    std::vector<std::uint32_t> numbers;
    links = links.first(static_cast<std::size_t>(std::ranges::find(links, kNone) - links.begin()));
    if (gather(node, level, numbers)) {
      for (const std::uint32_t gone : links)
        if (number_of_[checked(gone)] == kNone) gather(gone, level, numbers);
      keep_best(number_of_[node], most, numbers);
    }
    auto* list = hnsw_.get_linklist_at_level(number_of_[node], static_cast<int>(level));
    hnsw_.setListCount(list, static_cast<unsigned short>(numbers.size()));
    std::ranges::copy(numbers, list + 1);
  }

  /// By the rule that hnswlib chooses links with.
  void keep_best(std::uint32_t of, std::size_t most, std::vector<std::uint32_t>& numbers) {
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    std::erase(numbers, of);
    poll_.spend(numbers.size() * rows_.dimension);
    std::priority_queue<std::pair<float, hnswlib::tableint>, std::vector<std::pair<float, hnswlib::tableint>>,
                        Hnsw::CompareByFirst>
        nearest;
    for (const std::uint32_t number : numbers)
      nearest.emplace(
          hnsw_.fstdistfunc_(hnsw_.getDataByInternalId(of), hnsw_.getDataByInternalId(number), hnsw_.dist_func_param_),
          number);
    if (nearest.size() > most) hnsw_.getNeighborsByHeuristic2(nearest, most);
    numbers.clear();
    for (; !nearest.empty(); nearest.pop()) numbers.push_back(nearest.top().second);
  }

  const Graph& base_;
  CodeSpace& space_;
  const CodeRows& rows_;
  Hnsw& hnsw_;
  kernel::StopPoll poll_;
  std::vector<std::uint32_t> row_of_;     ///< By node: its row; kNone: none is left.
  std::vector<std::uint32_t> number_of_;  ///< By node: hnswlib's.
  std::vector<std::size_t> level_of_;     ///< By node.
};

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
    // Codes alone may be the same of all rows.
    const std::hash<std::string_view> hash_of;
    const std::size_t hash = hash_of({reinterpret_cast<const char*>(rows.row(row)), rows.dimension}) ^
                             hash_of({reinterpret_cast<const char*>(&rows.factors[row]), sizeof(CodeFactor)});
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
  Builder(const CodeRows& rows, const BuildOptions& options, const ExactDistance& exact, const Parallel* parallel,
          const StopToken& stop)
      : rows_(rows),
        options_(options),
        exact_(exact),
        parallel_(parallel),
        stop_(stop),
        space_(rows.dimension, options.metric) {}

  BuiltGraph run(const BaseGraph* base) {
    GraphHeader& header = built_.header;
    header.nodes = static_cast<std::uint32_t>(rows_.count());
    find_copies(rows_, built_, stop_);
    header.metric = metric_code(options_.metric);
    header.degree = static_cast<std::uint32_t>(2 * options_.m);
    header.upper_degree = static_cast<std::uint32_t>(options_.m);
    header.ef_construction = static_cast<std::uint32_t>(options_.ef_construction);
    const bool shared = parallel_ != nullptr && parallel_->width() > 1;
    hnsw_.emplace(space_, rows_.count() - built_.copies.size(), options_.m, options_.ef_construction, shared);
    kernel::ask_for_large_pages(hnsw_->data_level0_memory_, hnsw_->max_elements_ * hnsw_->size_data_per_element_);
    const std::vector<std::uint32_t> first = firsts(rows_.count(), built_);
    const Measuring measuring = choose_measuring(first);
    std::vector<bool> copies(rows_.count());
    for (const std::uint32_t copy : built_.copies) copies[copy] = true;
    std::vector<bool> apart = copies;  // Not to be inserted yet.
    for (const std::uint32_t row : measuring.held_out) apart[row] = true;
    std::vector<bool> inserted = apart;
    if (base != nullptr) Seeding(*base, space_, rows_, first, apart, *hnsw_, stop_).run(inserted);
    insert(rows_not(inserted));
    convert();
    make_reachable(rows_, options_.metric, apart, built_, stop_);
    measure_recall(rows_, options_.metric, measuring.queries, measuring.held_out, exact_, built_, parallel_, stop_);
    if (!measuring.held_out.empty()) {
      insert(measuring.held_out);
      convert();
      make_reachable(rows_, options_.metric, copies, built_, stop_);
    }
    hnsw_.reset();
    return std::move(built_);
  }

 private:
  /// Rows that measure the graph, by what they find. All but copies are held out of it until then.
  struct Measuring {
    std::vector<std::uint32_t> queries;
    std::vector<std::uint32_t> held_out;
  };

  /// `first`: see firsts(). Rows by chance: neighbours in a file may be neighbours in space. Those of a base are among
  /// them: what is new may be easier to find.
  Measuring choose_measuring(const std::vector<std::uint32_t>& first) const {
    std::vector<std::uint32_t> copy_of(first.size(), kNone);  // Of each row that has one.
    for (std::size_t i = 0; i < built_.copies.size(); ++i) copy_of[built_.originals[i]] = built_.copies[i];
    std::vector<std::uint32_t> all(first.size());
    std::iota(all.begin(), all.end(), 0U);
    Measuring chosen;
    std::mt19937_64 random(first.size());
    std::sample(all.begin(), all.end(), std::back_inserter(chosen.queries),
                std::min(kMeasuring, first.size() / kMeasuringShare), random);
    for (std::uint32_t& row : chosen.queries) {
      // One without its original would be none.
      if (copy_of[row] != kNone) row = copy_of[row];
      if (first[row] == row) chosen.held_out.push_back(row);
    }
    return chosen;
  }

  static std::vector<std::uint32_t> rows_not(const std::vector<bool>& among) {
    std::vector<std::uint32_t> rows;
    for (std::uint32_t row = 0; row < among.size(); ++row)
      if (!among[row]) rows.push_back(row);
    return rows;
  }

  void insert_one(std::uint32_t node) {
    throw_if_stopped(stop_);
    const std::vector<char> element = space_.element(rows_, node);
    hnsw_->insert(element.data(), node);
  }

  /// In one order, that of `nodes`, however many threads work at it.
  void insert(const std::vector<std::uint32_t>& nodes) {
    std::size_t alone = 0;
    if (hnsw_->cur_element_count == 0 && !nodes.empty()) insert_one(nodes[alone++]);
    std::atomic<std::size_t> next{alone};
    const auto work = [&](std::size_t) {
      try {
        for (std::size_t i = next++; i < nodes.size(); i = next++) insert_one(nodes[i]);
      } catch (...) {
        next = nodes.size();
        throw;
      }
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
  const ExactDistance& exact_;
  const Parallel* parallel_;
  const StopToken& stop_;
  CodeSpace space_;
  BuiltGraph built_;
  std::optional<Hnsw> hnsw_;
};

}  // namespace

bool BaseGraph::fits(const Graph& graph, const BuildOptions& options) noexcept {
  const GraphHeader& header = graph.header();
  return header.metric == metric_code(options.metric) && header.upper_degree == options.m &&
         header.degree == 2 * options.m && header.ef_construction == options.ef_construction;
}

BuiltGraph build(const CodeRows& rows, const BuildOptions& options, const ExactDistance& exact,
                 const Parallel* parallel, const StopToken& stop, const BaseGraph* base) {
  if (rows.count() == 0 || options.m < 2 || options.m > 2048 || metric_code(options.metric) == 0)
    throw Error(Errc::invalid_argument, "build a graph: it needs rows, 2 to 2,048 links a node, and another metric");
  try {
    return Builder(rows, options, exact, parallel, stop).run(base);
  } catch (const Error&) {
    throw;
  } catch (const boost::system::system_error&) {
    throw;
  } catch (const std::system_error& error) {
    // Of threads and locks, and a std::runtime_error, too.
    throw Error(Errc::transient, std::string("build a graph: ") + error.what() + "; repeat it later");
  } catch (const std::runtime_error& error) {
    // hnswlib's, of links of a base that contradict each other.
    throw Error(Errc::corrupt_store, std::string("build a graph: ") + error.what());
  }
}

}  // namespace ragstone::graph
