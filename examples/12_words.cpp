// 12. Words: titles completed by a trie, fields with weights, synonyms of queries, highlights, and whether it helps.
//
//   ragstone_12_words HANDBOOK

#include <ragstone/ragstone.hpp>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

namespace {

const std::vector<std::vector<std::string>> kSynonyms = {
    {"inertia", "momentum"}, {"translator", "machine translation"}, {"惯性", "动量"}, {"打分", "评分"}};

/// The line that has most of the query's words, with those in brackets.
std::string marked_line(const ragstone::Hit& hit) {
  std::string best;
  std::size_t most = 0;
  for (std::size_t begin = 0; begin < hit.text.size();) {
    const std::size_t end = std::min(hit.text.find('\n', begin), hit.text.size());
    std::string line = hit.text.substr(begin, end - begin);
    std::size_t marked = 0;
    for (auto span = hit.highlights.rbegin(); span != hit.highlights.rend(); ++span)
      if (span->begin >= begin && span->end <= end) {
        line.insert(span->end - begin, "]").insert(span->begin - begin, "[");
        marked += span->size();
      }
    if (marked > most) best = std::move(line);
    most = std::max(most, marked);
    begin = end + 1;
  }
  return best;
}

ragstone::JudgedQuery judged(std::string question, const std::string& source) {
  ragstone::JudgedQuery query;
  query.id = question;
  query.text = std::move(question);
  query.judgements[source] = 1;
  return query;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  ragstone::Runtime runtime;
  ragstone::DocumentOptions options;
  options.dataset = argv[1];
  // BM25 counts a word of a title as three of the text.
  options.text_fields = {ragstone::TextField("title", 3)};
  auto document = runtime.run(ragstone::Document::open(runtime, options));
  runtime.run(document.sync());

  // The titles of the files as words of a trie. With sqlite_store() it would be saved, and a second start reads no
  // word.
  ragstone::TrieIndexOptions titles;
  titles.word_field = "title";
  titles.normalized = true;
  document.register_index("titles", ragstone::kRootGroup, ragstone::trie_index(titles));
  ragstone::RetrieverOptions completion;
  completion.group = ragstone::kRootGroup;
  completion.index = "titles";
  const ragstone::Retriever complete(document, completion);
  for (const char* typed : {"mu", "soft", "多头", "动"}) {
    ragstone::Query query(typed);
    query.parameters.set("mode", "prefix");
    std::cout << typed << "...:";
    for (const auto& hit : runtime.run(complete.retrieve(query))) std::cout << "  " << *hit.metadata.text("title");
    std::cout << '\n';
  }

  // Synonyms of the queries: no text is analysed anew.
  ragstone::RetrieverOptions words;
  words.group = ragstone::kFineChunk;
  words.top_k = 1;
  words.query_analyzer = ragstone::synonym_analyzer(ragstone::standard_analyzer(), kSynonyms);
  words.highlights = true;
  const ragstone::Retriever find(document, words);
  for (const char* question : {"What does inertia do to gradients?", "惯性用什么代替梯度？"})
    for (const auto& hit : runtime.run(find.retrieve(question)))
      std::cout << '\n' << question << "  " << hit.source << '\n' << marked_line(hit) << '\n';

  // Whether it helps is not a matter of taste: questions with their answers' files, and an interval of the difference.
  // (load_beir() reads such judgements from files.)
  const std::vector<ragstone::JudgedQuery> questions = {
      judged("inertia", "en/chapter_optimization/momentum.md"),
      judged("How does inertia help in a narrow valley?", "en/chapter_optimization/momentum.md"),
      judged("What does a translator look at?", "en/chapter_attention-mechanisms/bahdanau-attention.md"),
      judged("How are several attention heads joined?", "en/chapter_attention-mechanisms/multihead-attention.md"),
      judged("Which classifier gives probabilities?", "en/chapter_linear-networks/softmax-regression.md"),
      judged("惯性", "zh/chapter_optimization/momentum.md"),
      judged("注意力怎样打分？", "zh/chapter_attention-mechanisms/attention-scoring-functions.md"),
      judged("多个头怎样合在一起？", "zh/chapter_attention-mechanisms/multihead-attention.md")};
  words.highlights = false;
  ragstone::RetrieverOptions plain = words;
  plain.query_analyzer = nullptr;
  const auto with = runtime.run(ragstone::evaluate(ragstone::Retriever(document, words), questions));
  const auto without = runtime.run(ragstone::evaluate(ragstone::Retriever(document, plain), questions));
  const auto measure = &ragstone::QueryScore::ndcg_at_10;
  const auto gain = ragstone::compare(with, without, measure);
  std::printf("\nnDCG@10 of %zu questions: %.3f, without synonyms %.3f; gain %.3f, 95 %% interval %.3f to %.3f\n",
              questions.size(), with.mean(measure).mean, without.mean(measure).mean, gain.mean, gain.low, gain.high);
  return 0;
}
