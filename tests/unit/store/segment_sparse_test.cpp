#include "index/sparse_scorer.hpp"
#include "store/segment/sparse_part.hpp"
#include "support/errors.hpp"
#include "support/rounds.hpp"
#include "unit/store/segment_samples.hpp"
#include "unit/store/told_image.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::segment {
namespace {

using test::error_of;
using test::rounds;

constexpr const Bm25Parameters* kInnerProduct = nullptr;

std::vector<Posting> postings_of(const SparsePart& part, std::string_view term) {
  std::vector<Posting> result;
  const auto entry = part.find(term);
  if (!entry) return result;
  PostingCursor cursor(part.postings(*entry));
  while (cursor.next()) result.push_back(cursor.posting());
  return result;
}

/// Every row's terms, put together from the postings.
std::vector<std::vector<TermWeight>> rows_of(const SparsePart& part) {
  std::vector<std::vector<TermWeight>> rows(part.rows());
  TermCursor terms(part.terms());
  while (terms.next())
    for (const Posting& posting : postings_of(part, terms.term()))
      rows[posting.row].push_back({std::string(terms.term()), posting.weight});
  return rows;
}

SparseSample one_row(NodeId node, std::vector<TermWeight> terms, std::uint32_t length) {
  return {{{node, 1, hash128("x")}}, {std::move(terms)}, {length}};
}

TEST(SparseSegment, GivesBackWhatItWasBuiltFrom) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    std::mt19937 random(seed);
    const std::size_t rows = seed < 3 ? seed - 1 : random() % 300;
    const SparseSample sample = random_sparse(random, rows, 1 + random() % 2000);
    const auto part = sample.part();
    ASSERT_EQ(part->rows(), rows);
    EXPECT_EQ(rows_of(*part), sample.terms);
    std::uint64_t tokens = 0;
    for (std::uint32_t row = 0; row < rows; ++row) {
      EXPECT_EQ(part->node(row), sample.keys[row].node);
      EXPECT_EQ(part->source(row), sample.keys[row].source);
      EXPECT_EQ(part->content(row), sample.keys[row].content);
      EXPECT_EQ(part->length(row), sample.lengths[row]);
      EXPECT_EQ(part->find(sample.keys[row].node), row);
      tokens += sample.lengths[row];
    }
    EXPECT_EQ(part->tokens(), tokens);
    EXPECT_EQ(part->find(NodeId{1'000'000}), std::nullopt);
    EXPECT_TRUE(part->verify({}).empty());
  }
}

TEST(SparseSegment, VectorsAreReadBackByTheContentOfLiveRows) {
  for (unsigned seed = 1; seed <= rounds(30); ++seed) {
    std::mt19937 random(seed);
    // Few words: lists of many blocks.
    const SparseSample first = random_sparse(random, random() % 2000, 1 + random() % 60);
    const SparseSample second = random_sparse(random, random() % 50, 1 + random() % 60, 100'000);
    const std::vector<SparseView> views = {{first.part(), random_dead(random, first.keys.size(), 0.3)},
                                           {second.part(), random_dead(random, second.keys.size(), 0.3)}};
    std::map<Hash128, std::vector<std::vector<TermWeight>>> live;
    const auto add_live = [&live](const SparseSample& sample, const SparseView& view) {
      for (std::uint32_t row = 0; row < sample.keys.size(); ++row)
        if (!view.dead.contains(row)) live[sample.keys[row].content].push_back(sample.terms[row]);
    };
    add_live(first, views[0]);
    add_live(second, views[1]);
    std::vector<Hash128> contents = {hash128("nothing has this content")};
    for (const SparseSample* sample : {&first, &second})
      for (const RowKey& key : sample->keys)
        if (random() % (seed % 2 == 0 ? 2 : 50) == 0) contents.push_back(key.content);
    const auto found = find_sparse_vectors(views, contents, {});
    ASSERT_EQ(found.size(), contents.size());
    for (std::size_t i = 0; i < contents.size(); ++i) {
      const auto& rows = live[contents[i]];
      ASSERT_EQ(found[i].has_value(), !rows.empty());
      EXPECT_TRUE(!found[i] || std::count(rows.begin(), rows.end(), *found[i]) > 0);
    }
  }
}

TEST(SparseSegment, IsTheSameHoweverItsRowsShareTables) {
  for (unsigned seed = 1; seed <= rounds(20); ++seed) {
    std::mt19937 random(seed);
    const SparseSample sample = random_sparse(random, random() % 60, 1 + random() % 300);
    std::vector<SparseVectors> tables(1 + random() % 5);
    std::vector<SparseRow> rows;
    for (std::size_t row = 0; row < sample.keys.size(); ++row) {
      SparseVectors& table = tables[random() % tables.size()];
      std::vector<TermWeight> terms = sample.terms[row];
      std::shuffle(terms.begin(), terms.end(), random);
      table.append(terms);
      rows.push_back({sample.keys[row], &table, static_cast<std::uint32_t>(table.size() - 1), sample.lengths[row]});
    }
    ASSERT_EQ(build_sparse(1, rows), sample.image()) << "seed " << seed;
  }
}

TEST(SparseSegment, KeepsEveryWeightBitForBit) {
  const std::vector<float> weights = {1, 2, 3, 127, 128, 16'777'216, 16'777'218, 0.5f, 1.5f, 1e-45f, 1e-30f, 3e38f};
  SparseSample sample;
  for (std::uint32_t row = 0; row < weights.size(); ++row) {
    sample.keys.push_back({row + NodeId{1}, 1, {}});
    sample.terms.push_back({{"term", weights[row]}});
    sample.lengths.push_back(1);
  }
  const std::vector<Posting> postings = postings_of(*sample.part(), "term");
  ASSERT_EQ(postings.size(), weights.size());
  for (std::size_t row = 0; row < weights.size(); ++row) EXPECT_EQ(postings[row].weight, weights[row]);
}

TEST(SparseSegment, KeepsTermsOfAnyBytes) {
  std::vector<TermWeight> terms = {{std::string(1, '\0'), 1},
                                   {"a", 1},
                                   {"a" + std::string(1, '\0'), 1},
                                   {"ab", 1},
                                   {"检索", 2},
                                   {"检索增强", 1},
                                   {std::string(3000, 'q'), 1},
                                   {std::string(3000, 'q') + "r", 1},
                                   {"\xff\xfe", 1}};
  std::sort(terms.begin(), terms.end(), [](const TermWeight& a, const TermWeight& b) { return a.term < b.term; });
  const auto part = one_row(5, terms, 9).part();
  EXPECT_EQ(rows_of(*part)[0], terms);
  for (const char* absent : {"", "b", "检", "检索增", "zzz"}) EXPECT_EQ(part->find(absent), std::nullopt);
}

TEST(SparseSegment, FindsEveryTermAndNoOther) {
  std::mt19937 random(3);
  SparseSample sample = one_row(1, {}, 0);
  for (int i = 0; i < 1000; ++i) sample.terms[0].push_back({"t" + std::to_string(10'000 + 2 * i), 1});
  const auto part = sample.part();
  for (int i = 10'000; i < 12'000; ++i) EXPECT_EQ(part->find("t" + std::to_string(i)).has_value(), i % 2 == 0) << i;
}

TEST(SparseSegment, DeadRowsAreNotCountedInListsOfAnyLength) {
  for (std::uint32_t count = 1; count <= 200; ++count) {
    SparseSample sample;
    for (std::uint32_t row = 0; row < count; ++row) {
      sample.keys.push_back({row + NodeId{1}, 1, {}});
      sample.terms.push_back({{"term", 1}});
      sample.lengths.push_back(1);
    }
    const auto part = sample.part();
    const std::vector<std::string> terms = {"term"};
    for (std::uint32_t dead = 1; dead <= std::min(count, 3U); ++dead) {
      std::vector<std::uint32_t> rows;
      for (std::uint32_t i = 0; i < dead; ++i) rows.push_back((count - 1) * i / 2);
      const std::vector<SparseView> views = {{part, DeadRows().with(rows)}};
      ASSERT_EQ(count_terms(views, terms).front(), count - views.front().dead.count()) << count << ", " << dead;
    }
  }
}

TEST(SparseSegment, SearchFindsExactlyWhatTheFormulaGives) {
  for (unsigned seed = 1; seed <= rounds(300) && !testing::Test::HasFailure(); ++seed) {
    std::mt19937 random(seed);
    // Many words: rare ones, whose postings are sorted; few words: long lists.
    const std::size_t words = seed % 2 == 0 ? 5000 : 20;
    std::vector<SparseSample> samples;
    std::vector<DeadRows> dead;
    std::vector<SparseView> views;
    for (std::size_t p = 0, parts = random() % 4; p < parts; ++p) {
      samples.push_back(random_sparse(random, random() % 300, words, 1 + 1000 * p));
      dead.push_back(random() % 2 == 0 ? DeadRows() : random_dead(random, samples.back().keys.size(), 0.3));
      views.push_back({samples.back().part(), dead.back()});
    }
    const LambdaFilter every_third([](NodeId node, SourceNumber source) { return (node + source) % 3 == 0; });
    const RowFilter* const filter = random() % 2 == 0 ? nullptr : &every_third;
    const std::vector<TermWeight> query = random_query(random, words);
    Bm25Parameters parameters;
    if (seed % 5 == 0) parameters = {0, 1, 2};
    const SparseTotals totals = live_totals(samples, dead);
    for (const std::size_t k : {1, 10, 1000})
      for (const Bm25Parameters* const scoring : {static_cast<const Bm25Parameters*>(&parameters), kInnerProduct})
        EXPECT_EQ(search_sparse(views, totals, query, scoring, filter, k, {}),
                  plain_search(samples, dead, query, scoring, filter, k))
            << "seed " << seed << ", k " << k;
  }
}

// Lists of many blocks, in several windows of rows: most is skipped, and nothing that counts.
TEST(SparseSegment, SearchSkipsOnlyWhatCannotBeAHit) {
  for (unsigned seed = 1; seed <= rounds(12) && !testing::Test::HasFailure(); ++seed) {
    std::mt19937 random(seed);
    const std::size_t words = seed % 3 == 0 ? 3000 : 40;
    std::vector<SparseSample> samples = {random_sparse(random, 2000 + random() % 5000, words),
                                         random_sparse(random, random() % 3000, words, 100'000)};
    const std::vector<DeadRows> dead = {seed % 2 == 0 ? DeadRows() : random_dead(random, samples[0].keys.size(), 0.01),
                                        random_dead(random, samples[1].keys.size(), 0.4)};
    const std::vector<SparseView> views = {{samples[0].part(), dead[0]}, {samples[1].part(), dead[1]}};
    for (const SparseView& view : views) ASSERT_TRUE(view.part->verify({}).empty());
    const LambdaFilter rare([](NodeId node, SourceNumber) { return node % 97 == 0; });
    const SparseTotals totals = live_totals(samples, dead);
    for (int i = 0; i < 8; ++i) {
      const std::vector<TermWeight> query = random_query(random, words);
      const RowFilter* const filter = i % 4 == 3 ? &rare : nullptr;
      for (const Bm25Parameters* const scoring : {&kDefaultBm25, kInnerProduct})
        EXPECT_EQ(search_sparse(views, totals, query, scoring, filter, 10, {}),
                  plain_search(samples, dead, query, scoring, filter, 10))
            << "seed " << seed;
    }
  }
}

TEST(SparseSegment, TheFirstAnswerWaitsForWhatItNeedsAndLaterOnesFindTheFileInMemory) {
  SparseSample sample;
  for (NodeId node = 1; node <= 3000; ++node) {
    sample.keys.push_back({node, 1, hash128("x")});
    sample.terms.push_back({{node == 7 ? "rare" : "usual", 1}});
    sample.lengths.push_back(1);
  }
  const auto image = std::make_shared<const ToldImage>(sample.image());
  const std::vector<SparseView> views = {{std::make_shared<const SparsePart>(image), {}}};
  const SparsePart& part = *views[0].part;
  const auto ask = [&](const std::string& term) {
    image->readings.clear();
    search_sparse(views, {3000, 3000}, std::vector<TermWeight>{{term, 1}}, &kDefaultBm25, nullptr, 5, {});
    return image->readings;
  };
  const auto list_of = [&](std::string_view term) {
    const ToldImage::Range lists = range_of(part.container(), SectionId::posting_lists);
    const TermEntry entry = *part.find(term);
    return ToldImage::Range{lists.offset + entry.offset, entry.bytes};
  };
  EXPECT_TRUE(image->random.empty() && image->readings.empty()) << "opening expects nothing";

  std::vector<ToldImage::Range> needed;
  for (const SectionId section : {SectionId::term_blocks, SectionId::terms})
    needed.push_back(range_of(part.container(), section));
  needed.push_back(list_of("rare"));
  EXPECT_EQ(ask("rare"), needed);
  EXPECT_EQ(image->random, (std::vector<ToldImage::Range>{{0, image->bytes().size()}}));

  needed = {list_of("usual")};
  for (const SectionId section : {SectionId::lengths, SectionId::nodes})
    needed.push_back(range_of(part.container(), section));
  std::vector<ToldImage::Range> asked = ask("usual");
  ASSERT_EQ(asked.size(), needed.size() + 1) << "and a piece of the file afterwards";
  asked.pop_back();
  EXPECT_EQ(asked, needed);

  for (int i = 0; i < 5; ++i) ask("rare");
  EXPECT_EQ(image->scans, (std::vector<ToldImage::Range>{{0, image->bytes().size()}}));
  EXPECT_TRUE(ask("usual").empty()) << "all was asked for";
}

TEST(SparseSegment, PacksNumbersOfEveryWidth) {
  std::mt19937 random(4);
  for (unsigned bits = 0; bits <= kMaxBits; ++bits) {
    BlockNumbers numbers;
    for (std::uint32_t& number : numbers)
      number = bits == 0 ? 0 : static_cast<std::uint32_t>(random()) >> (kMaxBits - bits);
    std::string bytes = "x";
    append_packed(bytes, numbers, bits);
    ASSERT_EQ(bytes.size(), 1 + packed_bytes(bits));
    BlockNumbers again;
    unpack(bytes.data() + 1, bits, again);
    EXPECT_EQ(again, numbers) << bits;
  }
}

TEST(SparseSegment, ScoresAreThoseOfTheFormula) {
  Bm25Parameters parameters;
  parameters.k1 = 0.9;
  parameters.b = 0.4;
  parameters.idf_power = 1;
  const Bm25Scorer bm25(parameters, 1000, 50'000);
  SparseScorer scorer(bm25);
  scorer.set_largest_sum(100);
  const double idf = std::log(1 + (1000 - 20 + 0.5) / (20 + 0.5));
  EXPECT_NEAR(scorer.addend(scorer.factor(2, 20), 3, 80), 2 * idf * 3 * 1.9 / (3 + 0.9 * (1 - 0.4 + 0.4 * 80 / 50.0)),
              1e-12);
}

// A few postings among many rows are not added up in an array over all rows.
TEST(SparseSegment, SearchAddsUpRareTermsThatMeetInARow) {
  std::mt19937 random(8);
  std::vector<SparseSample> samples = {random_sparse(random, 6000, 5000)};
  const std::vector<DeadRows> dead = {random_dead(random, 6000, 0.1)};
  const std::vector<SparseView> views = {{samples[0].part(), dead[0]}};
  const SparseTotals totals = live_totals(samples, dead);
  for (int i = 0; i < 50; ++i) {
    std::vector<TermWeight> query;
    for (const TermWeight& term : samples[0].terms[random() % 6000])
      if (views[0].part->find(term.term)->count < 15) query.push_back(term);
    EXPECT_EQ(search_sparse(views, totals, query, &kDefaultBm25, nullptr, 20, {}),
              plain_search(samples, dead, query, &kDefaultBm25, nullptr, 20));
  }
}

TEST(SparseSegment, AMergeIsWhatABuildOfTheLiveRowsIs) {
  for (unsigned seed = 1; seed <= rounds(60) && !testing::Test::HasFailure(); ++seed) {
    std::mt19937 random(seed);
    const SparseSample all = random_sparse(random, random() % 400, 500);
    std::vector<SparseSample> samples(1 + random() % 6);
    std::vector<std::vector<std::uint32_t>> dead(samples.size());
    SparseSample expected;
    for (std::size_t row = 0; row < all.keys.size(); ++row) {
      const std::size_t n = random() % samples.size();
      if (random() % 3 == 0) {
        dead[n].push_back(static_cast<std::uint32_t>(samples[n].keys.size()));
      } else {
        expected.keys.push_back(all.keys[row]);
        expected.terms.push_back(all.terms[row]);
        expected.lengths.push_back(all.lengths[row]);
      }
      samples[n].keys.push_back(all.keys[row]);
      samples[n].terms.push_back(all.terms[row]);
      samples[n].lengths.push_back(all.lengths[row]);
    }
    std::vector<SparseView> views;
    for (std::size_t n = 0; n < samples.size(); ++n) views.push_back({samples[n].part(), DeadRows().with(dead[n])});
    StringSink image(8);
    merge_sparse(7, views, image, {});
    EXPECT_EQ(std::move(image).take(), expected.image(7)) << "seed " << seed;
  }
}

TEST(SparseSegment, AMergeOfNothingLiveIsEmpty) {
  std::mt19937 random(5);
  const SparseSample sample = random_sparse(random, 20, 30);
  const std::vector<SparseView> views = {{sample.part(), random_dead(random, 20, 2)}, {SparseSample().part(), {}}};
  StringSink image;
  merge_sparse(1, views, image, {});
  const SparsePart part(heap_image(std::move(image).take()));
  EXPECT_EQ(part.rows(), 0u);
  EXPECT_EQ(part.terms().blocks(), 0u);
  EXPECT_TRUE(part.verify({}).empty());
}

// F6: what a merge writes has right checksums, so it must not take over damage.
TEST(SparseSegment, AMergeRefusesDamage) {
  std::mt19937 random(6);
  const SparseSample sample = random_sparse(random, 200, 300);
  const std::string good = sample.image();
  const SparsePart whole(heap_image(good));
  for (const SectionId section : {SectionId::nodes, SectionId::sources, SectionId::contents, SectionId::lengths,
                                  SectionId::term_blocks, SectionId::terms, SectionId::posting_lists}) {
    std::string bytes = good;
    const std::size_t at = good.find(whole.container().bytes(section));
    bytes[at + 1] = static_cast<char>(bytes[at + 1] ^ 1);
    const std::vector<SparseView> views = {{std::make_shared<const SparsePart>(heap_image(bytes)), {}}};
    EXPECT_FALSE(views[0].part->verify({}).empty()) << name_of(section);
    StringSink image;
    EXPECT_EQ(error_of([&] { merge_sparse(1, views, image, {}); }).errc(), Errc::corrupt_store) << name_of(section);
  }
}

TEST(SparseSegment, AStopEndsSearchMergeAndVerification) {
  std::mt19937 random(7);
  const std::vector<SparseView> views = {{random_sparse(random, 50, 20).part(), {}}};
  std::stop_source stop;
  stop.request_stop();
  StringSink image;
  EXPECT_THROW(search_sparse(views, {50, 500}, random_query(random, 20), &kDefaultBm25, nullptr, 1, stop.get_token()),
               boost::system::system_error);
  EXPECT_THROW(merge_sparse(1, views, image, stop.get_token()), boost::system::system_error);
  EXPECT_THROW(views[0].part->verify(stop.get_token()), boost::system::system_error);
}

}  // namespace
}  // namespace ragstone::segment
