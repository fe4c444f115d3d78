#include <ragstone/async/observer.hpp>
#include <ragstone/base/error.hpp>

#include <exception>
#include <string>

namespace ragstone {

void Observer::notify(const Event& event) {
  try {
    on_event(event);
  } catch (...) {
    failed_.fetch_add(1, std::memory_order_relaxed);
    report(event);
    if (raises_) throw;
  }
}

void Observer::report(const Event& event) noexcept {
  const std::uint32_t bit = std::uint32_t{1} << static_cast<unsigned>(event.kind());
  if ((reported_kinds_.fetch_or(bit, std::memory_order_relaxed) & bit) != 0) return;
  try {
    log_(LogLevel::warning,
         std::string("an observer failed at the ") + name_of(event.phase()) + " of a " + name_of(event.kind()) +
             " run, and is told of no more failures with this kind: " + message_of(std::current_exception()));
  } catch (...) {  // no memory for the message; the failure is counted
  }
}

}  // namespace ragstone
