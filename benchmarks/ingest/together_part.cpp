#include "ingest/parts.hpp"
#include "support/process.hpp"
#include "support/stores.hpp"
#include "support/temporary_folder.hpp"
#include "support/texts.hpp"
#include <ragstone/ragstone.hpp>

#include <algorithm>
#include <chrono>
#include <future>
#include <stdexcept>
#include <utility>
#include <vector>

#include <boost/asio/use_future.hpp>

namespace ragstone::bench {
namespace {

using Clock = std::chrono::steady_clock;

void expect_ready(const SourceStatus& status) {
  if (status.state != SourceState::ready) throw std::runtime_error(status.id + ": " + status.reason);
}

}  // namespace

void add_together(const std::string& store, std::size_t count) {
  constexpr std::size_t kCallers = 64;
  const test::TemporaryFolder folder;
  const Texts texts;
  Runtime runtime;
  DocumentOptions options;
  options.store = store_kind(store).factory(folder.path() / "kb");
  Document document = runtime.run(Document::open(runtime, options));
  runtime.run(document.build(kMediumChunk, std::vector<std::string>(1, kBm25Key)));

  const auto source = [&texts](std::size_t number) {
    return Source("source " + std::to_string(number), texts.small(number));
  };
  const auto measure = [&](const std::string& name, auto add) {
    const IoCounts before = io_counts();
    const auto start = Clock::now();
    add();
    print_value(name, static_cast<double>(count) / std::chrono::duration<double>(Clock::now() - start).count());
    print_value(name + ", written", static_cast<double>(io_counts().written - before.written));
  };
  measure("one after the other", [&] {
    for (std::size_t i = 0; i < count; ++i) expect_ready(runtime.run(document.add(source(i))));
  });
  measure("together", [&] {
    for (std::size_t begin = count; begin < 2 * count; begin += kCallers) {
      std::vector<std::future<SourceStatus>> calls;
      for (std::size_t i = begin; i < std::min(begin + kCallers, 2 * count); ++i)
        calls.push_back(runtime.spawn(document.add(source(i)), boost::asio::use_future));
      for (std::future<SourceStatus>& call : calls) expect_ready(call.get());
    }
  });
  measure("add_all", [&] {
    std::vector<Source> sources;
    for (std::size_t i = 2 * count; i < 3 * count; ++i) sources.push_back(source(i));
    for (const SourceStatus& status : runtime.run(document.add_all(std::move(sources)))) expect_ready(status);
  });
  runtime.run(document.close());
}

}  // namespace ragstone::bench
