#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace ragstone::kernel {

/// Keeps the best `k` of what it is offered. `before(a, b)`: a is better; a strict weak order.
template <class T, bool (*before)(const T&, const T&) noexcept>
class TopK {
 public:
  /// `k` is at least 1; memory grows with what is kept, not with `k`.
  explicit TopK(std::size_t k) : k_(k) {}

  /// Whether add() would keep it: cheaper to ask before work that only kept items need.
  bool would_keep(const T& item) const noexcept { return heap_.size() < k_ || before(item, heap_.front()); }

  bool is_full() const noexcept { return heap_.size() == k_; }
  /// Of what is kept, which is something.
  const T& worst() const noexcept { return heap_.front(); }

  void add(T item) {
    if (!would_keep(item)) return;
    if (heap_.size() == k_) {
      std::pop_heap(heap_.begin(), heap_.end(), before);
      heap_.back() = std::move(item);
    } else {
      heap_.push_back(std::move(item));
    }
    std::push_heap(heap_.begin(), heap_.end(), before);
  }

  /// What was kept, best first.
  std::vector<T> take() && {
    std::sort_heap(heap_.begin(), heap_.end(), before);
    return std::move(heap_);
  }

 private:
  std::size_t k_;
  std::vector<T> heap_;  ///< The worst in front.
};

}  // namespace ragstone::kernel
