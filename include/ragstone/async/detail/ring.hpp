#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace ragstone::detail {

/// A queue that allocates only when it grows longer than it ever was.
template <class T>
class Ring {
 public:
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

  void push_back(T item) {
    if (size_ == slots_.size()) grow();
    slots_[(first_ + size_) % slots_.size()].emplace(std::move(item));
    ++size_;
  }
  /// The ring is not empty.
  T take_front() {
    std::optional<T>& slot = slots_[first_];
    T item = std::move(*slot);
    slot.reset();
    first_ = (first_ + 1) % slots_.size();
    --size_;
    return item;
  }

  /// Takes out the items that equal `item`; the others keep their order.
  void remove(const T& item) {
    for (std::size_t left = size_; left > 0; --left) {
      T one = take_front();
      if (one != item) push_back(std::move(one));
    }
  }

  void swap(Ring& other) noexcept {
    slots_.swap(other.slots_);
    std::swap(first_, other.first_);
    std::swap(size_, other.size_);
  }

 private:
  void grow() {
    std::vector<std::optional<T>> larger(std::max<std::size_t>(4, 2 * slots_.size()));
    for (std::size_t i = 0; i < size_; ++i) larger[i].emplace(std::move(*slots_[(first_ + i) % slots_.size()]));
    slots_.swap(larger);
    first_ = 0;
  }

  std::vector<std::optional<T>> slots_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace ragstone::detail
