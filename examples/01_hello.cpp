// 1. Texts in, passages out.
//
// Everything happens in this process's memory: no server, no model, nothing to download. Retrieval is by BM25, a
// ranking by the words that a question and a passage share; Chinese is compared by characters and pairs of characters.

#include <ragstone/ragstone.hpp>

#include <iostream>

int main() {
  // An event loop and a pool of threads. It outlives everything that is made from it.
  ragstone::Runtime runtime;

  // A Document is the whole knowledge base, not a single text. Its texts are sources, each under an id of your choice.
  ragstone::DocumentOptions options;
  auto document = runtime.run(ragstone::Document::open(runtime, options));

  ragstone::Source keys("keys.md",
                        "Signing keys are rotated every ninety days. Run `keyctl rotate` on the primary server; "
                        "the old key stays valid for another week.");
  ragstone::Source bread("bread.md", "Bake the bread for forty minutes. Let it cool on a rack before cutting it.");
  ragstone::Source backup("备份.md", "数据库每天凌晨两点备份一次，备份文件保留三十天。恢复演练每季度进行一次。");
  runtime.run(document.add(keys));
  runtime.run(document.add(bread));
  runtime.run(document.add(backup));

  // A Retriever asks one node group of the document. `MediumChunk` is built in: sentences packed into pieces of at most
  // 256 tokens. It is made when it is first needed.
  ragstone::RetrieverOptions retrieval;
  retrieval.group = "MediumChunk";
  retrieval.top_k = 1;
  ragstone::Retriever retriever(document, retrieval);

  for (const char* question : {"How often are keys rotated?", "备份保留多久？"}) {
    std::cout << question << '\n';
    for (const auto& hit : runtime.run(retriever.retrieve(question))) {
      std::cout << "  score " << hit.score << ", " << hit.source << ", bytes " << hit.span.begin << " to "
                << hit.span.end << ":\n  " << hit.text << "\n\n";
    }
  }
}
