#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <type_traits>

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

namespace ragstone {

/// What went wrong, told by what a caller can do about it.
enum class Errc {
  not_found = 1,       ///< The named thing does not exist: check the name.
  already_exists,      ///< The name is taken: choose another, or remove the first.
  invalid_argument,    ///< The call is wrong as written: correct it.
  parse_error,         ///< A filter or a file does not follow its syntax: the message gives the position.
  dimension_mismatch,  ///< A vector has another length than its column.
  embedder_mismatch,   ///< The store was filled by another embedder, analyser or chunker: name that one, or rebuild.
  corrupt_store,       ///< Stored bytes fail their checks: verify, then recover.
  storage_full,        ///< No space: free some and repeat; nothing acknowledged was lost.
  io_error,            ///< A file could not be read or written.
  locked,              ///< Another process writes to this store.
  stale_index,         ///< A registered index missed an update: rebuild it.
  transient,           ///< May succeed when repeated; retry_after() may say when.
  rejected,            ///< A model or server refused the request for good.
  unauthorized,        ///< A server takes no request with this key (401, 402, 403): correct the key, or the account.
  timeout,             ///< The deadline passed.
  unsupported,         ///< This store or model cannot do that: ask its capabilities.
  limit_exceeded,      ///< Larger than a configured limit: raise it, or send less.
  closed,              ///< The object was closed, or is an empty handle.
  internal,            ///< A defect of Ragstone, or an exception of unknown type from user code.
};

const boost::system::error_category& error_category() noexcept;
boost::system::error_code make_error_code(Errc code) noexcept;

/// The one exception type of Ragstone. Cancellation is the exception: it stays Asio's `operation_aborted`
/// as a boost::system::system_error, so that `catch (const boost::system::system_error&)` sees both.
///
/// what() names the operation, the object, the reason and the way out; never a key, never a source's text.
class Error : public boost::system::system_error {
 public:
  Error(Errc code, const std::string& message);
  Error(Errc code, const std::string& message, std::chrono::milliseconds retry_after);

  Errc errc() const noexcept { return static_cast<Errc>(code().value()); }
  const char* what() const noexcept override { return message_.c_str(); }
  /// How long to wait before a repeat, where the other side said so.
  std::optional<std::chrono::milliseconds> retry_after() const noexcept { return retry_after_; }

 private:
  std::string message_;
  std::optional<std::chrono::milliseconds> retry_after_;
};

/// The code of any exception: its own for an Error, `timeout` and `transient` for the system errors that mean so,
/// `internal` for the rest. Must be called with the exception that is being described, never null.
Errc errc_of(const std::exception_ptr& error) noexcept;

/// True for Asio's `operation_aborted`, which is how every cancelled operation ends.
bool is_cancelled(const std::exception_ptr& error) noexcept;

/// what() of any exception.
std::string message_of(const std::exception_ptr& error) noexcept;

/// The name of a code: "not_found".
const char* name_of(Errc code) noexcept;

}  // namespace ragstone

template <>
struct boost::system::is_error_code_enum<ragstone::Errc> : std::true_type {};
