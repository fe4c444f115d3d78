#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

/// hnswlib, for one source file alone: it defines functions that are not inline.

// A program may have an hnswlib of its own, of another version or built with other flags: of two templates of one name
// the linker would take one for both.
#define hnswlib ragstone_hnswlib
// Its kernels, which are chosen by the compiler's flags, are not needed; its prefetches are.
#define NO_MANUAL_VECTORIZATION
#if defined(__SSE__)
#define USE_SSE
#define cpuid ragstone_hnswlib_cpuid
#define xgetbv ragstone_hnswlib_xgetbv
#define AVXCapable ragstone_hnswlib_avx_capable
#define AVX512Capable ragstone_hnswlib_avx512_capable
#endif

// Its pool loses a list where memory runs out between the list's lending and its return.
#define VisitedListPool PoolThatLosesLists
#include <hnswlib/visited_list_pool.h>
#undef VisitedListPool

namespace hnswlib {

/// In its place: owns every list that it lends.
class VisitedListPool {
 public:
  VisitedListPool(int /*lists*/, std::size_t elements) : elements_(static_cast<int>(elements)) {}

  VisitedList* getFreeVisitedList() {
    VisitedList* list = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (free_.empty()) {
        free_.reserve(lists_.size() + 1);
        lists_.push_back(std::make_unique<VisitedList>(elements_));
        free_.push_back(lists_.back().get());
      }
      list = free_.back();
      free_.pop_back();
    }
    list->reset();
    return list;
  }

  void releaseVisitedList(VisitedList* list) noexcept {
    const std::lock_guard lock(mutex_);
    free_.push_back(list);
  }

 private:
  const int elements_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<VisitedList>> lists_;
  std::vector<VisitedList*> free_;  ///< Has room for all.
};

}  // namespace hnswlib

#if defined(__SANITIZE_THREAD__)
// So that a suppression can name its generator of levels, which it shares without a lock, and nothing else.
#pragma GCC push_options
#pragma GCC optimize("no-inline")
#include <hnswlib/hnswlib.h>
#pragma GCC pop_options
#else
#include <hnswlib/hnswlib.h>
#endif
#undef cpuid
#undef xgetbv
#undef AVXCapable
#undef AVX512Capable

namespace ragstone::graph {

/// An empty graph of hnswlib. Its own constructor loses what it has allocated where memory runs out; this one does what
/// that does, over one that only makes the object.
class Hnsw final : public hnswlib::HierarchicalNSW<float> {
 public:
  /// Errors: std::bad_alloc.
  Hnsw(hnswlib::SpaceInterface<float>& space, std::size_t rows, std::size_t m, std::size_t ef_construction)
      : HierarchicalNSW(&space) {
    // What its destructor frees.
    data_level0_memory_ = nullptr;
    linkLists_ = nullptr;
    visited_list_pool_ = nullptr;
    cur_element_count = 0;

    set_sizes(space, rows, m, ef_construction);
    level_generator_.seed(kSeed);
    update_probability_generator_.seed(kSeed + 1);
    std::vector<std::mutex>(rows).swap(link_list_locks_);
    std::vector<std::mutex>(max_update_element_locks).swap(link_list_update_locks_);
    element_levels_.resize(rows);
    label_lookup_.reserve(rows);
    data_level0_memory_ = static_cast<char*>(std::malloc(rows * size_data_per_element_));
    linkLists_ = static_cast<char**>(std::calloc(rows, sizeof(char*)));
    if (data_level0_memory_ == nullptr || linkLists_ == nullptr) throw std::bad_alloc();
    visited_list_pool_ = new hnswlib::VisitedListPool(0, rows);
  }

 private:
  static constexpr unsigned kSeed = 100;  // hnswlib's default.

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
    // Its prefetches read one beyond a full list.
    size_links_per_element_ = (maxM_ + 1) * sizeof(hnswlib::tableint) + sizeof(hnswlib::linklistsizeint);
  }
};

}  // namespace ragstone::graph
