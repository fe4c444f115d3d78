#include <ragstone/async/detail/stream_core.hpp>
#include <ragstone/base/error.hpp>

namespace ragstone::detail {

std::exception_ptr producer_gone() {
  return std::make_exception_ptr(Error(Errc::closed, "stream: its producer went without ending it"));
}

void throw_stream_ended() { throw Error(Errc::closed, "stream: it has ended, or is empty"); }

std::size_t checked_capacity(std::size_t capacity) {
  if (capacity == 0) throw Error(Errc::invalid_argument, "stream: the capacity is at least 1");
  return capacity;
}

}  // namespace ragstone::detail
