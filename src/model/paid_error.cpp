#include "model/paid_error.hpp"

namespace ragstone {

bool add_paid_usage(Metadata& attributes, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const PaidError& paid) {
    set_usage(attributes, paid.usage());
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace ragstone
