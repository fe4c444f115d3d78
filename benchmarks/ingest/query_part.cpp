#include "ingest/parts.hpp"
#include "support/fixed_embedder.hpp"
#include "support/process.hpp"
#include "support/stores.hpp"
#include "support/temporary_folder.hpp"
#include "support/texts.hpp"
#include <ragstone/ragstone.hpp>

#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include <boost/asio/use_future.hpp>

namespace ragstone::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kIdleQuestions = 1000;

/// Asks one question after the other by BM25 and by vectors.
class Asker {
 public:
  Asker(Runtime& runtime, const Document& document, const std::vector<std::string>& questions)
      : runtime_(runtime),
        bm25_(document, options_for(Similarity::bm25)),
        cosine_(document, options_for(Similarity::cosine)),
        questions_(questions) {}

  void ask(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) ask_once();
  }
  void ask_until(const std::future<void>& end) {
    while (end.wait_for(std::chrono::seconds(0)) != std::future_status::ready) ask_once();
  }

  /// Reports and forgets what has been asked since the last report.
  void report(const std::string& when) {
    print_value(when + ", questions", static_cast<double>(bm25_costs_.wall.size()));
    for (auto& [name, costs] : {std::pair("bm25", &bm25_costs_), std::pair("cosine", &cosine_costs_)}) {
      const std::string title = when + ", " + name + ", ";
      print_value(title + "p50", quantile(costs->wall, 0.5));
      print_value(title + "p95", quantile(costs->wall, 0.95));
      print_value(title + "cpu p50", quantile(costs->cpu, 0.5));
      print_value(title + "cpu p95", quantile(costs->cpu, 0.95));
      print_value(title + "waited p95", quantile(costs->waited, 0.95));
      *costs = Costs();
    }
  }

 private:
  /// Of each question, in milliseconds. `cpu` and `waited` (for a core) are of all threads that are not for ingest.
  struct Costs {
    std::vector<double> wall;
    std::vector<double> cpu;
    std::vector<double> waited;
  };

  static RetrieverOptions options_for(Similarity similarity) {
    RetrieverOptions options;
    options.similarity = similarity;
    return options;
  }

  void ask_once() {
    const std::string& question = questions_[next_++ % questions_.size()];
    measure(bm25_, question, bm25_costs_);
    measure(cosine_, question, cosine_costs_);
  }

  void measure(const Retriever& retriever, const std::string& question, Costs& costs) {
    const ThreadTimes before = foreground_times();
    const auto start = Clock::now();
    const auto hits = runtime_.run(retriever.retrieve(question));
    costs.wall.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    const ThreadTimes after = foreground_times();
    costs.cpu.push_back((after.cpu - before.cpu) * 1e3);
    costs.waited.push_back((after.waited - before.waited) * 1e3);
    if (hits.empty()) throw std::runtime_error("a query found nothing");
  }

  Runtime& runtime_;
  const Retriever bm25_;
  const Retriever cosine_;
  const std::vector<std::string>& questions_;
  std::size_t next_ = 0;
  Costs bm25_costs_;
  Costs cosine_costs_;
};

/// What a Document's commits left to do is none of what a store costs that nobody writes to. Upkeep is one job after
/// the other, so it is over when the lane has had none for a while.
void wait_for_upkeep(Runtime& runtime) {
  constexpr std::chrono::milliseconds kQuiet(200);
  LaneStats before = runtime.pool().stats(Lane::upkeep);
  for (auto since = Clock::now(); Clock::now() - since < kQuiet;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const LaneStats now = runtime.pool().stats(Lane::upkeep);
    if (now.queued + now.running > 0 || now.finished != before.finished) since = Clock::now();
    before = now;
  }
}

std::vector<Source> make_sources(const Texts& texts, std::size_t begin, std::size_t end) {
  std::vector<Source> sources;
  for (std::size_t i = begin; i < end; ++i) sources.emplace_back(std::to_string(i), texts.small(i));
  return sources;
}

}  // namespace

void query_meanwhile(const std::string& store, std::size_t count) {
  const test::TemporaryFolder folder;
  const Texts texts;
  Runtime runtime;
  DocumentOptions options;
  options.store = store_kind(store).factory(folder.path() / "kb");
  options.embedders["fixed"] = fixed_embedder(384, std::chrono::milliseconds(0));
  Document document = runtime.run(Document::open(runtime, options));
  runtime.run(document.build(kMediumChunk));
  runtime.run(document.add_all(make_sources(texts, 0, count)));
  Asker asker(runtime, document, texts.questions());
  wait_for_upkeep(runtime);
  asker.ask(20);
  asker.report("warming");
  asker.ask(kIdleQuestions);
  asker.report("idle");

  std::future<void> built = runtime.spawn(document.build(kFineChunk), boost::asio::use_future);
  asker.ask_until(built);
  built.get();
  asker.report("building");
  NodeQuery query;
  query.group = kFineChunk;
  query.with_text = false;
  print_value("rows built", static_cast<double>(runtime.run(document.nodes(query)).size()));

  auto added = runtime.spawn(document.add_all(make_sources(texts, count, 2 * count)), boost::asio::use_future);
  while (added.wait_for(std::chrono::seconds(0)) != std::future_status::ready) asker.ask(1);
  added.get();
  asker.report("adding");
  wait_for_upkeep(runtime);
  asker.ask(kIdleQuestions);
  asker.report("idle afterwards");
  runtime.run(document.close());
}

}  // namespace ragstone::bench
