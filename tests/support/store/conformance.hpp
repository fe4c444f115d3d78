#pragma once

#include "support/store/plain_model.hpp"
#include <ragstone/store/engine.hpp>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

/// The suite that every embedded engine must pass. A test program for an engine compiles
/// RAGSTONE_STORE_CONFORMANCE_SOURCES (tests/support/store/conformance.cmake) and says
///
///     INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance, testing::Values(memory_case));
namespace ragstone::test {

/// A store with the place where it lives.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;

  virtual StoreEngine& engine() = 0;
  /// For a persistent engine: closes it and opens it again over what it has stored. Called between steps, with no
  /// snapshot held. Does nothing for others.
  virtual void reopen() {}
};

struct StoreCase {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;  ///< An empty store.
  bool reopens_always = false;                            ///< It is opened anew after every commit.

  friend void PrintTo(const StoreCase& store, std::ostream* out) { *out << store.name; }
};

class StoreConformance : public testing::TestWithParam<StoreCase> {
 protected:
  StoreConformance() : store_(GetParam().make()) {}

  StoreEngine& engine() { return store_->engine(); }
  std::shared_ptr<const StoreSnapshot> snapshot() { return engine().snapshot(); }
  void reopen() { store_->reopen(); }

  /// Commits one source. From one thread only: see StoreCase::reopens_always.
  CommitResult put(SourceWrite write) {
    Commit commit;
    commit.sources.push_back(std::move(write));
    return apply(std::move(commit));
  }
  CommitResult put(GroupWrite write) {
    Commit commit;
    commit.groups.push_back(std::move(write));
    return apply(std::move(commit));
  }
  CommitResult remove(std::string source, std::optional<Generation> as_of = {}) {
    Commit commit;
    commit.removals.push_back(std::move(source));
    commit.removals_as_of = as_of;
    return apply(std::move(commit));
  }
  std::vector<Node> nodes(const std::string& group) {
    NodeQuery query;
    query.group = group;
    return snapshot()->nodes(query);
  }

 private:
  CommitResult apply(Commit commit) {
    CommitResult result = engine().commit(std::move(commit));
    if (GetParam().reopens_always) reopen();
    return result;
  }

  std::unique_ptr<StoreUnderTest> store_;
};

/// Expects `hits` to be the best k of `scores`, up to differences of rounding, in the order of ranks_before.
void expect_ranking(const std::vector<ScoredNode>& hits, const PlainModel::Scores& scores, std::size_t k,
                    double tolerance);

}  // namespace ragstone::test
