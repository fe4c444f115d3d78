// What the trie and the linear index have in common when they are saved and loaded.

#include "support/errors.hpp"
#include "support/rounds.hpp"
#include "unit/index/word_oracle.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/index/linear_index.hpp>
#include <ragstone/index/trie_index.hpp>

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

WordIndexOptions weighted() {
  WordIndexOptions options;
  options.weight_field = "weight";
  return options;
}

std::shared_ptr<const IndexImage> saved(const Index& index) {
  auto image = std::make_shared<MemoryIndexImage>(index.generation());
  index.save(*image, {});
  return image;
}

void apply(Index& index, std::vector<Node> upserts, std::vector<NodeId> removed = {}) {
  IndexUpdate update;
  update.from = index.generation();
  update.to = update.from + 1;
  update.upserts = std::move(upserts);
  update.removed = std::move(removed);
  index.update(update, {});
}

std::vector<NodeId> ids(const Index& index, const IndexQuery& query) {
  std::vector<NodeId> found;
  for (const ScoredNode& hit : answer(index, query)) found.push_back(hit.id);
  return found;
}

/// Saved words of sections that anybody may change.
class ForgedImage final : public IndexOutput, public IndexImage {
 public:
  struct Section {
    std::size_t element_bytes = 1;
    std::string bytes;
  };

  Generation generation() const noexcept override { return 1; }
  std::vector<Section> sections = std::vector<Section>(kIndexSections + 1);

  std::shared_ptr<const IndexImage> image() const {
    auto copy = std::make_shared<MemoryIndexImage>(1);
    for (std::uint32_t i = 1; i <= kIndexSections; ++i) {
      std::string bytes = sections[i].bytes;
      bytes.resize(bytes.size() / sections[i].element_bytes * sections[i].element_bytes);
      copy->write(i, sections[i].element_bytes, bytes);
    }
    return copy;
  }

 private:
  void do_write(std::uint32_t section, std::size_t element_bytes, std::string_view bytes) override {
    sections[section] = {element_bytes, std::string(bytes)};
  }
  Stored do_section(std::uint32_t) const override { return {}; }
};

class SavedWordIndex : public testing::TestWithParam<WordIndexKind> {
 protected:
  static std::shared_ptr<Index> make(const WordIndexOptions& options = {}) { return GetParam().make(options); }
};

INSTANTIATE_TEST_SUITE_P(All, SavedWordIndex, testing::ValuesIn(word_index_kinds()),
                         [](const auto& kind) { return std::string(kind.param.name); });

TEST_P(SavedWordIndex, AnswersTheSameAfterSavingAndLoading) {
  for (unsigned seed = 1; seed <= rounds(5) && !testing::Test::HasFailure(); ++seed) {
    std::mt19937 random(seed);
    auto index = make(weighted());
    WordOracle oracle;
    // Ids above 2^32 now and then: they are stored otherwise.
    const NodeId base = seed % 3 == 0 ? NodeId{1} << 40 : 0;
    for (int step = 0; step < 8; ++step) {
      std::vector<Node> upserts;
      std::vector<NodeId> removed;
      for (NodeId id = base + 1; id <= base + 300; ++id) {
        if (random() % 4 == 0) {
          upserts.push_back(word_node(id, random_word(random), static_cast<double>(random() % 9) - 3));
          oracle.put(id, upserts.back().text, std::get<double>(*upserts.back().metadata.find("weight")));
        } else if (random() % 9 == 0) {
          removed.push_back(id);
          oracle.remove(id);
        }
      }
      apply(*index, std::move(upserts), std::move(removed));
      if (random() % 2 == 0) {
        const auto image = saved(*index);
        if (random() % 2 == 0) index = make(weighted());
        index->load(image);
      }
      for (int i = 0; i < 8; ++i)
        for (const char* mode : {"exact", "prefix", "edits"}) {
          const IndexQuery query = word_query(random_word(random), mode, 1 + random() % 20);
          ASSERT_EQ(answer(*index, query), oracle.query(query)) << "seed " << seed << ' ' << mode << ' ' << query.text;
        }
    }
  }
}

TEST_P(SavedWordIndex, KeepsWhatCameAfterTheStateThatItLoads) {
  const auto index = make();
  apply(*index, {word_node(1, "one"), word_node(2, "two"), word_node(3, "three")});
  const auto image = saved(*index);
  apply(*index, {word_node(1, "uno"), word_node(4, "four")}, {2});
  index->load(image);
  EXPECT_EQ(index->generation(), 2u);
  EXPECT_TRUE(ids(*index, word_query("one", "exact", 9)).empty());
  EXPECT_TRUE(ids(*index, word_query("two", "exact", 9)).empty());
  EXPECT_EQ(ids(*index, word_query("uno", "exact", 9)), (std::vector<NodeId>{1}));
  EXPECT_EQ(ids(*index, word_query("", "prefix", 9)), (std::vector<NodeId>{1, 3, 4}));
}

// So many changes after the image was saved that the index has merged them by itself.
TEST_P(SavedWordIndex, KeepsWhatItHasMergedSinceTheStateThatItLoads) {
  const auto index = make();
  apply(*index, {word_node(1, "one"), word_node(2, "二")});
  const auto image = saved(*index);
  std::vector<Node> many;
  for (NodeId id = 10; id < 6000; ++id) many.push_back(word_node(id, "word" + std::to_string(id)));
  apply(*index, std::move(many), {2});
  index->load(image);
  EXPECT_EQ(index->generation(), 2u);
  EXPECT_EQ(ids(*index, word_query("word5999", "exact", 9)), (std::vector<NodeId>{5999}));
  EXPECT_EQ(ids(*index, word_query("one", "exact", 9)), (std::vector<NodeId>{1}));
  EXPECT_TRUE(ids(*index, word_query("二", "exact", 9)).empty());
}

TEST_P(SavedWordIndex, ForgetsManyChangedNodesOfOneWordWithTheStateThatItLoads) {
  const auto index = make();
  std::vector<Node> many;
  for (NodeId id = 1; id <= 3000; ++id) many.push_back(word_node(id, id % 2 == 0 ? "same" : "相同"));
  apply(*index, std::move(many));
  const auto image = saved(*index);
  apply(*index, {word_node(2, "other"), word_node(3001, "same")}, {1, 4});
  index->load(image);
  EXPECT_EQ(ids(*index, word_query("same", "exact", 4)), (std::vector<NodeId>{6, 8, 10, 12}));
  EXPECT_EQ(index->query(word_query("same", "exact", 9000), {}).size(), 1499u);
  EXPECT_EQ(index->query(word_query("相同", "exact", 9000), {}).size(), 1499u);
  EXPECT_EQ(ids(*index, word_query("other", "exact", 9)), (std::vector<NodeId>{2}));
}

TEST(TrieIndex, ReadsNoWordWhenItLoads) {
  const auto index = trie_index();
  apply(*index, {word_node(1, "one"), word_node(2, "two")});
  ForgedImage forged;
  index->save(forged, {});
  for (char& byte : forged.sections[2].bytes) byte = '\xFF';
  const auto loaded = trie_index();
  loaded->load(forged.image());
  EXPECT_EQ(loaded->generation(), 1u);
  EXPECT_EQ(error_of([&] { loaded->query(word_query("one", "exact", 9), {}); }).errc(), Errc::corrupt_store);
}

TEST(LinearIndex, ReadsNoWordWhenItLoads) {
  const auto index = linear_index();
  apply(*index, {word_node(1, "one"), word_node(2, "two")});
  ForgedImage forged;
  index->save(forged, {});
  forged.sections[2].bytes.clear();
  const auto loaded = linear_index();
  loaded->load(forged.image());
  EXPECT_EQ(loaded->generation(), 1u);
  EXPECT_EQ(error_of([&] { loaded->query(word_query("one", "exact", 9), {}); }).errc(), Errc::corrupt_store);
}

TEST_P(SavedWordIndex, IsAsItWasWhereAnImageCannotBeLoaded) {
  const auto index = make();
  apply(*index, {word_node(1, "one")});
  ForgedImage forged;
  index->save(forged, {});
  forged.sections[1].bytes.clear();
  EXPECT_EQ(error_of([&] { index->load(forged.image()); }).errc(), Errc::corrupt_store);
  EXPECT_EQ(ids(*index, word_query("one", "exact", 9)), (std::vector<NodeId>{1}));
}

TEST_P(SavedWordIndex, NamesInItsFormWhatASavedOneMustShare) {
  EXPECT_EQ(make()->form(), make()->form());
  EXPECT_NE(make()->form(), make(weighted())->form());
  EXPECT_NE(trie_index()->form(), linear_index()->form());
}

TEST_P(SavedWordIndex, NeedsNoSavingUntilMuchHasChanged) {
  const auto index = make();
  apply(*index, {word_node(1, "one")});
  EXPECT_FALSE(index->is_due());
  std::vector<Node> many;
  for (NodeId id = 1; id <= 1500; ++id) many.push_back(word_node(id, "word" + std::to_string(id)));
  apply(*index, std::move(many));
  EXPECT_TRUE(index->is_due());
  index->load(saved(*index));
  EXPECT_FALSE(index->is_due());
}

// Damaged bytes may change answers; they must not lead to other errors or outside of the image (the sanitizers look).
TEST_P(SavedWordIndex, ReportsDamagedBytesOrAnswersFromThem) {
  for (unsigned seed = 1; seed <= rounds(500) && !testing::Test::HasFailure(); ++seed) {
    std::mt19937 random(seed);
    const auto index = make(weighted());
    std::vector<Node> nodes;
    for (NodeId id = 1; id <= 60; ++id) nodes.push_back(word_node(id, random_word(random), 1));
    apply(*index, std::move(nodes));
    ForgedImage forged;
    index->save(forged, {});
    for (auto n = 1 + random() % 4; n > 0; --n) {
      std::string& bytes = forged.sections[1 + random() % 6].bytes;
      if (bytes.empty()) continue;
      if (random() % 8 == 0) {
        bytes.resize(random() % bytes.size());
      } else {
        bytes[random() % bytes.size()] = static_cast<char>(random());
      }
    }
    const auto loaded = make(weighted());
    try {
      loaded->load(forged.image());
      for (const char* mode : {"exact", "prefix", "edits"})
        for (int i = 0; i < 4; ++i) {
          try {
            EXPECT_LE(loaded->query(word_query(random_word(random), mode, 5), {}).size(), 5u);
          } catch (const Error& error) {
            EXPECT_EQ(error.errc(), Errc::corrupt_store) << "seed " << seed << ": " << error.what();
          }
        }
      saved(*loaded);
    } catch (const Error& error) {
      EXPECT_EQ(error.errc(), Errc::corrupt_store) << "seed " << seed << ": " << error.what();
    }
  }
}

}  // namespace
}  // namespace ragstone::test
