// A process that may have little memory: ragstone_memory_limit_child FOLDER BYTES
//
// Makes a store in FOLDER; then its address space may grow by BYTES only, while it commits vectors, has their graph
// built and searches them; then the limit is gone and it does so again. Ends with 0 if nothing was refused under the
// limit, with 10 if something was, by an error that says so, and nothing was lost by it.
#include "support/store/samples.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/sqlite_engine.hpp>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <new>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

namespace ragstone::test {
namespace {

constexpr int kRefused = 10;
constexpr std::size_t kRows = 5'000;  // The fewest that a graph is built for where one is asked for.
constexpr std::size_t kDimension = 32;

/// While it lives, the address space of this process may grow by so many bytes.
class AddressSpaceLimit {
 public:
  explicit AddressSpaceLimit(std::uint64_t bytes) {
    std::uint64_t pages = 0;
    if (!(std::ifstream("/proc/self/statm") >> pages)) throw std::runtime_error("/proc/self/statm");
    ::getrlimit(RLIMIT_AS, &before_);
    rlimit limit = before_;
    limit.rlim_cur = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + bytes;
    if (::setrlimit(RLIMIT_AS, &limit) != 0) throw std::runtime_error("setrlimit");
  }
  ~AddressSpaceLimit() { ::setrlimit(RLIMIT_AS, &before_); }
  AddressSpaceLimit(const AddressSpaceLimit&) = delete;
  AddressSpaceLimit& operator=(const AddressSpaceLimit&) = delete;

 private:
  rlimit before_{};
};

SqliteOptions options() {
  SqliteOptions options;
  options.durability = Durability::fast;
  options.warm_up = true;
  return options;
}

SourceWrite source(const std::string& id, std::size_t rows) {
  std::mt19937 random(static_cast<unsigned>(rows));
  std::string text;
  std::vector<std::vector<float>> vectors;
  for (std::size_t row = 0; row < rows; ++row) {
    text += std::to_string(row) + "\n";
    std::vector<float>& vector = vectors.emplace_back();
    for (std::size_t i = 0; i < kDimension; ++i) vector.push_back(static_cast<float>(random() % 1000) - 500);
  }
  SourceWrite write = sample_lines(id, text);
  write.groups[1].dense.push_back(sample_vectors("e", "model", vectors, kDimension));
  return write;
}

class Run {
 public:
  explicit Run(std::filesystem::path folder) : folder_(std::move(folder)) {
    engine_ = sqlite_engine(folder_, options());
    VectorIndexOptions index;
    index.index_type = IndexType::hnsw;
    index.m = 4;
    index.ef_construction = 8;
    engine_->declare_vector_indexes({{"e", index}});
    commit("before", 10);
    engine_->close();
    engine_.reset();
  }

  /// Every step on its own; false if one was refused.
  bool try_all(std::size_t rows) {
    bool all = attempt([&] { engine_ = sqlite_engine(folder_, options()); });
    if (!engine_) return false;
    all = attempt([&] { commit("rows " + std::to_string(rows), rows); }) && all;
    all = attempt([&] {
            while (engine_->maintain()) {
            }
          }) &&
          all;
    all = attempt([&] { search(); }) && all;
    all = attempt([&] { engine_->close(); }) && all;
    engine_.reset();
    return all;
  }

  /// Without a limit.
  void expect_whole() {
    if (!try_all(kRows + 1)) throw std::runtime_error("refused though there is memory again");
    engine_ = sqlite_engine(folder_, options());
    for (const StoreFinding& finding : engine_->verify().findings)
      throw std::runtime_error(finding.object + ": " + finding.problem);
    const auto at = engine_->snapshot();
    for (const std::string& id : acknowledged_)
      if (!at->text(id)) throw std::runtime_error("lost: " + id);
    if (at->sources({}).size() != acknowledged_.size()) throw std::runtime_error("what was refused is stored");
  }

 private:
  static bool attempt(const std::function<void()>& step) {
    try {
      step();
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    } catch (const Error& error) {
      if (error.errc() != Errc::io_error && error.errc() != Errc::limit_exceeded && error.errc() != Errc::transient)
        throw;
      return false;
    }
  }

  void commit(const std::string& id, std::size_t rows) {
    Commit commit;
    commit.sources.push_back(source(id, rows));
    engine_->commit(std::move(commit));
    acknowledged_.insert(id);
  }

  void search() {
    const std::vector<float> query(kDimension, 1);
    const auto found = engine_->snapshot()->search_vectors("line", "e", query, Metric::cosine, {}, 5);
    if (found.size() != 5) throw std::runtime_error("fewer hits than rows");
  }

  const std::filesystem::path folder_;
  std::shared_ptr<StoreEngine> engine_;
  std::set<std::string> acknowledged_;
};

int run(char** arguments) {
  Run run(arguments[1]);
  bool all = false;
  {
    const AddressSpaceLimit limit(std::stoull(arguments[2]));
    all = run.try_all(kRows);
  }
  run.expect_whole();
  return all ? 0 : kRefused;
}

}  // namespace
}  // namespace ragstone::test

int main(int count, char** arguments) {
  if (count != 3) return 2;
  try {
    return ragstone::test::run(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ragstone_memory_limit_child: %s\n", error.what());
    return 3;
  }
}
