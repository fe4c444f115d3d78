#include "startup/parts.hpp"

#include "support/fixed_embedder.hpp"
#include "support/generated_rows.hpp"
#include "support/process.hpp"
#include "support/stores.hpp"
#include <ragstone/ragstone.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace ragstone::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// What a start costs besides time, from its construction on.
class StartCosts {
 public:
  void report() const {
    const Faults after = faults();
    const IoCounts io = io_counts();
    const MemoryCounts memory = memory_counts();
    print_value("minor faults", static_cast<double>(after.minor - faults_.minor));
    print_value("major faults", static_cast<double>(after.major - faults_.major));
    print_value("pages read", static_cast<double>(io.read - io_.read) / 4096);
    print_value("read from disk", static_cast<double>(io.read_from_disk - io_.read_from_disk) / 1048576);
    print_value("resident", memory.resident_mib);
    print_value("anonymous", memory.anonymous_mib);
  }

 private:
  const Faults faults_ = faults();
  const IoCounts io_ = io_counts();
};

DocumentOptions options_for(const std::string& store, const fs::path& folder, bool embed, std::size_t latency_ms) {
  DocumentOptions options;
  options.store = store_kind(store).factory(folder / "kb");
  options.dataset = folder / "data";
  if (embed)
    options.embedders[kGeneratedKey] =
        fixed_embedder(kGeneratedDimension, std::chrono::milliseconds(static_cast<std::int64_t>(latency_ms)));
  return options;
}

Document open_with_group(Runtime& runtime, DocumentOptions options) {
  Document document = runtime.run(Document::open(runtime, std::move(options)));
  document.add_group(generated_group());
  return document;
}

/// Reports the time of one retrieval.
void retrieve(Runtime& runtime, const Document& document, Similarity similarity, const std::string& name,
              std::size_t number) {
  RetrieverOptions options;
  options.group = kGeneratedGroup;
  options.similarity = similarity;
  const auto start = Clock::now();
  const Retriever retriever(document, options);
  const std::vector<Hit> hits = runtime.run(retriever.retrieve(selective_question(number)));
  print_value(name, milliseconds_since(start));
  if (similarity != Similarity::bm25 && hits.empty()) throw std::runtime_error("a retrieval found nothing");
}

}  // namespace

void write_dataset(const fs::path& folder, std::size_t files, std::size_t lines) {
  for (std::size_t i = 0; i < files; ++i) {
    const std::string text = generated_text(i);
    std::size_t end = 0;
    for (std::size_t line = 0; line < lines; ++line) end = text.find('\n', end) + 1;
    const fs::path part = folder / "data" / ("part" + std::to_string(i / 1'000));
    if (i % 1'000 == 0) fs::create_directories(part);
    const fs::path file = part / (std::to_string(i) + ".txt");
    std::ofstream(file, std::ios::binary) << text.substr(0, end);
    // A file that was written just now is not trusted to be unchanged.
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(1));
  }
}

void first_start(const std::string& store, const fs::path& folder, bool embed, std::size_t latency_ms) {
  const auto start = Clock::now();
  Runtime runtime;
  Document document = open_with_group(runtime, options_for(store, folder, embed, latency_ms));
  runtime.run(document.build(kGeneratedGroup));
  const SyncReport report = runtime.run(document.sync());
  if (report.failed > 0) throw std::runtime_error("a source failed: " + report.failures.front().reason);
  print_value("start", milliseconds_since(start));
  print_value("added", static_cast<double>(report.added));
  retrieve(runtime, document, Similarity::bm25, "bm25", 0);
  if (embed) retrieve(runtime, document, Similarity::cosine, "cosine", 0);
  runtime.run(document.close());
}

void fill(const std::string& store, const fs::path& folder, std::size_t nodes) {
  constexpr std::size_t kSources = 16;
  const std::shared_ptr<StoreEngine> engine = store_kind(store).engine(folder / "kb");
  for (std::size_t source = 0; source * kRowsPerSource < nodes;) {
    Commit commit;
    for (std::size_t i = 0; i < kSources && source * kRowsPerSource < nodes; ++i)
      commit.sources.push_back(source_with_vectors(source++));
    engine->commit(std::move(commit));
    while (engine->maintain()) {
    }
  }
  engine->close();
}

void fill_growing_part_and_die(const std::string& store, const fs::path& folder) {
  const std::shared_ptr<StoreEngine> engine = store_kind(store).engine(folder / "kb");
  const std::size_t first = 1'000'000'000 + static_cast<std::size_t>(engine->snapshot()->generation()) * 16;
  for (std::size_t i = 0; i < SqliteOptions().seal_rows / kRowsPerSource; ++i) {
    // As a Document does after each commit; it must not seal the last one.
    if (i > 0) engine->maintain();
    Commit commit;
    commit.sources.push_back(source_with_vectors(first + i));
    engine->commit(std::move(commit));
  }
  std::raise(SIGKILL);
}

void open_and_retrieve(const std::string& store, const fs::path& folder, std::size_t number) {
  const StartCosts costs;
  const auto start = Clock::now();
  Runtime runtime;
  Document document = open_with_group(runtime, options_for(store, folder, true, 0));
  print_value("open", milliseconds_since(start));
  retrieve(runtime, document, Similarity::bm25, "bm25", number);
  print_value("start", milliseconds_since(start));
  costs.report();
  retrieve(runtime, document, Similarity::bm25, "second bm25", number + 1);
  retrieve(runtime, document, Similarity::cosine, "cosine", number);
  retrieve(runtime, document, Similarity::cosine, "second cosine", number + 1);
  print_value("resident after cosine", memory_counts().resident_mib);
  print_value("anonymous after cosine", memory_counts().anonymous_mib);
  runtime.run(document.close());
}

void open_and_sync(const std::string& store, const fs::path& folder) {
  const StartCosts costs;
  const auto start = Clock::now();
  Runtime runtime;
  Document document = open_with_group(runtime, options_for(store, folder, false, 0));
  print_value("open", milliseconds_since(start));
  const SyncReport report = runtime.run(document.sync());
  print_value("start", milliseconds_since(start));
  print_value("unchanged", static_cast<double>(report.unchanged));
  print_value("read", static_cast<double>(report.added + report.changed + report.failed));
  costs.report();
  runtime.run(document.close());
}

}  // namespace ragstone::bench
