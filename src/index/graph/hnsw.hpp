#pragma once

#include "index/graph/scratch.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <queue>
#include <utility>
#include <vector>

// A program may have an hnswlib of its own, of another version or built with other flags: of two templates of one name
// the linker would take one for both.
#define hnswlib ragstone_hnswlib
// Its kernels, which are chosen by the compiler's flags, are not needed.
#define NO_MANUAL_VECTORIZATION
#include <hnswlib/hnswlib.h>

namespace ragstone::graph {

/// A graph of hnswlib that grows by insert(). Its own constructor loses what it has allocated where memory runs out;
/// this one does what that does, over one that only makes the object. Thread-safe: insert().
class Hnsw final : public hnswlib::HierarchicalNSW<float> {
 public:
  using Element = hnswlib::tableint;

  /// `shared`: insert() is called by several threads at once.
  /// Errors: std::bad_alloc.
  Hnsw(hnswlib::SpaceInterface<float>& space, std::size_t rows, std::size_t m, std::size_t ef_construction, bool shared)
      : HierarchicalNSW(&space), shared_(shared), scratches_(rows) {
    // What its destructor frees.
    data_level0_memory_ = nullptr;
    linkLists_ = nullptr;
    visited_list_pool_ = nullptr;
    cur_element_count = 0;

    set_sizes(space, rows, m, ef_construction);
    level_generator_.seed(kSeed);
    std::vector<std::mutex>(rows).swap(link_list_locks_);
    element_levels_.resize(rows);
    data_level0_memory_ = static_cast<char*>(std::malloc(rows * size_data_per_element_));
    linkLists_ = static_cast<char**>(std::calloc(rows, sizeof(char*)));
    if (data_level0_memory_ == nullptr || linkLists_ == nullptr) throw std::bad_alloc();
  }

  /// Does what addPoint() does for a new label, but that labels are not looked up. The search for neighbours finds the
  /// same ones, but for equal distances, faster: by a sorted list instead of two heaps, with no lock held while it
  /// measures, and with what it measures next fetched ahead.
  /// Errors: std::bad_alloc; std::runtime_error, where links contradict each other.
  void insert(const void* data, hnswlib::labeltype label) {
    const auto [element, level] = take_place();
    const std::lock_guard own_links(link_list_locks_[element]);
    element_levels_[element] = level;
    std::unique_lock highest(global);
    const int top = maxlevel_;
    Element at = enterpoint_node_;
    if (level <= top) highest.unlock();
    write(element, data, label, level);
    if (top >= 0) connect(element, data, at, level, top);
    if (level <= top) return;
    enterpoint_node_ = element;
    maxlevel_ = level;
  }

  /// Zeroed links of an element on the levels above the lowest.
  void make_upper_links(Element element, int levels) {
    if (levels == 0) return;
    void* lists = std::calloc(static_cast<std::size_t>(levels), size_links_per_element_);
    if (lists == nullptr) throw std::bad_alloc();
    linkLists_[element] = static_cast<char*>(lists);
  }

 private:
  static constexpr unsigned kSeed = 100;  // hnswlib's default.
  // Elements that are fetched while one is measured.
  static constexpr std::size_t kAhead = 4;

  using Nearest =
      std::priority_queue<std::pair<float, Element>, std::vector<std::pair<float, Element>>, CompareByFirst>;

  std::pair<Element, int> take_place() {
    const std::lock_guard lock(cur_element_count_guard_);
    const auto element = static_cast<Element>(cur_element_count);
    cur_element_count = element + 1;
    return {element, getRandomLevel(mult_)};
  }

  void write(Element element, const void* data, hnswlib::labeltype label, int level) {
    std::memset(get_linklist0(element), 0, size_data_per_element_);
    setExternalLabel(element, label);
    std::memcpy(getDataByInternalId(element), data, data_size_);
    make_upper_links(element, level);
  }

  void connect(Element element, const void* data, Element at, int level, int top) {
    std::unique_ptr<Scratch> scratch = scratches_.take();
    std::vector<Element> links;
    float distance = distance_to(data, at);
    for (int upper = top; upper > level; --upper)
      while (step(data, upper, at, distance, links)) {
      }
    for (int lower = std::min(level, top); lower >= 0; --lower) {
      search(data, at, lower, *scratch, links);
      Nearest nearest = take_nearest(*scratch);
      at = mutuallyConnectNewElement(data, element, nearest, lower, false);
    }
    scratches_.give_back(std::move(scratch));
  }

  float distance_to(const void* data, Element element) const {
    return fstdistfunc_(data, getDataByInternalId(element), dist_func_param_);
  }

  void copy_links(Element of, int level, std::vector<Element>& to) {
    std::unique_lock lock(link_list_locks_[of], std::defer_lock);
    if (shared_) lock.lock();
    auto* list = get_linklist_at_level(of, level);
    to.assign(list + 1, list + 1 + getListCount(list));
  }

  void fetch(Element element) const {
    const char* data = getDataByInternalId(element);
    for (std::size_t at = 0; at < data_size_; at += 64) __builtin_prefetch(data + at);
  }

  /// Moves to the nearest neighbour, if it is nearer.
  bool step(const void* data, int level, Element& at, float& distance, std::vector<Element>& links) {
    copy_links(at, level, links);
    for (const Element link : links) fetch(link);
    bool moved = false;
    for (const Element link : links) {
      const float other = distance_to(data, link);
      if (!(other < distance)) continue;
      distance = other;
      at = link;
      moved = true;
    }
    return moved;
  }

  void search(const void* data, Element entry, int level, Scratch& scratch, std::vector<Element>& links) {
    scratch.clear();
    scratch.visit(entry);
    scratch.insert({distance_to(data, entry), entry}, ef_construction_);
    for (std::size_t at = 0; at < scratch.candidates.size();) {
      const Element node = scratch.candidates[at].node;
      if ((node & kFollowed) != 0) {
        ++at;
        continue;
      }
      scratch.candidates[at++].node |= kFollowed;
      copy_links(node, level, links);
      std::erase_if(links, [&](Element link) { return scratch.visit(link) == 0; });
      for (std::size_t i = 0; i < std::min(kAhead, links.size()); ++i) fetch(links[i]);
      for (std::size_t i = 0; i < links.size(); ++i) {
        if (i + kAhead < links.size()) fetch(links[i + kAhead]);
        at = std::min(at, scratch.insert({distance_to(data, links[i]), links[i]}, ef_construction_));
      }
    }
  }

  static Nearest take_nearest(const Scratch& scratch) {
    std::vector<std::pair<float, Element>> nearest;
    nearest.reserve(scratch.candidates.size());
    for (std::size_t i = scratch.candidates.size(); i-- > 0;)
      nearest.emplace_back(scratch.candidates[i].distance, scratch.candidates[i].node & ~kFollowed);
    return Nearest(CompareByFirst(), std::move(nearest));
  }

  void set_sizes(hnswlib::SpaceInterface<float>& space, std::size_t rows, std::size_t m, std::size_t ef_construction) {
    max_elements_ = rows;
    num_deleted_ = 0;
    M_ = m;
    maxM_ = m;
    maxM0_ = 2 * m;
    ef_construction_ = std::max(ef_construction, m);
    ef_ = 10;
    mult_ = 1 / std::log(static_cast<double>(m));
    revSize_ = 1.0 / mult_;
    maxlevel_ = -1;
    enterpoint_node_ = static_cast<hnswlib::tableint>(-1);
    data_size_ = space.get_data_size();
    fstdistfunc_ = space.get_dist_func();
    dist_func_param_ = space.get_dist_func_param();
    size_links_level0_ = maxM0_ * sizeof(hnswlib::tableint) + sizeof(hnswlib::linklistsizeint);
    size_data_per_element_ = size_links_level0_ + data_size_ + sizeof(hnswlib::labeltype);
    offsetData_ = size_links_level0_;
    label_offset_ = size_links_level0_ + data_size_;
    offsetLevel0_ = 0;
    size_links_per_element_ = maxM_ * sizeof(hnswlib::tableint) + sizeof(hnswlib::linklistsizeint);
  }

  const bool shared_;
  ScratchPool scratches_;
};

}  // namespace ragstone::graph
