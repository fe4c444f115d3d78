#pragma once

#include <ragstone/index/bm25.hpp>
#include <ragstone/store/text_field.hpp>
#include <ragstone/text/analyzer.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace ragstone {

/// Which terms of a text BM25 looks for, and how much each counts.
///
/// The defaults here and below were chosen together, as benchmarks/quality.cpp tells.
class QueryTerms {
 public:
  QueryTerms() = default;

  /// Look for function words, too: see is_function_word(). A query of nothing else looks for them in any case; words
  /// that the column's analyser leaves out (AnalyzerOptions::stop_words) are found in neither.
  bool function_words = false;
  /// A term that is f times in the query counts (k3 + 1) f / (k3 + f) times (Robertson and Zaragoza 2009); at least 0.
  double k3 = 12;
  /// What a single Chinese, Japanese or Korean character of the query counts beside a pair of them; at least 0. Above
  /// 1, because most words that differ between question and answer have a character in common, and pairs overlap.
  double character = 2;
};

/// Relevance feedback by RM3 (Abdul-Jaleel et al. 2004): the terms of the best hits' texts join the query, which is
/// asked once more.
///
/// It finds more texts of a subject that many write about, and leads away from the one text that answers a question. So
/// its weight follows how flat the scores are: `ratio` is the score of the hit at `rank` over that of the best, 0 if
/// there are fewer hits; below `flat_from` nothing is done, from `flat_to` on the weight is `weight`, in between it
/// grows linearly. With 0 for both, all queries get the full weight.
class Feedback {
 public:
  Feedback() = default;

  double weight = 0;       ///< Share of the new terms in the query's whole weight, 0 to 1; 0: no feedback. RM3 has 0.4.
  std::size_t texts = 5;   ///< Best hits that are read, of each the first 32 KiB.
  std::size_t terms = 20;  ///< That are taken from them; none that more than a tenth of all nodes have.
  std::size_t rank = 30;   ///< At least 1.
  double flat_from = 0.5;
  double flat_to = 0.9;
};

/// What the texts of the best BM25 hits add to their scores: the texts are read when they are asked for, the index
/// holds neither positions nor unstemmed words. Fields count with the text, by their weights. Function words take no
/// part. Of a query the first 128 different terms and 256 different pairs of neighbours do.
class TextBoosts {
 public:
  TextBoosts() = default;

  std::size_t depth = 100;  ///< So many hits are read, of each the first 32 KiB; 0: none.
  /// For neighbours in the query that are neighbours, or within eight words, in the text. Of words only: of Chinese,
  /// Japanese and Korean the index has pairs of characters, which say as much.
  double proximity = 0.24;
  double exact_form = 0.12;  ///< For words in the query's own form, where others have only the stem in common.
  double lead = 0.6;         ///< For words among the first ten of a text or field: a title, a heading, a subject.
  double coverage = 0.3;     ///< Raises a score by this much of itself where all terms are met, by idf where some are.
  /// So much of a score, 0 to 1, is that of the five hits that are most like the text (score regularisation, Diaz
  /// 2005): what answers a question is mostly like other things that do. Texts are compared by the cosine of their
  /// terms, a term counting the more the fewer of the hits have it. For queries of words only: characters and their
  /// pairs are too common to tell what Chinese texts are about.
  double neighbours = 0.25;
};

/// BM25 over a sparse column.
class TextMember {
 public:
  TextMember() = default;

  std::string key;
  std::string signature;  ///< See TermSearch.
  std::string text;
  std::shared_ptr<const Analyzer> analyzer;       ///< Of the query.
  std::shared_ptr<const Analyzer> text_analyzer;  ///< Of the nodes' texts; null: that of the query.
  std::vector<TextField> fields;                  ///< That the column's terms count with the texts.
  Bm25Parameters parameters;
  QueryTerms terms;
  Feedback feedback;
  TextBoosts boosts;
};

static_assert(!std::is_aggregate_v<QueryTerms> && !std::is_aggregate_v<Feedback> && !std::is_aggregate_v<TextBoosts> &&
              !std::is_aggregate_v<TextMember>);

}  // namespace ragstone
