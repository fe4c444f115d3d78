#include "ingest/parts.hpp"
#include "support/process.hpp"
#include "support/sqlite_peer.hpp"
#include "support/stores.hpp"
#include "support/temporary_folder.hpp"
#include "support/texts.hpp"
#include <ragstone/ragstone.hpp>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace ragstone::bench {
namespace {

using Clock = std::chrono::steady_clock;
using NamedTexts = std::vector<std::pair<std::string, std::string>>;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Texts number [begin, end), made before the clock runs.
NamedTexts make_texts(const Texts& texts, bool large, std::size_t begin, std::size_t end, double& bytes) {
  NamedTexts made;
  for (std::size_t i = begin; i < end; ++i) {
    made.emplace_back("source " + std::to_string(i), large ? texts.large(i) : texts.small(i));
    bytes += static_cast<double>(made.back().second.size());
  }
  return made;
}

/// Feeds texts in ten parts of equal number, and reports the time that each took for a source.
template <class Take>
void feed(bool large, std::size_t count, Take take) {
  const Texts texts;
  const std::size_t step = large ? 64 : 2'000;
  double bytes = 0;
  double total = 0;
  for (std::size_t tenth = 0; tenth < 10; ++tenth) {
    const std::size_t last = count * (tenth + 1) / 10;
    const std::size_t first = count * tenth / 10;
    double seconds = 0;
    double cpu = 0;
    const IoCounts before = io_counts();
    for (std::size_t begin = first; begin < last; begin += step) {
      NamedTexts made = make_texts(texts, large, begin, std::min(last, begin + step), bytes);
      const double cpu_before = process_cpu_seconds();
      const auto start = Clock::now();
      take(std::move(made));
      seconds += seconds_since(start);
      cpu += process_cpu_seconds() - cpu_before;
    }
    const auto sources = static_cast<double>(last - first);
    const std::string name = "tenth " + std::to_string(tenth);
    print_value(name, seconds / sources);
    print_value(name + ", cpu", cpu / sources);
    print_value(name + ", written", static_cast<double>(io_counts().written - before.written) / sources);
    total += seconds;
  }
  print_value("seconds", total);
  print_value("bytes", bytes);
}

void report_disk(const StoreKind& kind, const std::filesystem::path& folder) {
  print_value("disk", static_cast<double>(folder_bytes(folder)));
  if (!kind.persistent) return;
  const StoreBytes bytes = store_bytes(folder);
  print_value("disk, text", static_cast<double>(bytes.text));
  print_value("disk, nodes", static_cast<double>(bytes.nodes));
  print_value("disk, postings", static_cast<double>(bytes.postings));
  print_value("disk, vectors", static_cast<double>(bytes.vectors));
  print_value("disk, other", static_cast<double>(bytes.other));
}

void report_memory(const AnonymousPeak& peak) {
  print_value("anonymous peak", peak.mib());
  print_value("resident", memory_counts().resident_mib);
}

void add_all(Runtime& runtime, Document& document, NamedTexts made) {
  std::vector<Source> sources;
  for (auto& [id, text] : made) sources.emplace_back(std::move(id), std::move(text));
  for (const SourceStatus& status : runtime.run(document.add_all(std::move(sources))))
    if (status.state != SourceState::ready) throw std::runtime_error(status.id + ": " + status.reason);
}

/// The last source must be found by the word that only its first line has.
void check_searchable(Runtime& runtime, const Document& document, std::size_t count) {
  const Retriever retriever(document, RetrieverOptions());
  const std::string number = std::to_string(count - 1);
  for (const Hit& hit : runtime.run(retriever.retrieve("copy" + number)))
    if (hit.source == "source " + number) return;
  throw std::runtime_error("the last source is not found");
}

Document open_with_group(Runtime& runtime, DocumentOptions options) {
  Document document = runtime.run(Document::open(runtime, std::move(options)));
  runtime.run(document.build(kMediumChunk, std::vector<std::string>(1, kBm25Key)));
  return document;
}

}  // namespace

void ingest_texts(const std::string& store, bool large, std::size_t count) {
  const StoreKind& kind = store_kind(store);
  const test::TemporaryFolder folder;
  Runtime runtime;
  DocumentOptions options;
  options.store = kind.factory(folder.path() / "kb");
  Document document = open_with_group(runtime, options);
  const IoCounts before = io_counts();
  {
    const AnonymousPeak peak;
    feed(large, count, [&](NamedTexts made) { add_all(runtime, document, std::move(made)); });
    report_memory(peak);
  }
  check_searchable(runtime, document, count);
  const auto closing = Clock::now();
  runtime.run(document.close());
  print_value("close", seconds_since(closing));
  print_writes(before);
  document = Document();
  report_disk(kind, folder.path() / "kb");
}

void ingest_texts_by_peer(bool fts5, bool large, std::size_t count) {
  const test::TemporaryFolder folder;
  const IoCounts before = io_counts();
  {
    SqlitePeer peer(folder.path() / "peer.db", fts5 ? SqlitePeer::Kind::fts5 : SqlitePeer::Kind::plain);
    const std::size_t group = large ? 32 : 64;
    feed(large, count, [&](NamedTexts made) {
      for (std::size_t begin = 0; begin < made.size(); begin += group) {
        const auto first = made.begin() + static_cast<std::ptrdiff_t>(begin);
        const auto last = made.begin() + static_cast<std::ptrdiff_t>(std::min(made.size(), begin + group));
        peer.add(NamedTexts(first, last));
      }
    });
  }
  print_writes(before);
  print_value("disk", static_cast<double>(folder_bytes(folder.path())));
}

void ingest_folder(const std::string& store, std::size_t mib) {
  const StoreKind& kind = store_kind(store);
  const test::TemporaryFolder folder;
  const test::TemporaryFolder dataset;
  const double wanted = static_cast<double>(mib) * 1024 * 1024;
  double bytes = 0;
  {
    const Texts texts;
    for (std::size_t i = 0; bytes < wanted; ++i) {
      const bool large = i % 10 == 0;
      const std::string text = large ? texts.large(i) : texts.small(i);
      const std::string name = "part" + std::to_string(i / 1'000) + "/" + std::to_string(i) + ".txt";
      dataset.write(name, text);
      bytes += static_cast<double>(text.size());
    }
  }
  print_value("anonymous before", memory_counts().anonymous_mib);
  Runtime runtime;
  DocumentOptions options;
  options.store = kind.factory(folder.path() / "kb");
  options.dataset = dataset.path();
  Document document = open_with_group(runtime, options);
  const AnonymousPeak peak;
  const auto start = Clock::now();
  const SyncReport report = runtime.run(document.sync());
  print_value("seconds", seconds_since(start));
  if (report.failed > 0) throw std::runtime_error("a source failed: " + report.failures.front().reason);
  print_value("bytes", bytes);
  print_value("sources", static_cast<double>(report.added));
  runtime.run(document.close());
  report_memory(peak);
}

}  // namespace ragstone::bench
