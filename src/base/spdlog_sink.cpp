#include <ragstone/base/error.hpp>
#include <ragstone/base/spdlog_sink.hpp>

#include <utility>

#include <spdlog/logger.h>

namespace ragstone {
namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

LogSink spdlog_sink(std::shared_ptr<spdlog::logger> logger, LogLevel lowest) {
  if (!logger) throw Error(Errc::invalid_argument, "spdlog_sink: the logger is null");
  return LogSink(
      [logger = std::move(logger)](LogLevel level, std::string_view message) {
        // The overload for a plain string view does no formatting.
        logger->log(level_of(level), spdlog::string_view_t(message.data(), message.size()));
      },
      lowest);
}

}  // namespace ragstone
