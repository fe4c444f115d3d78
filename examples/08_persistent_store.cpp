// 8. A store that outlives the program.
//
// The first start reads and cuts the files; every later one only opens the store, in milliseconds, and asks the dataset
// what has changed. Run it twice with the same folder:
//
//   ragstone_08_persistent_store DATASET STORE

#include <ragstone/ragstone.hpp>

#include <chrono>
#include <filesystem>
#include <iostream>

namespace {

void start(const std::filesystem::path& dataset, const std::filesystem::path& store) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  ragstone::Runtime runtime;
  ragstone::DocumentOptions options;
  options.dataset = dataset;
  options.store = ragstone::sqlite_store(store);
  auto document = runtime.run(ragstone::Document::open(runtime, options));

  // What a sync would do, before it does it.
  const auto plan = runtime.run(document.plan());
  std::cout << plan.reads.size() << " files to read, " << plan.unchanged << " as they were\n";

  const auto report = runtime.run(document.sync());
  ragstone::RetrieverOptions retrieval;
  retrieval.top_k = 1;
  ragstone::Retriever retriever(document, retrieval);
  const auto hits = runtime.run(retriever.retrieve("Why does momentum speed up gradient descent?"));
  const std::chrono::duration<double, std::milli> time = Clock::now() - begin;

  std::cout << report.added << " added, " << report.changed << " changed, " << report.unchanged
            << " unchanged; first answer after " << time.count() << " ms";
  for (const auto& hit : hits) std::cout << ", from " << hit.source;
  std::cout << '\n';

  // Seals what waits and gives the lock back. A program that is killed instead loses nothing that was acknowledged.
  runtime.run(document.close());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "Usage: ragstone_08_persistent_store DATASET STORE\n";
    return 2;
  }
  try {
    start(argv[1], argv[2]);
    std::cout << "and once more:\n";
    start(argv[1], argv[2]);
  } catch (const ragstone::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
