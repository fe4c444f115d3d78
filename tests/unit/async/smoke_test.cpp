#include <ragstone/async/deadline.hpp>
#include <ragstone/async/gather.hpp>
#include <ragstone/async/limiter.hpp>
#include <ragstone/async/observer.hpp>
#include <ragstone/async/offload.hpp>
#include <ragstone/async/runtime.hpp>
#include <ragstone/async/single_flight.hpp>
#include <ragstone/async/stream.hpp>
#include <ragstone/async/task_scope.hpp>
#include <ragstone/base/error.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>
using namespace ragstone;
namespace {
Task<int> work(Pool pool, int i) {
  Work<int> w;
  w.set([i](const StopToken&) {
    if (i == 13) throw std::runtime_error("x");
    return i;
  });
  co_return co_await offload(pool, Lane::foreground, std::move(w));
}
Task<int> sum(Pool pool) {
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 10; ++i) tasks.push_back(work(pool, i));
  GatherOptions o;
  o.limit = 3;
  auto v = co_await gather(std::move(tasks), o);
  int s = 0;
  for (int x : v) s += x;
  std::vector<Task<int>> more;
  for (int i = 10; i < 20; ++i) more.push_back(work(pool, i));
  auto r = co_await gather_outcomes(std::move(more), o);
  EXPECT_FALSE(r[3].has_value());
  co_return s;
}
Task<void> produce(StreamProducer<int> p) {
  for (int i = 0; i < 100; ++i) co_await p.push(i);
  p.finish();
}
Task<int> consume(AsyncStream<int> s) {
  int n = 0;
  while (true) {
    auto x = co_await s.next();
    if (!x) break;
    n += *x;
  }
  co_return n;
}
Task<void> forever(Limiter l) {
  Permit p = co_await l.acquire();
  Permit q = co_await l.acquire();
}
}  // namespace
TEST(Smoke, Works) {
  Runtime rt;
  EXPECT_EQ(rt.run(sum(rt.pool())), 45);
  AsyncStream<int> s(3);
  TaskScope scope(rt);
  scope.spawn(produce(s.producer()));
  EXPECT_EQ(rt.run(consume(std::move(s))), 4950);
  Limiter l(1);
  EXPECT_THROW(rt.run(with_timeout(forever(l), std::chrono::milliseconds(5))), boost::system::system_error);
  EXPECT_EQ(l.available(), 1u);
  scope.spawn(forever(l));
  boost::asio::thread_pool tp(4);
  {
    Runtime rt2(tp.get_executor());
    EXPECT_EQ(rt2.spawn(sum(rt2.pool()), boost::asio::use_future).get(), 45);
  }
}
