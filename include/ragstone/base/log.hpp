#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>

namespace ragstone {

enum class LogLevel { debug, info, warning, error };

/// The name of a level: "warning".
const char* name_of(LogLevel level) noexcept;

/// Where a Ragstone object writes its log. Handed to it, never process-wide. Default: everything is dropped.
///
/// Cheap to copy. The function is called from several threads at once and must allow that; what it throws is swallowed.
/// Messages are UTF-8 without a line end or another control character, whatever names from outside they tell, and never
/// hold a key or a source's text.
class LogSink {
 public:
  using Function = std::function<void(LogLevel, std::string_view)>;

  LogSink() = default;
  /// Passes on messages of `lowest` and above. A null function drops everything.
  explicit LogSink(Function function, LogLevel lowest = LogLevel::info);

  /// Ask before building a costly message.
  bool enabled(LogLevel level) const noexcept { return function_ && level >= lowest_; }
  void operator()(LogLevel level, std::string_view message) const noexcept;

 private:
  std::shared_ptr<const Function> function_;
  LogLevel lowest_ = LogLevel::info;
};

static_assert(!std::is_aggregate_v<LogSink>);

}  // namespace ragstone
