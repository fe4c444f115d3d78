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

void report_times(const std::string& name, std::vector<double>& times) {
  print_value(name + " p50", quantile(times, 0.5) * 1e3);
  print_value(name + " p95", quantile(times, 0.95) * 1e3);
}

}  // namespace

void compare_commits(const std::string& store, std::size_t rounds) {
  constexpr std::size_t kBefore = 1'000;
  const test::TemporaryFolder folder;
  const Texts texts;
  const std::shared_ptr<StoreEngine> engine = store_kind(store).engine(folder.path() / "kb");
  SqlitePeer peer(folder.path() / "peer.db", SqlitePeer::Kind::plain);
  std::vector<double> ours;
  std::vector<double> theirs;
  double bytes = 0;
  for (std::size_t i = 0; i < kBefore + rounds; ++i) {
    const std::string id = "source " + std::to_string(i);
    const std::string text = texts.small(i);
    Commit commit = commit_of(prepared(id, text));
    const auto commit_ours = [&] {
      const auto start = Clock::now();
      engine->commit(std::move(commit));
      return seconds_since(start);
    };
    const auto commit_theirs = [&] {
      const auto start = Clock::now();
      peer.add(id, text);
      return seconds_since(start);
    };
    const bool we_first = i % 2 == 0;
    double time_ours = we_first ? commit_ours() : 0;
    const double time_theirs = commit_theirs();
    if (!we_first) time_ours = commit_ours();
    // What a Document does between commits.
    while (engine->maintain()) {
    }
    if (i < kBefore) continue;
    ours.push_back(time_ours);
    theirs.push_back(time_theirs);
    bytes += static_cast<double>(text.size());
  }
  report_times("ours", ours);
  report_times("theirs", theirs);
  print_value("bytes", bytes / static_cast<double>(rounds));
  engine->close();
}

void ingest_vectors(const std::string& store, std::size_t count) {
  const StoreKind& kind = store_kind(store);
  const test::TemporaryFolder folder;
  std::shared_ptr<StoreEngine> engine = kind.engine(folder.path() / "kb");
  double seconds = 0;
  const AnonymousPeak peak;
  for (std::size_t source = 0; source * kRowsPerSource < count; ++source) {
    Commit commit = commit_of(source_with_vectors(source));
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
