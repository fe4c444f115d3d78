#pragma once

#include <ragstone/base/error.hpp>
#include <ragstone/base/metadata.hpp>
#include <ragstone/model/usage.hpp>

#include <exception>

namespace ragstone {

/// The error of a call that failed after the server had told what it used: the run that fails with it reports that.
class PaidError final : public Error {
 public:
  PaidError(const Error& error, const Usage& usage) : Error(error), usage_(usage) {}

  const Usage& usage() const noexcept { return usage_; }

 private:
  Usage usage_;
};

/// Adds what a PaidError tells to the attributes of a run's end. False for any other error, which adds nothing.
bool add_paid_usage(Metadata& attributes, const std::exception_ptr& error);

/// The same as attributes of their own.
inline Metadata paid_attributes(const std::exception_ptr& error) {
  Metadata attributes;
  add_paid_usage(attributes, error);
  return attributes;
}

}  // namespace ragstone
