#include <ragstone/index/sparse_vectors.hpp>

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

std::map<std::string, float> at(const SparseVectors& vectors, std::size_t n) {
  std::map<std::string, float> found;
  for (const auto& [term, weight] : vectors[n]) {
    EXPECT_TRUE(found.emplace(vectors.terms()[term], weight).second) << "a term twice";
  }
  return found;
}

TEST(SparseVectors, AddUpWithinAVectorAndKeepEachTermOnce) {
  SparseVectors vectors;
  for (const char* term : {"pump", "seal", "pump", "pump"}) vectors.add(term);
  vectors.end_vector();
  vectors.end_vector();
  vectors.add("seal", 0.5F);
  vectors.add("轴封", 2);
  vectors.end_vector();
  EXPECT_EQ(vectors.size(), 3u);
  EXPECT_EQ(vectors.elements(), 4u);
  EXPECT_EQ(vectors.terms().size(), 3u);
  EXPECT_EQ(at(vectors, 0), (std::map<std::string, float>{{"pump", 3}, {"seal", 1}}));
  EXPECT_TRUE(vectors[1].empty());
  EXPECT_EQ(at(vectors, 2), (std::map<std::string, float>{{"seal", 0.5F}, {"轴封", 2}}));
}

TEST(SparseVectors, TakeWholeVectors) {
  SparseVectors vectors;
  EXPECT_TRUE(vectors.empty());
  const std::vector<TermWeight> given = {{"b", 2}, {"a", 1.5F}};
  vectors.append(given);
  vectors.append({});
  EXPECT_EQ(vectors.size(), 2u);
  EXPECT_EQ(at(vectors, 0), (std::map<std::string, float>{{"a", 1.5F}, {"b", 2}}));
  EXPECT_TRUE(at(vectors, 1).empty());
}

}  // namespace
}  // namespace ragstone
