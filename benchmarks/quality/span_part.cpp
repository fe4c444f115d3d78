#include "quality/parts.hpp"
#include "support/data.hpp"
#include <ragstone/ragstone.hpp>

#include <cstdio>

#include <nlohmann/json.hpp>

namespace ragstone::bench {
namespace {

constexpr std::size_t kChunks = 5;

struct Question {
  std::string text;
  std::vector<SourceSpan> answers;
};

std::vector<Question> load_questions(const std::filesystem::path& file, bool quick) {
  std::vector<Question> questions;
  std::size_t number = 0;
  for (const std::string& line : test::read_lines(file)) {
    if (line.empty() || (quick && number++ % 5 != 0)) continue;
    const auto json = nlohmann::json::parse(line);
    Question& question = questions.emplace_back();
    question.text = json.at("question").get<std::string>();
    for (const auto& span : json.at("spans"))
      question.answers.push_back(
          {json.at("document").get<std::string>(),
           {span.at("byte_start").get<std::uint64_t>(), span.at("byte_end").get<std::uint64_t>()}});
  }
  return questions;
}

}  // namespace

void measure_spans(const std::filesystem::path& folder, bool quick, Report& report) {
  const std::vector<Question> questions = load_questions(folder / "questions.jsonl", quick);
  Runtime runtime;
  DocumentOptions settings;
  settings.embedders["hashing"] = hashing_embedder(runtime.pool());
  Document document = runtime.run(Document::open(runtime, settings));
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".md")
      runtime.run(document.add(Source(entry.path().filename().string(), test::read_file(entry.path()))));
  std::printf("\nchunking-eval: bytes of the best %zu chunks against the spans that answer, %zu questions\n", kChunks,
              questions.size());
  std::printf("  %-12s %-8s %8s %10s %8s\n", "", "", "recall", "precision", "IoU");
  for (const char* group : {kCoarseChunk, kMediumChunk, kFineChunk})
    for (const Similarity similarity : {Similarity::bm25, Similarity::hybrid}) {
      RetrieverOptions options;
      options.group = group;
      options.similarity = similarity;
      options.top_k = kChunks;
      const Retriever retriever(document, options);
      std::vector<double> recalls;
      std::vector<double> precisions;
      std::vector<double> ious;
      for (const Question& question : questions) {
        std::vector<SourceSpan> found;
        for (const Hit& hit : runtime.run(retriever.retrieve(question.text))) found.push_back({hit.source, hit.span});
        const SpanScore score = score_spans(found, question.answers);
        recalls.push_back(score.recall);
        precisions.push_back(score.precision);
        ious.push_back(score.iou);
      }
      const char* how = similarity == Similarity::bm25 ? "bm25" : "hybrid";
      std::printf("  %-12s %-8s %8.4f %10.4f %8.4f\n", group, how, bootstrap_mean(recalls).mean,
                  bootstrap_mean(precisions).mean, bootstrap_mean(ious).mean);
      std::fflush(stdout);
      const std::string prefix = std::string("chunking-eval, ") + group + ", " + how + ", ";
      report.add(prefix + "span recall", bootstrap_mean(recalls).mean, "");
      report.add(prefix + "span precision", bootstrap_mean(precisions).mean, "");
      report.add(prefix + "span IoU", bootstrap_mean(ious).mean, "");
    }
}

}  // namespace ragstone::bench
