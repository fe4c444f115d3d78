#pragma once

#include <ragstone/base/log.hpp>

#include <memory>

namespace spdlog {
class logger;
}

namespace ragstone {

/// Passes messages to a spdlog logger that the caller made; spdlog's registry and default logger are not touched. The
/// logger's own level counts as well. A message is data, never a format string.
/// Errors: Errc::invalid_argument for a null logger.
LogSink spdlog_sink(std::shared_ptr<spdlog::logger> logger, LogLevel lowest = LogLevel::info);

}  // namespace ragstone
