#include "startup/parts.hpp"

#include "support/fixed_embedder.hpp"
#include "support/generated_rows.hpp"
#include "support/process.hpp"
#include "support/stores.hpp"
#include <ragstone/ragstone.hpp>

#include <algorithm>
#include <atomic>
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

/// What a start of the store in a folder costs besides time, from its construction on.
class StartCosts {
 public:
  explicit StartCosts(const fs::path& store) {
    std::error_code missing;
    const std::uintmax_t size = fs::file_size(store / "store.db-wal", missing);
    if (!missing) log_ = size;
  }

  void report() const {
    const Faults after = faults();
    const IoCounts io = io_counts();
    const MemoryCounts memory = memory_counts();
    print_value("minor faults", static_cast<double>(after.minor - faults_.minor));
    print_value("major faults", static_cast<double>(after.major - faults_.major));
    const std::uint64_t read = io.read - io_.read;
    const std::uint64_t of_log = std::min(log_, read);
    print_value("pages read", static_cast<double>(read - of_log) / 4096);
    print_value("pages of the log recovered", static_cast<double>(of_log) / 4096);
    print_value("read from disk", static_cast<double>(io.read_from_disk - io_.read_from_disk) / 1048576);
    print_value("resident", memory.resident_mib);
    print_value("anonymous", memory.anonymous_mib);
  }

 private:
  std::uint64_t log_ = 0;  ///< Bytes that a writer which did not close its store left in the log.
  const Faults faults_ = faults();
  const IoCounts io_ = io_counts();
};

DocumentOptions options_for(const Subject& subject, std::size_t latency_ms,
                            std::shared_ptr<std::atomic<std::size_t>> embedding_calls = nullptr) {
  DocumentOptions options;
  options.store = store_kind(subject.store).factory(subject.folder / "kb");
  options.dataset = subject.folder / "data";
  options.embedders[kGeneratedKey] =
      fixed_embedder(kGeneratedDimension, std::chrono::milliseconds(static_cast<std::int64_t>(latency_ms)),
                     std::move(embedding_calls));
  return options;
}

Document open_with_group(Runtime& runtime, DocumentOptions options) {
  Document document = runtime.run(Document::open(runtime, std::move(options)));
  document.add_group(generated_group());
  return document;
}

/// Reports the time of one retrieval.
void retrieve(Runtime& runtime, const Document& document, Similarity similarity, const std::string& name,
              const std::string& question) {
  RetrieverOptions options;
  options.group = kGeneratedGroup;
  options.similarity = similarity;
  const auto start = Clock::now();
  const Retriever retriever(document, options);
  const std::vector<Hit> hits = runtime.run(retriever.retrieve(question));
  print_value(name, milliseconds_since(start));
  if (hits.empty()) throw std::runtime_error("a retrieval found nothing");
}

}  // namespace

void write_dataset(const Subject& subject, std::size_t files, std::size_t lines) {
  for (std::size_t i = 0; i < files; ++i) {
    const std::string text = generated_text(i, subject.rare_words());
    std::size_t end = 0;
    for (std::size_t line = 0; line < lines; ++line) end = text.find('\n', end) + 1;
    const fs::path part = subject.folder / "data" / ("part" + std::to_string(i / 1'000));
    if (i % 1'000 == 0) fs::create_directories(part);
    const fs::path file = part / (std::to_string(i) + ".txt");
    std::ofstream(file, std::ios::binary) << text.substr(0, end);
    // A file that was written just now is not trusted to be unchanged.
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(1));
  }
}

void first_start(const Subject& subject, std::size_t latency_ms, bool ask) {
  const auto start = Clock::now();
  Runtime runtime;
  Document document = open_with_group(runtime, options_for(subject, latency_ms));
  runtime.run(document.build(kGeneratedGroup));
  const SyncReport report = runtime.run(document.sync());
  if (report.failed > 0) throw std::runtime_error("a source failed: " + report.failures.front().reason);
  print_value("start", milliseconds_since(start));
  print_value("added", static_cast<double>(report.added));
  if (ask) {
    const std::string question = selective_question(0, subject.rare_words());
    retrieve(runtime, document, Similarity::bm25, "bm25", question);
    retrieve(runtime, document, Similarity::cosine, "cosine", question);
  }
  runtime.run(document.close());
}

void settle(const Subject& subject) {
  const std::shared_ptr<StoreEngine> engine = store_kind(subject.store).engine(subject.folder / "kb");
  while (engine->maintain()) {
  }
  engine->close();
}

void fill_growing_part_and_die(const Subject& subject) {
  const std::shared_ptr<StoreEngine> engine = store_kind(subject.store).engine(subject.folder / "kb");
  const std::size_t first = 1'000'000'000 + static_cast<std::size_t>(engine->snapshot()->generation()) * 16;
  for (std::size_t i = 0; i < SqliteOptions().seal_rows / kRowsPerSource; ++i) {
    // As a Document does after each commit; it must not seal the last one.
    if (i > 0) engine->maintain();
    Commit commit;
    commit.sources.push_back(source_with_vectors(first + i, subject.rare_words()));
    engine->commit(std::move(commit));
  }
  std::raise(SIGKILL);
}

void open_and_retrieve(const Subject& subject, std::size_t number) {
  const std::string question = selective_question(number, subject.rare_words());
  const std::string another = selective_question(number + 1, subject.rare_words());
  const StartCosts costs(subject.folder / "kb");
  const auto start = Clock::now();
  Runtime runtime;
  Document document = open_with_group(runtime, options_for(subject, 0));
  print_value("open", milliseconds_since(start));
  retrieve(runtime, document, Similarity::bm25, "bm25", question);
  print_value("start", milliseconds_since(start));
  costs.report();
  retrieve(runtime, document, Similarity::bm25, "second bm25", another);
  retrieve(runtime, document, Similarity::cosine, "cosine", question);
  retrieve(runtime, document, Similarity::cosine, "second cosine", another);
  print_value("resident after cosine", memory_counts().resident_mib);
  print_value("anonymous after cosine", memory_counts().anonymous_mib);
  runtime.run(document.close());
}

void open_and_sync(const Subject& subject) {
  const auto embedding_calls = std::make_shared<std::atomic<std::size_t>>(0);
  const StartCosts costs(subject.folder / "kb");
  const auto start = Clock::now();
  Runtime runtime;
  Document document = open_with_group(runtime, options_for(subject, 0, embedding_calls));
  print_value("open", milliseconds_since(start));
  const SyncReport report = runtime.run(document.sync());
  print_value("start", milliseconds_since(start));
  print_value("unchanged", static_cast<double>(report.unchanged));
  print_value("parsed", static_cast<double>(report.added + report.changed + report.failed));
  costs.report();
  runtime.run(document.close());
  print_value("embedding calls", static_cast<double>(*embedding_calls));
}

}  // namespace ragstone::bench
