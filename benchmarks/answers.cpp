// What answers are worth that no model writes: sentences of the passages that were found (ExtractiveOptions).
//
// Over collections whose questions have known answers, each question asked of the three best medium chunks: how many
// are answered, how many of the answers hold a known one, and how many begin with the sentence that does. Then
// questions that have nothing to do with the collection, those of another one in the same language: how many are
// answered nevertheless, which is nonsense. For SQuAD also its own unanswerable questions, which were written to look
// answerable from the words of a paragraph: no choice of sentences can tell them, so that figure is only told.
//
// Each for several ExtractiveOptions::min_coverage, the default among them. --quick takes every tenth question.

#include "rag/extractive.hpp"
#include "support/beir.hpp"
#include "support/data.hpp"
#include "support/report.hpp"
#include <ragstone/rag/assistant.hpp>
#include <ragstone/rag/retriever.hpp>
#include <ragstone/text/normalize.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace {

using namespace ragstone;
using nlohmann::json;

struct Asked {
  std::string text;
  std::vector<std::string> answers;  ///< As bare() makes them.
};

/// Without white space, case and width.
std::string bare(std::string_view text) {
  std::string out = normalize(text);
  std::erase_if(out, [](char c) { return c == ' ' || c == '\n'; });
  return out;
}

std::vector<Asked> questions(const std::filesystem::path& file, std::size_t stride) {
  std::vector<Asked> all;
  std::ifstream in(file);
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    if (number++ % stride != 0) continue;
    const json query = json::parse(line);
    Asked& asked = all.emplace_back();
    asked.text = query["text"].get<std::string>();
    for (const auto& answer : query.value("/metadata/answers"_json_pointer, json::array()))
      asked.answers.push_back(bare(answer.get<std::string>()));
  }
  return all;
}

class Collection {
 public:
  explicit Collection(const std::filesystem::path& folder) {
    document_ = runtime_.run(Document::open(runtime_, DocumentOptions()));
    std::vector<Source> sources;
    for (auto& text : test::load_beir(folder).corpus) sources.emplace_back(text.id, text.text);
    runtime_.run(document_.add_all(std::move(sources)));
    RetrieverOptions options;
    options.top_k = 3;
    retriever_ = Retriever(document_, options);
  }

  Answer answer(const std::string& question, const ExtractiveOptions& options) {
    Answer answer;
    answer.passages = runtime_.run(retriever_.retrieve(question));
    answer_by_extraction(question, *analyzer_, options, answer);
    return answer;
  }

 private:
  Runtime runtime_;
  Document document_;
  Retriever retriever_;
  std::shared_ptr<const Analyzer> analyzer_ = standard_analyzer();
};

struct Shares {
  double answered = 0;
  double held = 0;
  double first = 0;
};

bool holds(const std::string& text, const Asked& asked) {
  const std::string whole = bare(text);
  return std::any_of(asked.answers.begin(), asked.answers.end(),
                     [&](const std::string& answer) { return whole.find(answer) != whole.npos; });
}

Shares measure(Collection& collection, const std::vector<Asked>& all, const ExtractiveOptions& options) {
  Shares shares;
  for (const Asked& asked : all) {
    const Answer answer = collection.answer(asked.text, options);
    if (answer.outcome != AnswerOutcome::answered) continue;
    ++shares.answered;
    if (holds(answer.text, asked)) ++shares.held;
    if (holds(answer.text.substr(0, answer.text.find('\n')), asked)) ++shares.first;
  }
  const auto count = static_cast<double>(std::max<std::size_t>(1, all.size()));
  shares.answered /= count;
  shares.held /= count;
  shares.first /= count;
  return shares;
}

void measure(const std::filesystem::path& data, const char* name, const char* unrelated, std::size_t stride,
             bench::Report& report) {
  Collection collection(data / name);
  const auto own = questions(data / name / "queries.jsonl", stride);
  const auto others = questions(data / unrelated / "queries.jsonl", std::max<std::size_t>(1, stride / 5));
  const auto trick_file = data / name / "unanswerable.jsonl";
  const auto tricks = std::filesystem::exists(trick_file) ? questions(trick_file, stride) : std::vector<Asked>();
  std::printf("%s, %zu questions; %zu of %s\n", name, own.size(), others.size(), unrelated);
  std::printf("  coverage   answered   hold it   first   unrelated%s\n", tricks.empty() ? "" : "   unanswerable");
  std::vector<double> coverages = {0.15, 0.3, 0.4, 0.5, 0.6};
  const double standard = ExtractiveOptions().min_coverage;
  if (std::find(coverages.begin(), coverages.end(), standard) == coverages.end()) coverages.push_back(standard);
  for (const double coverage : coverages) {
    ExtractiveOptions options;
    options.min_coverage = coverage;
    const Shares good = measure(collection, own, options);
    const Shares nonsense = measure(collection, others, options);
    std::printf("  %7.2f%c %9.3f %9.3f %8.3f %10.3f", coverage, coverage == standard ? '*' : ' ', good.answered,
                good.held, good.first, nonsense.answered);
    if (!tricks.empty()) std::printf("  %10.3f", measure(collection, tricks, options).answered);
    std::printf("\n");
    if (coverage != standard) continue;
    report.add(std::string(name) + " answered", good.answered, "share");
    report.add(std::string(name) + " holds an answer", good.held, "share");
    report.add(std::string(name) + " first sentence holds it", good.first, "share");
    report.add(std::string(name) + " unrelated answered", nonsense.answered, "share");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv);
  const auto data = test::find_data("retrieval");
  if (!data) {
    std::fprintf(stderr, "No collections: set RAGSTONE_DATA to a folder that has retrieval/.\n");
    return 2;
  }
  try {
    bench::Report report("answers");
    const std::size_t stride = arguments.quick ? 10 : 1;
    measure(*data, "squad-dev-half", "scifact", stride, report);
    measure(*data, "xquad-en", "cranfield", stride, report);
    measure(*data, "cmrc2018-dev", "stard", stride, report);
    measure(*data, "xquad-zh", "dureader-demo", stride, report);
    report.write(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "answers: %s\n", error.what());
    return 1;
  }
  return 0;
}
