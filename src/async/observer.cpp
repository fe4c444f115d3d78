#include <ragstone/async/observer.hpp>

namespace ragstone {

void Observer::notify(const Event& event) noexcept {
  try {
    on_event(event);
  } catch (...) {
    failed_.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace ragstone
