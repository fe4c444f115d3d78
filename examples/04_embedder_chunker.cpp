// 4. An embedder and a chunker of your own.
//
// With an embedder, texts are also compared by vectors: here by a function that knows a few subjects. A real one would
// run a model in this process; a client of a model server derives from ragstone::Embedder instead.

#include <ragstone/ragstone.hpp>

#include <iostream>

namespace {

// One dimension for each subject, and the words that speak of it. Vectors compare meanings across languages.
const std::vector<std::vector<std::string>> kSubjects = {
    {"key", "certificate", "sign", "password", "密钥", "证书", "密码"},
    {"backup", "restore", "snapshot", "备份", "恢复", "快照"},
    {"bread", "oven", "bake", "面包", "烤"},
};

std::vector<float> embed(std::span<const std::string> texts, ragstone::EmbedRole, const ragstone::StopToken& stop) {
  std::vector<float> vectors;  // [texts.size() x dimension]
  for (const auto& text : texts) {
    ragstone::throw_if_stopped(stop);
    for (const auto& words : kSubjects) {
      float weight = 0;
      for (const auto& word : words)
        if (text.find(word) != std::string::npos) weight += 1;
      vectors.push_back(weight);
    }
  }
  return vectors;
}

// One chunk for each entry of a log: it begins with '[' at the start of a line.
std::vector<ragstone::Chunk> cut_entries(const ragstone::ChunkInput& input, const ragstone::StopToken&) {
  std::vector<ragstone::Chunk> chunks;
  for (std::size_t begin = input.text.find('['); begin != std::string_view::npos;) {
    const std::size_t next = input.text.find("\n[", begin);
    const std::size_t end = std::min(next, input.text.size());
    ragstone::Chunk chunk(ragstone::Span{begin, end});
    chunk.metadata.set("date", std::string(input.text.substr(begin + 1, 10)));
    chunks.push_back(chunk);
    begin = next == std::string_view::npos ? next : next + 1;
  }
  return chunks;
}

}  // namespace

int main() {
  ragstone::Runtime runtime;

  // The identity is stored beside the vectors: a store that was filled by one embedder is never asked with another.
  ragstone::EmbedderIdentity identity;
  identity.name = "subjects";
  identity.revision = "1";
  identity.dimension = static_cast<std::uint32_t>(kSubjects.size());

  ragstone::DocumentOptions options;
  options.embedders["subjects"] = ragstone::function_embedder(runtime.pool(), identity, embed);
  auto document = runtime.run(ragstone::Document::open(runtime, options));

  // The signature says what the chunker does: change it whenever the chunks change, and they are made again.
  ragstone::NodeGroup entries("Entry", ragstone::function_chunker("log-entries/1", cut_entries));
  document.add_group(entries);

  ragstone::Source log("operations.log",
                       "[2025-03-01] The certificate of the mail server was renewed.\n"
                       "It is valid for a year.\n"
                       "[2025-03-02] 夜间快照完成，用时四十分钟。\n"
                       "[2025-03-03] Somebody baked bread for the whole team.");
  runtime.run(document.add(log));

  // `cosine` compares vectors only. `hybrid`, the default where there are embedders, joins BM25 and vectors.
  ragstone::RetrieverOptions by_meaning;
  by_meaning.group = "Entry";
  by_meaning.similarity = ragstone::Similarity::cosine;
  by_meaning.similarity_cut_off = 0.5;
  ragstone::Retriever retriever(document, by_meaning);

  for (const char* question : {"证书什么时候更新的？", "When was the last backup?", "Who went to the oven?"}) {
    std::cout << question << '\n';
    for (const auto& hit : runtime.run(retriever.retrieve(question)))
      std::cout << "  " << hit.score << ' ' << *hit.metadata.text("date") << ": " << hit.text << '\n';
  }
}
