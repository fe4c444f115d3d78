#include <ragstone/ragstone.hpp>

#include <iostream>

int main() {
  ragstone::Runtime runtime;  // or on the program's own Asio executor

  ragstone::DocumentOptions options;
  options.dataset = "handbook/";
  options.store = ragstone::sqlite_store("kb");  // in memory if left out
  auto document = runtime.run(ragstone::Document::open(runtime, options));
  runtime.run(document.sync());  // reads what is new or changed, nothing else

  ragstone::RetrieverOptions retrieval;
  retrieval.group = "MediumChunk";
  retrieval.top_k = 3;
  ragstone::Retriever retriever(document, retrieval);

  for (const auto& hit : runtime.run(retriever.retrieve("why does momentum speed up gradient descent?"))) {
    std::cout << hit.score << ' ' << hit.source << ':' << hit.span.begin << '-' << hit.span.end << '\n'
              << hit.text << '\n';
  }
}
