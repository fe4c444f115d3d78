#include "model/paid_error.hpp"

namespace ragstone {
namespace {

/// Beside an error.
class Paid {
 public:
  explicit Paid(const Usage& usage) : usage_(usage) {}

  const Usage& usage() const noexcept { return usage_; }

 private:
  Usage usage_;
};

template <class Base>
class PaidError final : public Base, public Paid {
 public:
  PaidError(const Base& error, const Usage& usage) : Base(error), Paid(usage) {}
};

}  // namespace

std::exception_ptr paid(std::exception_ptr error, const Usage& used) {
  if (used.empty()) return error;
  const std::optional<Usage> told = usage_of(error);
  const Usage usage = told ? *told + used : used;
  try {
    std::rethrow_exception(error);
  } catch (const Error& of_ours) {
    return std::make_exception_ptr(PaidError<Error>(of_ours, usage));
  } catch (const boost::system::system_error& cancelled) {
    return std::make_exception_ptr(PaidError<boost::system::system_error>(cancelled, usage));
  } catch (...) {
    return error;
  }
}

std::exception_ptr unpaid(std::exception_ptr error) {
  if (!usage_of(error)) return error;
  try {
    std::rethrow_exception(error);
  } catch (const Error& of_ours) {
    return std::make_exception_ptr(Error(of_ours));
  } catch (const boost::system::system_error& cancelled) {
    return std::make_exception_ptr(boost::system::system_error(cancelled));
  }
}

std::optional<Usage> usage_of(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const Paid& paid) {
    return paid.usage();
  } catch (...) {
    return std::nullopt;
  }
}

}  // namespace ragstone
