#include <ragstone/base/error.hpp>

#include <exception>

namespace ragstone {
namespace {

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "ragstone"; }
  std::string message(int value) const override { return name_of(static_cast<Errc>(value)); }
};

}  // namespace

const char* name_of(Errc code) noexcept {
  switch (code) {
    case Errc::not_found:
      return "not_found";
    case Errc::already_exists:
      return "already_exists";
    case Errc::invalid_argument:
      return "invalid_argument";
    case Errc::parse_error:
      return "parse_error";
    case Errc::dimension_mismatch:
      return "dimension_mismatch";
    case Errc::embedder_mismatch:
      return "embedder_mismatch";
    case Errc::corrupt_store:
      return "corrupt_store";
    case Errc::storage_full:
      return "storage_full";
    case Errc::io_error:
      return "io_error";
    case Errc::locked:
      return "locked";
    case Errc::stale_index:
      return "stale_index";
    case Errc::transient:
      return "transient";
    case Errc::rejected:
      return "rejected";
    case Errc::unauthorized:
      return "unauthorized";
    case Errc::timeout:
      return "timeout";
    case Errc::unsupported:
      return "unsupported";
    case Errc::limit_exceeded:
      return "limit_exceeded";
    case Errc::closed:
      return "closed";
    case Errc::internal:
      return "internal";
  }
  return "unknown";
}

const boost::system::error_category& error_category() noexcept {
  static const Category category;
  return category;
}

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), error_category()}; }

Error::Error(Errc code, const std::string& message)
    : boost::system::system_error(make_error_code(code)), message_(message) {}

Error::Error(Errc code, const std::string& message, std::chrono::milliseconds retry_after)
    : boost::system::system_error(make_error_code(code)), message_(message), retry_after_(retry_after) {}

Errc errc_of(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    return e.errc();
  } catch (const boost::system::system_error& e) {
    namespace errc = boost::system::errc;
    if (e.code() == errc::timed_out) return Errc::timeout;
    if (e.code() == errc::resource_unavailable_try_again || e.code() == errc::connection_reset) return Errc::transient;
    return Errc::internal;
  } catch (...) {
    return Errc::internal;
  }
}

bool is_cancelled(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& e) {
    return e.code() == boost::system::errc::operation_canceled;
  } catch (...) {
    return false;
  }
}

std::string message_of(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that does not derive from std::exception";
  }
}

}  // namespace ragstone
