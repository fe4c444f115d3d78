#include "support/store/saved_words.hpp"

#include <ragstone/index/trie_index.hpp>
#include <ragstone/store/index_files.hpp>
#include <ragstone/store/snapshot.hpp>

#include <cstddef>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

constexpr char kName[] = "words";
constexpr std::size_t kWords = 100;

std::string word(Generation generation, std::size_t number) {
  return std::to_string(generation) + "词" + std::to_string(number);
}

bool has(const Index& index, const std::string& text) {
  IndexQuery query;
  query.text = text;
  query.top_k = 1;
  return !index.query(query, {}).empty();
}

}  // namespace

void save_words(const StoreEngine& engine, Generation generation) {
  const std::shared_ptr<Index> index = trie_index();
  IndexUpdate update;
  update.to = generation;
  for (std::size_t i = 0; i < kWords; ++i) {
    Node& node = update.upserts.emplace_back();
    node.id = i + 1;
    node.text = word(generation, i);
  }
  index->update(update, {});
  engine.index_files()->save(kName, *index, {});
}

Generation expect_saved_words(const StoreEngine& engine) {
  const std::shared_ptr<Index> index = trie_index();
  const std::shared_ptr<const IndexImage> image = engine.index_files()->open(kName, index->form());
  if (!image) return 0;
  index->load(image);
  const Generation generation = index->generation();
  EXPECT_LE(generation, engine.snapshot()->generation());
  for (std::size_t i = 0; i < kWords; ++i) EXPECT_TRUE(has(*index, word(generation, i))) << i;
  EXPECT_FALSE(has(*index, word(generation + 1, 0)));
  return generation;
}

}  // namespace ragstone::test
