#include "ingest/parts.hpp"
#include "support/fixed_embedder.hpp"
#include "support/generated_rows.hpp"
#include "support/process.hpp"
#include "support/sqlite_peer.hpp"
#include "support/stores.hpp"
#include "support/temporary_folder.hpp"
#include "support/texts.hpp"
#include <ragstone/reader/chunker.hpp>
#include <ragstone/text/analyzer.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace ragstone::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Commit commit_of(SourceWrite write) {
  Commit commit;
  commit.sources.push_back(std::move(write));
  return commit;
}

/// One source with two groups and BM25, as the rag layer would commit it.
SourceWrite prepared(const std::string& id, const std::string& text) {
  static const auto chunker = [] {
    SentenceChunkerOptions options;
    options.max_tokens = 256;
    options.overlap_tokens = 25;
    return sentence_chunker(options);
  }();
  std::vector<Span> spans;
  ChunkInput input;
  input.text = text;
  input.source = id;
  for (const Chunk& chunk : chunker->chunk(input, StopToken())) spans.push_back(chunk.span);
  return source_with_terms(id, text, spans);
}

/// What each of one side's commits cost.
class CommitCosts {
 public:
  template <class Change>
  void measure(Change change) {
    const IoCounts before = io_counts();
    const double cpu = thread_cpu_seconds();
    const auto start = Clock::now();
    change();
    times_.push_back(seconds_since(start));
    cpu_.push_back(thread_cpu_seconds() - cpu);
    written_ += io_counts().written - before.written;
  }

  void forget() { *this = CommitCosts(); }

  void report(const std::string& name) {
    // A frame of the write-ahead log is a page with a header of 24 bytes.
    constexpr double kFrame = 4096 + 24;
    const double written = static_cast<double>(written_) / static_cast<double>(times_.size());
    print_value(name + " p50", quantile(times_, 0.5) * 1e3);
    print_value(name + " p95", quantile(times_, 0.95) * 1e3);
    print_value(name + " cpu p50", quantile(cpu_, 0.5) * 1e3);
    print_value(name + " written", written);
    print_value(name + " frames", written / kFrame);
  }

 private:
  std::vector<double> times_;
  std::vector<double> cpu_;
  std::uint64_t written_ = 0;
};

}  // namespace

void compare_commits(const std::string& store, std::size_t rounds) {
  constexpr std::size_t kBefore = 1'000;
  const test::TemporaryFolder folder;
  const Texts texts;
  const std::shared_ptr<StoreEngine> engine = store_kind(store).engine(folder.path() / "kb");
  SqlitePeer peer(folder.path() / "peer.db", SqlitePeer::Kind::plain);
  CommitCosts ours;
  CommitCosts theirs;
  double bytes = 0;
  for (std::size_t i = 0; i < kBefore + rounds; ++i) {
    if (i == kBefore) {
      ours.forget();
      theirs.forget();
      bytes = 0;
    }
    const std::string id = "source " + std::to_string(i);
    const std::string text = texts.small(i);
    bytes += static_cast<double>(text.size());
    Commit commit = commit_of(prepared(id, text));
    const auto commit_ours = [&] { ours.measure([&] { engine->commit(std::move(commit)); }); };
    const auto commit_theirs = [&] { theirs.measure([&] { peer.add(id, text); }); };
    const bool we_first = i % 2 == 0;
    if (we_first) commit_ours();
    commit_theirs();
    if (!we_first) commit_ours();
    // What a Document does between commits.
    while (engine->maintain()) {
    }
  }
  ours.report("ours");
  theirs.report("theirs");
  print_value("bytes", bytes / static_cast<double>(rounds));
  engine->close();
}

void ingest_vectors(const std::string& store, std::size_t count) {
  const StoreKind& kind = store_kind(store);
  const test::TemporaryFolder folder;
  std::shared_ptr<StoreEngine> engine = kind.engine(folder.path() / "kb");
  double seconds = 0;
  double text = 0;
  const IoCounts before = io_counts();
  const AnonymousPeak peak;
  for (std::size_t source = 0; source * kRowsPerSource < count; ++source) {
    Commit commit = commit_of(source_with_vectors(source));
    text += static_cast<double>(commit.sources.front().text.size());
    const auto start = Clock::now();
    engine->commit(std::move(commit));
    while (engine->maintain()) {
    }
    seconds += seconds_since(start);
  }
  const auto closing = Clock::now();
  engine->close();
  seconds += seconds_since(closing);
  print_value("seconds", seconds);
  print_value("text", text);
  print_writes(before);
  print_value("anonymous peak", peak.mib());
  if (!kind.persistent) return;
  engine.reset();
  print_value("disk, vectors", static_cast<double>(store_bytes(folder.path() / "kb").vectors));
  print_value("disk", static_cast<double>(folder_bytes(folder.path() / "kb")));
  const auto opening = Clock::now();
  engine = kind.engine(folder.path() / "kb");
  print_value("open", seconds_since(opening) * 1e3);
  std::vector<float> query(kGeneratedDimension);
  fill_unit_vector(77, query);
  const auto searching = Clock::now();
  const auto hits =
      engine->snapshot()->search_vectors(kGeneratedGroup, kGeneratedKey, query, Metric::cosine, Filter(), 10);
  print_value("first search", seconds_since(searching) * 1e3);
  if (hits.size() != 10) throw std::runtime_error("the first search found too little");
  engine->close();
}

}  // namespace ragstone::bench
