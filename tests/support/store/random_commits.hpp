#pragma once

#include "support/store/plain_model.hpp"
#include <ragstone/base/filter.hpp>
#include <ragstone/store/commit.hpp>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace ragstone::test {

/// Commits and queries over a dozen sources with the groups root > "line" > "word" and "line" > "note", whose nodes
/// have text of their own. Every kind of change, also writes that come too late.
class RandomCommits {
 public:
  static constexpr char kKey[] = "e";  ///< Of the vectors.

  explicit RandomCommits(std::uint64_t seed) : random_(seed) {}

  Commit next(const PlainModel& model);

  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  bool chance(unsigned percent) { return below(100) < percent; }
  std::string source_id();
  std::string group();
  std::string signature_of(const std::string& group);
  std::string embedder();  ///< A signature of column kKey.
  std::vector<TermWeight> terms();
  std::vector<float> vector(std::size_t dimension);
  Filter filter();

 private:
  Metadata metadata();
  std::string text();
  std::string text_for(const PlainModel& model, const std::string& id);
  GroupRows lines(const std::string& id, const std::string& text, const GroupRows& root);
  GroupRows words(const std::string& id, const std::string& text, const GroupRows& lines);
  GroupRows notes(const std::string& id, const std::string& text, const GroupRows& lines);
  void add_columns(GroupRows& group, const std::string& text, unsigned percent);
  DenseRows vectors(const GroupRows& group);
  SourceWrite source(const PlainModel& model, const std::string& id);
  GroupWrite groups(const PlainModel& model, const std::string& id);
  void add_groups(const PlainSource& stored, GroupWrite& write);
  void add_stored_columns(const PlainSource& stored, GroupWrite& write);

  std::mt19937_64 random_;
};

}  // namespace ragstone::test
