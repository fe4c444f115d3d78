#include "base/one_line.hpp"
#include <ragstone/base/log.hpp>

#include <utility>

namespace ragstone {

const char* name_of(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "unknown";
}

LogSink::LogSink(Function function, LogLevel lowest) : lowest_(lowest) {
  if (function) function_ = std::make_shared<const Function>(std::move(function));
}

void LogSink::operator()(LogLevel level, std::string_view message) const noexcept {
  if (!enabled(level)) return;
  try {
    if (is_one_line(message)) {
      (*function_)(level, message);
    } else {
      (*function_)(level, one_line(message));
    }
  } catch (...) {
    // A broken log must not end the work that it tells about.
  }
}

}  // namespace ragstone
