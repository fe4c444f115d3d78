#include <ragstone/base/error.hpp>
#include <ragstone/base/log.hpp>
#include <ragstone/base/spdlog_sink.hpp>

#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

namespace ragstone {
namespace {

TEST(LogSink, DropsEverythingByDefault) {
  const LogSink sink;
  EXPECT_FALSE(sink.enabled(LogLevel::error));
  sink(LogLevel::error, "nobody reads this");
  EXPECT_FALSE(LogSink(nullptr).enabled(LogLevel::error));
}

TEST(LogSink, PassesOnFromTheLowestLevelUp) {
  std::vector<std::string> lines;
  const LogSink sink(
      [&](LogLevel level, std::string_view message) {
        lines.push_back(std::string(name_of(level)) + " " + std::string(message));
      },
      LogLevel::warning);
  sink(LogLevel::debug, "a");
  sink(LogLevel::info, "b");
  sink(LogLevel::warning, "c");
  sink(LogLevel::error, "错误");
  EXPECT_EQ(lines, (std::vector<std::string>{"warning c", "error 错误"}));
}

TEST(LogSink, NeverThrows) {
  const LogSink sink([](LogLevel, std::string_view) { throw std::runtime_error("disk full"); });
  EXPECT_NO_THROW(sink(LogLevel::error, "x"));
}

TEST(LogSink, MakesOneLineOfAMessageWithNamesFromOutside) {
  std::vector<std::string> lines;
  const LogSink sink([&](LogLevel, std::string_view message) { lines.emplace_back(message); });
  sink(LogLevel::warning, "the model \"m\n2026 error forged\xE2\x80\xA8\x1B[2J\" has no price");
  EXPECT_EQ(lines, std::vector<std::string>{"the model \"m 2026 error forged  [2J\" has no price"});
}

TEST(SpdlogSink, WritesMessagesAsTheyAre) {
  std::ostringstream out;
  auto logger = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(out));
  logger->set_pattern("%l %v");
  const LogSink sink = spdlog_sink(logger, LogLevel::debug);
  sink(LogLevel::debug, "below the logger's own level");
  sink(LogLevel::info, "not a format: {} {0} %s 中文");
  sink(LogLevel::error, "e");
  EXPECT_EQ(out.str(), "info not a format: {} {0} %s 中文\nerror e\n");
}

TEST(SpdlogSink, RefusesANullLogger) { EXPECT_THROW(spdlog_sink(nullptr), Error); }

}  // namespace
}  // namespace ragstone
