#include <ragstone/async/detail/completion.hpp>
#include <ragstone/async/detail/runtime_core.hpp>
#include <ragstone/base/error.hpp>

#include <utility>

namespace ragstone::detail {

void RuntimeCore::start_now(Task<void> body, std::shared_ptr<EndReport> report) {
  auto operation = std::make_shared<Operation>(serial_executor());
  if (!start(operation, std::move(body), std::move(report))) std::rethrow_exception(runtime_closed());
}

std::exception_ptr runtime_closed() {
  return std::make_exception_ptr(Error(Errc::closed, "the Runtime is being destroyed and takes no new operations"));
}

}  // namespace ragstone::detail
