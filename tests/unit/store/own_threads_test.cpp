#include "store/own_threads.hpp"

#include "support/no_more_threads.hpp"
#include "support/unprivileged.hpp"

#include <atomic>
#include <cstddef>
#include <set>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

TEST(OwnThreads, WorkIsDoneByThoseThatThereAreWhereTheSystemGivesNone) {
  if (test::rerun_unprivileged()) return;
  std::set<std::thread::id> threads;
  std::atomic<std::size_t> sum = 0;
  const test::NoMoreThreads guard;
  ASSERT_THROW(std::jthread([] {}), std::system_error);
  OwnThreads(4).run(100, [&](std::size_t i) {
    threads.insert(std::this_thread::get_id());
    sum += i;
  });
  EXPECT_EQ(sum, 4950U);
  EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
}

TEST(OwnThreads, AnErrorOfOneIsThrownToTheCaller) {
  const auto work = [](std::size_t i) {
    if (i == 30) throw std::out_of_range("30");
  };
  EXPECT_THROW(OwnThreads(3).run(50, work), std::out_of_range);
}

}  // namespace
}  // namespace ragstone
