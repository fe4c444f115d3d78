#include "support/errors.hpp"
#include <ragstone/async/runtime.hpp>
#include <ragstone/model/sparse_embedder.hpp>
#include <ragstone/text/token_counter.hpp>

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

std::shared_ptr<SparseEmbedder> returning(Runtime& runtime, SparseVector vector) {
  return function_sparse_embedder(
      runtime.pool(), "fixed/1",
      [vector = std::move(vector)](std::span<const std::string> texts, EmbedRole, const StopToken&) {
        return std::vector<SparseVector>(texts.size(), vector);
      });
}

TEST(SparseEmbedder, GivesAVectorForEachTextByAscendingTerms) {
  Runtime runtime;
  const auto embedder = function_sparse_embedder(runtime.pool(), "own/1",
                                                 [](std::span<const std::string> texts, EmbedRole, const StopToken&) {
                                                   std::vector<SparseVector> rows;
                                                   for (const std::string& text : texts)
                                                     rows.push_back({{text, 2}, {"all", 0.5F}});
                                                   return rows;
                                                 });
  EXPECT_EQ(embedder->signature(), "own/1");
  // More than one batch.
  std::vector<std::string> texts(150, "pump");
  texts.push_back("水泵");
  const SparseBatch all = runtime.run(embedder->embed(texts, EmbedRole::document));
  ASSERT_EQ(all.rows.size(), texts.size());
  EXPECT_EQ(all.rows.front(), (SparseVector{{"all", 0.5F}, {"pump", 2}}));
  EXPECT_EQ(all.rows.back(), (SparseVector{{"all", 0.5F}, {"水泵", 2}}));
  EXPECT_TRUE(runtime.run(embedder->embed({}, EmbedRole::query)).rows.empty());
}

/// Says nothing of its usage.
class SilentEmbedder final : public SparseEmbedder {
 public:
  const std::string& signature() const noexcept override { return signature_; }

 private:
  Task<SparseBatch> do_embed(std::span<const std::string> texts, EmbedRole, CallContext) override {
    co_return std::vector<SparseVector>(texts.size(), SparseVector{{"a", 1}});
  }

  std::string signature_ = "silent/1";
};

// TK-3
TEST(SparseEmbedder, UsageThatIsNotToldIsEstimated) {
  Runtime runtime;
  const CallContext context = CallContext().with_token_counter(estimated_token_counter());
  SilentEmbedder embedder;
  const SparseBatch counted = runtime.run(embedder.embed({"水泵 and pump"}, EmbedRole::query, context));
  EXPECT_TRUE(counted.usage.estimated);
  EXPECT_GT(counted.usage.input.value_or(0), 0U);
  EXPECT_TRUE(runtime.run(embedder.embed({"pump"}, EmbedRole::query)).usage.empty());
  const auto local = returning(runtime, {{"a", 1}});
  EXPECT_EQ(runtime.run(local->embed({"pump"}, EmbedRole::query, context)).usage.input, 0U) << "nothing is to be paid";
}

TEST(SparseEmbedder, ATextMayHaveNoTerms) {
  Runtime runtime;
  EXPECT_EQ(runtime.run(returning(runtime, {})->embed({"a"}, EmbedRole::query)).rows, std::vector<SparseVector>(1));
}

TEST(SparseEmbedder, VectorsThatBreakTheContractAreRejected) {
  Runtime runtime;
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<SparseVector> bad = {{{"a", 0}},        {{"a", -1}}, {{"a", std::nanf("")}},
                                         {{"a", infinity}}, {{"", 1}},   {{"a", 1}, {"b", 1}, {"a", 2}}};
  for (const SparseVector& vector : bad)
    EXPECT_EQ(test::error_of([&] { runtime.run(returning(runtime, vector)->embed({"a"}, EmbedRole::query)); }).errc(),
              Errc::rejected);
  const auto short_of_one = function_sparse_embedder(
      runtime.pool(), "short/1", [](std::span<const std::string> texts, EmbedRole, const StopToken&) {
        return std::vector<SparseVector>(texts.size() - 1);
      });
  EXPECT_EQ(test::error_of([&] {
              runtime.run(short_of_one->embed({"a", "b"}, EmbedRole::query));
            }).errc(),
            Errc::rejected);
}

TEST(SparseEmbedder, AFunctionNeedsASignatureAndAWeightAboveZero) {
  Runtime runtime;
  const auto none = [](std::span<const std::string> texts, EmbedRole, const StopToken&) {
    return std::vector<SparseVector>(texts.size());
  };
  const auto errc = [&](std::string signature, SparseEmbedFunction function, double weight) {
    return test::error_of([&] { function_sparse_embedder(runtime.pool(), signature, function, weight); }).errc();
  };
  EXPECT_EQ(errc("", none, 1), Errc::invalid_argument);
  EXPECT_EQ(errc("a/1", nullptr, 1), Errc::invalid_argument);
  EXPECT_EQ(errc("a/1", none, 0), Errc::invalid_argument);
}

}  // namespace
}  // namespace ragstone
