#include "ingest/parts.hpp"
#include "support/generated_rows.hpp"
#include "support/process.hpp"
#include "support/stores.hpp"
#include "support/temporary_folder.hpp"
#include "support/texts.hpp"
#include <ragstone/reader/chunker.hpp>
#include <ragstone/text/analyzer.hpp>

#include <utility>
#include <vector>

namespace ragstone::bench {

void measure_stages(bool large, std::size_t count) {
  const test::TemporaryFolder folder;
  const Texts texts;
  const std::shared_ptr<StoreEngine> engine = store_kind("sqlite").engine(folder.path() / "kb");
  SentenceChunkerOptions options;
  options.max_tokens = 256;
  options.overlap_tokens = 25;
  const std::shared_ptr<const Chunker> chunker = sentence_chunker(options);
  const std::shared_ptr<const Analyzer> analyzer = standard_analyzer();
  double bytes = 0;
  double cutting = 0;
  double analysing = 0;
  double storing = 0;
  double sealing = 0;
  const auto measure = [](double& sum, auto work) {
    const double before = thread_cpu_seconds();
    work();
    sum += thread_cpu_seconds() - before;
  };
  Commit commit;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string id = "source " + std::to_string(i);
    const std::string text = large ? texts.large(i) : texts.small(i);
    bytes += static_cast<double>(text.size());
    std::vector<Span> spans;
    measure(cutting, [&] {
      ChunkInput input;
      input.text = text;
      input.source = id;
      for (const Chunk& chunk : chunker->chunk(input, StopToken())) spans.push_back(chunk.span);
    });
    measure(analysing, [&] {
      for (const Span& span : spans) count_terms(*analyzer, span.of(text));
    });
    commit.sources.push_back(source_with_terms(id, text, spans));
    if (commit.sources.size() < 64 && i + 1 < count) continue;
    measure(storing, [&] { engine->commit(std::exchange(commit, Commit())); });
    measure(sealing, [&] {
      while (engine->maintain()) {
      }
    });
  }
  engine->close();
  print_value("bytes", bytes);
  print_value("cutting", cutting);
  print_value("analysing", analysing);
  print_value("storing", storing);
  print_value("sealing", sealing);
}

}  // namespace ragstone::bench
