#include <ragstone/base/error.hpp>
#include <ragstone/base/stop.hpp>

#include <stdexcept>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

std::exception_ptr thrown(const auto& call) {
  try {
    call();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

TEST(Error, IsOneOfBoostsSystemErrors) {
  try {
    throw Error(Errc::locked, "open: 'kb' is locked by process 7; close it there", std::chrono::milliseconds(250));
  } catch (const boost::system::system_error& error) {
    EXPECT_EQ(error.code(), Errc::locked);
    EXPECT_STREQ(error.what(), "open: 'kb' is locked by process 7; close it there");
    EXPECT_EQ(error.code().category().name(), std::string("ragstone"));
    EXPECT_EQ(error.code().message(), "locked");
    EXPECT_EQ(dynamic_cast<const Error&>(error).retry_after(), std::chrono::milliseconds(250));
  }
}

TEST(Error, EveryCodeHasItsOwnName) {
  std::vector<std::string> names;
  for (int code = 1; code <= static_cast<int>(Errc::internal); ++code)
    names.push_back(name_of(static_cast<Errc>(code)));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_EQ(std::count(names.begin(), names.end(), "unknown"), 0);
}

TEST(Error, CodesOfForeignExceptionsAreTold) {
  EXPECT_EQ(errc_of(thrown([] { throw Error(Errc::rejected, "x"); })), Errc::rejected);
  EXPECT_EQ(errc_of(thrown([] { throw std::runtime_error("x"); })), Errc::internal);
  EXPECT_EQ(errc_of(thrown([] { throw 5; })), Errc::internal);
  EXPECT_EQ(errc_of(thrown([] { throw boost::system::system_error(make_error_code(boost::system::errc::timed_out)); })),
            Errc::timeout);
  EXPECT_EQ(message_of(thrown([] { throw std::runtime_error("原因"); })), "原因");
}

TEST(StopToken, AStopIsTheCancellationError) {
  std::stop_source source;
  EXPECT_NO_THROW(throw_if_stopped(source.get_token()));
  EXPECT_NO_THROW(throw_if_stopped({}));
  source.request_stop();
  const auto error = thrown([&] { throw_if_stopped(source.get_token()); });
  ASSERT_TRUE(error);
  EXPECT_TRUE(is_cancelled(error));
  EXPECT_FALSE(is_cancelled(thrown([] { throw Error(Errc::timeout, "x"); })));
}

}  // namespace
}  // namespace ragstone
