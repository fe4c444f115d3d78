#include "unit/sqlite/ingest_case.hpp"

#include "support/test_embedders.hpp"
#include <ragstone/ragstone.hpp>

#include <memory>
#include <utility>

namespace ragstone::test {

void ingest(const std::filesystem::path& dataset, const std::filesystem::path& store,
            std::function<void(std::size_t texts)> on_call, std::function<void(const std::string& id)> on_stored) {
  Runtime runtime;
  // 16 texts a call, 4 calls at once from each of the batches in flight: here one.
  auto embedder = std::make_shared<CountingEmbedder>();
  embedder->before = [on_call = std::move(on_call)](std::span<const std::string> texts) { on_call(texts.size()); };
  DocumentOptions options;
  options.dataset = dataset;
  options.store = sqlite_store(store);
  options.embedders[kIngestKey] = cached_embedder(embedder, sqlite_cache(runtime.pool(), store));
  options.batches_in_flight = 1;
  options.batch_sources = 8;
  Document document = runtime.run(Document::open(runtime, options));
  if (on_stored)
    document.on_progress([on_stored = std::move(on_stored)](const Progress& progress) {
      if (!progress.source.empty()) on_stored(progress.source);
    });
  runtime.run(document.build(kFineChunk));
  const SyncReport report = runtime.run(document.sync());
  if (report.failed > 0) throw Error(Errc::internal, "ingest: " + report.failures.front().reason);
  runtime.run(document.close());
}

}  // namespace ragstone::test
