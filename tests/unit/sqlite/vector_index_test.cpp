#include "store/segment/dense_part.hpp"
#include "store/segment/file_system.hpp"
#include "support/errors.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>

#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

constexpr std::size_t kRows = 5'000;
constexpr std::uint32_t kDimension = 4;

VectorIndexes options_of(IndexType type, Metric metric = Metric::cosine) {
  VectorIndexOptions index;
  index.index_type = type;
  index.metric_type = metric;
  index.m = 4;
  index.ef_construction = 20;
  return {{"e", index}};
}

class VectorIndexTest : public testing::Test {
 protected:
  /// The sealed part of the vectors, once there is nothing more to do.
  std::shared_ptr<const segment::DensePart> maintained(const VectorIndexes& indexes) {
    const auto engine = sqlite_engine(folder_);
    engine->declare_vector_indexes(indexes);
    while (engine->maintain()) {
    }
    hits_ = engine->snapshot()->search_vectors("line", "e", query_, Metric::l2, {}, 5);
    EXPECT_TRUE(engine->verify().ok());
    engine->close();
    std::shared_ptr<const segment::DensePart> found;
    for (const auto& file : std::filesystem::directory_iterator(folder_ / "segments")) {
      const auto image = segment::posix_file_system()->open(file.path(), true);
      try {
        found = std::make_shared<const segment::DensePart>(image);
      } catch (const Error&) {
        continue;  // of another kind
      }
    }
    return found;
  }

  void fill(std::size_t count = kRows, std::uint32_t dimension = kDimension) {
    const auto engine = sqlite_engine(folder_);
    engine->declare_vector_indexes(options_of(IndexType::flat));
    fill(*engine, count, dimension);
    engine->close();
  }

  static void fill(StoreEngine& engine, std::size_t count = kRows, std::uint32_t dimension = kDimension) {
    std::mt19937 random(1);
    std::string text;
    std::vector<std::vector<float>> rows;
    for (std::size_t row = 0; row < count; ++row) {
      text += std::to_string(row) + "\n";
      rows.push_back({});
      for (std::uint32_t i = 0; i < dimension; ++i) rows.back().push_back(static_cast<float>(random() % 1000) - 500);
    }
    Commit commit;
    SourceWrite write = sample_lines("s", text);
    write.groups[1].dense.push_back(sample_vectors("e", "four", rows, dimension));
    commit.sources.push_back(std::move(write));
    engine.commit(std::move(commit));
  }

  TemporaryFolder temporary_;
  const std::filesystem::path folder_ = temporary_.path() / "kb";
  std::vector<float> query_ = {1, 2, 3, 4};
  std::vector<ScoredNode> hits_;
};

TEST_F(VectorIndexTest, AnotherIndexTypeIsBuiltFromTheVectorsThatAreStored) {
  fill();
  const auto flat = maintained(options_of(IndexType::flat));
  ASSERT_TRUE(flat);
  EXPECT_EQ(flat->rows(), kRows);
  EXPECT_EQ(flat->graph(), nullptr);
  EXPECT_FALSE(flat->has_nibbles()) << "so few";
  const std::vector<ScoredNode> expected = hits_;

  const auto graph = maintained(options_of(IndexType::hnsw, Metric::l2));
  ASSERT_TRUE(graph && graph->graph());
  EXPECT_EQ(graph->graph()->header().upper_degree, 4u);
  EXPECT_EQ(graph->graph()->header().metric, graph::metric_code(Metric::l2));
  EXPECT_EQ(hits_, expected);

  const auto other_metric = maintained(options_of(IndexType::hnsw, Metric::inner_product));
  EXPECT_EQ(other_metric->graph()->header().metric, graph::metric_code(Metric::inner_product));

  const auto bits = maintained(options_of(IndexType::bin_flat));
  EXPECT_TRUE(bits->has_bits());
  EXPECT_EQ(bits->graph(), nullptr);
  EXPECT_EQ(hits_, expected);
}

TEST_F(VectorIndexTest, LargePartsThatAreScannedHaveNibbles) {
  constexpr std::uint32_t kLargeDimension = 65'536;
  query_.assign(kLargeDimension, 1);
  fill(260, kLargeDimension);
  EXPECT_TRUE(maintained(options_of(IndexType::flat))->has_nibbles());
  const std::vector<ScoredNode> expected = hits_;
  EXPECT_FALSE(maintained(options_of(IndexType::bin_flat))->has_nibbles());
  EXPECT_EQ(hits_, expected);
}

TEST_F(VectorIndexTest, OptionsAreKeptWithTheStoreAndInForceAtTheNextOpening) {
  fill();
  sqlite_engine(folder_)->declare_vector_indexes(options_of(IndexType::hnsw, Metric::l2));
  const auto graph = maintained({});
  ASSERT_TRUE(graph && graph->graph());
  EXPECT_EQ(graph->graph()->header().metric, graph::metric_code(Metric::l2));
  SqliteOptions reading;
  reading.access = StoreAccess::read_only;
  const auto reader = sqlite_engine(folder_, reading);
  EXPECT_EQ(reader->vector_indexes(), options_of(IndexType::hnsw, Metric::l2));
  reader->declare_vector_indexes(options_of(IndexType::flat));
  EXPECT_EQ(reader->vector_indexes(), options_of(IndexType::hnsw, Metric::l2)) << "a reader changes nothing";
}

TEST_F(VectorIndexTest, OptionsStayInForceAfterCommits) {
  const auto engine = sqlite_engine(folder_);
  engine->declare_vector_indexes(options_of(IndexType::hnsw, Metric::l2));
  fill(*engine);
  EXPECT_EQ(engine->vector_indexes(), options_of(IndexType::hnsw, Metric::l2));
  engine->close();
  const auto graph = maintained({});
  ASSERT_TRUE(graph && graph->graph());
  EXPECT_EQ(graph->graph()->header().metric, graph::metric_code(Metric::l2));
}

TEST_F(VectorIndexTest, OptionsThatCannotBeAreRefusedAndTheMessageSaysWhatCan) {
  const auto engine = sqlite_engine(folder_);
  const auto message_of = [&](const VectorIndexOptions& options) {
    const Error error = error_of([&] { engine->declare_vector_indexes({{"e", options}}); });
    EXPECT_EQ(error.errc(), Errc::invalid_argument);
    return std::string(error.what());
  };
  VectorIndexOptions options;
  options.m = 1;
  EXPECT_NE(message_of(options).find("M must be from 2"), std::string::npos);
  options = options_of(IndexType::hnsw, Metric::hamming)["e"];
  EXPECT_NE(message_of(options).find("take BIN_FLAT"), std::string::npos);
  options = options_of(IndexType::flat)["e"];
  options.ef = 100;
  EXPECT_NE(message_of(options).find("drop ef"), std::string::npos);
  options = options_of(IndexType::hnsw)["e"];
  options.exact = true;
  EXPECT_NE(message_of(options).find("take FLAT"), std::string::npos);
  options = options_of(IndexType::flat, Metric(77))["e"];
  EXPECT_NE(message_of(options).find("metric_type is none"), std::string::npos);
  options = options_of(IndexType(77))["e"];
  EXPECT_NE(message_of(options).find("index_type is none"), std::string::npos);
  EXPECT_TRUE(engine->vector_indexes().empty());
}

TEST(VectorIndexNames, AreThoseOfMilvusInEitherCase) {
  EXPECT_EQ(parse_metric_type("ip"), Metric::inner_product);
  EXPECT_EQ(parse_index_type("HNSW_SQ"), IndexType::hnsw);
  for (const Metric metric : {Metric::cosine, Metric::inner_product, Metric::l2, Metric::hamming})
    EXPECT_EQ(parse_metric_type(metric_type_name(metric)), metric);
  for (const IndexType type : {IndexType::automatic, IndexType::flat, IndexType::hnsw, IndexType::bin_flat})
    EXPECT_EQ(parse_index_type(index_type_name(type)), type);
  EXPECT_EQ(error_of([] { parse_index_type("IVF_PQ"); }).errc(), Errc::invalid_argument);
}

}  // namespace
}  // namespace ragstone::test
