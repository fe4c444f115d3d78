// What concurrency costs.
//
// - 10,000 calls of 50 ms at a limit of 1,000, by gather() and by a Limiter, against the 0.5 s that they take at best
// - round trips of spawn() and offload()
// - how late a 5 ms timer on the caller's executor is, and how long handlers there use the CPU or sleep, while 1,000
//   sources are cut, embedded and stored
// - 10,000 retrievals in flight: time and memory
//
// --quick takes a tenth of the sources and retrievals.

#include "support/counting_executor.hpp"
#include "support/data.hpp"
#include "support/memory.hpp"
#include "support/report.hpp"
#include <ragstone/async/offload.hpp>
#include <ragstone/ragstone.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;
using namespace std::chrono_literals;
using ragstone::Task;
using ragstone::bench::Report;

Task<void> pause(Clock::duration time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

Task<void> limited_pause(ragstone::Limiter limiter, Clock::duration time) {
  const ragstone::Permit permit = co_await limiter.acquire();
  co_await pause(time);
}

Task<void> nothing() { co_return; }

double seconds_since(Clock::time_point start) { return Seconds(Clock::now() - start).count(); }

/// The best of three runs: a machine that is busy with something else makes a run longer, never shorter.
template <class Run>
double best_of_three(Run run) {
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const auto start = Clock::now();
    run();
    best = std::min(best, seconds_since(start));
  }
  return best;
}

void bench_limits(Report& report) {
  constexpr std::size_t kCalls = 10'000;
  constexpr std::size_t kLimit = 1'000;
  constexpr auto kTime = 50ms;
  const double ideal = Seconds(kTime).count() * kCalls / kLimit;
  ragstone::Runtime runtime;

  const double gathered = best_of_three([&] {
    std::vector<Task<void>> calls;
    for (std::size_t i = 0; i < kCalls; ++i) calls.push_back(pause(kTime));
    ragstone::GatherOptions options;
    options.limit = kLimit;
    runtime.run(ragstone::gather(std::move(calls), options));
  });
  report.figure("gather: 10,000 calls of 50 ms, limit 1,000", gathered, "s");
  report.cost_ratio("gather against the ideal", gathered, ideal);

  const double limited = best_of_three([&] {
    const ragstone::Limiter limiter(kLimit);
    std::vector<Task<void>> calls;
    for (std::size_t i = 0; i < kCalls; ++i) calls.push_back(limited_pause(limiter, kTime));
    runtime.run(ragstone::gather(std::move(calls)));
  });
  report.figure("Limiter: 10,000 calls of 50 ms, limit 1,000", limited, "s");
  report.cost_ratio("Limiter against the ideal", limited, ideal);
}

Task<void> offload_many(ragstone::Pool pool, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    ragstone::Work<int> work;
    work.set([](const ragstone::StopToken&) { return 1; });
    co_await ragstone::offload(pool, ragstone::Lane::foreground, std::move(work));
  }
}

void bench_round_trips(Report& report) {
  constexpr std::size_t kCount = 20'000;
  ragstone::Runtime runtime;
  const double run = best_of_three([&] {
    for (std::size_t i = 0; i < kCount; ++i) runtime.run(nothing());
  });
  report.figure("Runtime::run of nothing", run / kCount * 1e6, "us");
  const double spawned = best_of_three([&] {
    std::vector<std::future<void>> ends;
    for (std::size_t i = 0; i < kCount; ++i) ends.push_back(runtime.spawn(nothing(), asio::use_future));
    for (auto& end : ends) end.get();
  });
  report.figure("Runtime::spawn of nothing, many in flight", spawned / kCount * 1e6, "us");
  const double offloaded = best_of_three([&] { runtime.run(offload_many(runtime.pool(), kCount)); });
  report.figure("offload round trip", offloaded / kCount * 1e6, "us");
}

/// How late a 5 ms timer on the loop is, from start() to stop().
class LoopSlip {
 public:
  explicit LoopSlip(asio::io_context& loop) : loop_(loop) {}

  void start() {
    running_ = true;
    late_.clear();
    ended_ = asio::co_spawn(loop_, measure(), asio::use_future);
  }
  void stop() {
    running_ = false;
    ended_.get();
    std::sort(late_.begin(), late_.end());
  }
  double quantile(double q) const { return late_[static_cast<std::size_t>(q * static_cast<double>(late_.size() - 1))]; }

 private:
  Task<void> measure() {
    asio::steady_timer timer(loop_);
    while (running_) {
      timer.expires_after(5ms);
      const auto due = timer.expiry();
      co_await timer.async_wait(asio::use_awaitable);
      late_.push_back(seconds_since(due) * 1e3);
    }
  }

  asio::io_context& loop_;
  std::atomic<bool> running_ = false;
  std::future<void> ended_;
  std::vector<double> late_;
};

void report_slip(Report& report, const LoopSlip& slip, const std::string& when) {
  report.figure("slip of a 5 ms timer, " + when + ", p50", slip.quantile(0.5), "ms");
  report.figure("slip of a 5 ms timer, " + when + ", p99", slip.quantile(0.99), "ms");
  report.figure("slip of a 5 ms timer, " + when + ", max", slip.quantile(1), "ms");
}

/// So many different sources from the chapters of the examples' handbook.
std::vector<ragstone::Source> make_sources(std::size_t count) {
  std::vector<std::string> chapters;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(RAGSTONE_HANDBOOK))
    if (entry.path().extension() == ".md") chapters.push_back(ragstone::test::read_file(entry.path()));
  std::vector<ragstone::Source> sources;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string id = std::to_string(i);
    sources.emplace_back(id, "copy " + id + "\n\n" + chapters[i % chapters.size()]);
  }
  return sources;
}

void bench_ingest(Report& report, std::size_t count) {
  asio::io_context loop(1);
  auto guard = asio::make_work_guard(loop);
  std::thread thread([&] { loop.run(); });
  ragstone::test::HandlerMeter meter;
  {
    ragstone::Runtime runtime(ragstone::test::CountingExecutor(loop.get_executor(), meter));
    LoopSlip slip(loop);
    slip.start();
    std::this_thread::sleep_for(1s);
    slip.stop();
    report_slip(report, slip, "idle");

    auto sources = make_sources(count);
    double bytes = 0;
    for (const auto& source : sources) bytes += static_cast<double>(source.text.size());
    ragstone::DocumentOptions options;
    options.embedders["hashing"] = ragstone::hashing_embedder(runtime.pool());
    auto document = runtime.spawn(ragstone::Document::open(runtime, options), asio::use_future).get();
    runtime.spawn(document.build(ragstone::kMediumChunk), asio::use_future).get();

    slip.start();
    const auto start = Clock::now();
    runtime.spawn(document.add_all(std::move(sources)), asio::use_future).get();
    const double time = seconds_since(start);
    slip.stop();
    report.figure("ingest: sources", static_cast<double>(count), "");
    report.figure("ingest: time", time, "s");
    report.figure("ingest: throughput", bytes / time / 1e6, "MB/s");
    report_slip(report, slip, "while ingesting");
    runtime.spawn(document.close(), asio::use_future).get();
  }
  report.figure("handlers on the caller's executor", static_cast<double>(meter.handlers()), "");
  report.figure("handlers over 5 ms of CPU", static_cast<double>(meter.slow()), "");
  report.figure("handlers that slept for over 5 ms", static_cast<double>(meter.blocking()), "");
  report.figure("longest handler, CPU", std::chrono::duration<double, std::milli>(meter.longest_cpu()).count(), "ms");
  guard.reset();
  thread.join();
}

void bench_retrievals(Report& report, std::size_t count) {
  ragstone::Runtime runtime;
  ragstone::DocumentOptions options;
  auto document = runtime.run(ragstone::Document::open(runtime, options));
  runtime.run(document.add_all(make_sources(100)));
  runtime.run(document.build(ragstone::kMediumChunk));
  const ragstone::Retriever retriever(document, ragstone::RetrieverOptions());
  const std::vector<std::string> questions = {"How does multi-head attention combine its heads?",
                                              "为什么softmax回归使用交叉熵损失？", "momentum and gradient descent"};

  const auto start_one = Clock::now();
  constexpr std::size_t kSingle = 300;
  for (std::size_t i = 0; i < kSingle; ++i) runtime.run(retriever.retrieve(questions[i % questions.size()]));
  report.figure("retrieval, one at a time", seconds_since(start_one) / kSingle * 1e3, "ms");

  const double before = ragstone::bench::resident_mib();
  ragstone::bench::reset_peak();
  const auto start = Clock::now();
  std::vector<Task<std::vector<ragstone::Hit>>> calls;
  for (std::size_t i = 0; i < count; ++i) calls.push_back(retriever.retrieve(questions[i % questions.size()]));
  const auto hits = runtime.run(ragstone::gather(std::move(calls)));
  const double time = seconds_since(start);
  const double peak = ragstone::bench::peak_mib();
  for (const auto& one : hits)
    if (one.empty()) throw std::runtime_error("a retrieval in flight found nothing");
  report.figure("retrievals in flight", static_cast<double>(count), "");
  report.figure("retrievals in flight, throughput", static_cast<double>(count) / time, "/s");
  report.figure("retrievals in flight, memory above the resting state", peak - before, "MiB");
}

}  // namespace

int main(int argc, char** argv) {
  const ragstone::bench::Arguments arguments(argc, argv);
  const std::size_t part = arguments.quick ? 10 : 1;
  try {
    Report report("async");
    bench_limits(report);
    bench_round_trips(report);
    bench_ingest(report, 1'000 / part);
    bench_retrievals(report, 10'000 / part);
    report.write(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "async: %s\n", error.what());
    return 1;
  }
  return 0;
}
