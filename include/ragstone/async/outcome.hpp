#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace ragstone {

/// A result or the exception that came instead. A default-made outcome is a failure without an exception.
template <class T>
class Outcome {
  using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

 public:
  Outcome() = default;
  explicit Outcome(std::exception_ptr error) : error_(std::move(error)) {}
  explicit Outcome(Value value) : value_(std::move(value)) {}

  bool has_value() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }

  /// The result; throws the exception, or std::bad_optional_access if there is none.
  std::add_lvalue_reference_t<T> value() & {
    rethrow();
    if constexpr (!std::is_void_v<T>) return value_.value();
  }
  std::add_lvalue_reference_t<const T> value() const& {
    rethrow();
    if constexpr (!std::is_void_v<T>) return value_.value();
  }
  T value() && {
    rethrow();
    if constexpr (!std::is_void_v<T>) return std::move(value_).value();
  }

  /// Null if there is a result.
  const std::exception_ptr& error() const noexcept { return error_; }

 private:
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
    if (!value_) throw std::bad_optional_access();
  }

  std::optional<Value> value_;
  std::exception_ptr error_;
};

}  // namespace ragstone
