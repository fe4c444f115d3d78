#pragma once

#include <ragstone/base/node.hpp>
#include <ragstone/store/search.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

namespace ragstone {

/// A node that answers a query.
class Hit : public Node {
 public:
  Hit() = default;

  double score = 0;  ///< Higher is better. What it means depends on the similarity.
  Span file_span;    ///< `span` in bytes of the file as it is on disk; equal to it for UTF-8 files without a mark.
  std::vector<MemberRank> ranks;  ///< Where each ranking had it.
  std::size_t document = 0;       ///< Which of the retriever's documents it is from.
  /// Bytes of `text` that hold terms of the query, where RetrieverOptions::highlights asks for them: ascending, apart
  /// from one another. In the source's text they begin at `span.begin` if `is_span`.
  std::vector<Span> highlights;
  /// The same in fields of `metadata` that count with the text (DocumentOptions::text_fields); without those that have
  /// none.
  std::map<std::string, std::vector<Span>> field_highlights;
};

/// All that a retrieval gives.
class Retrieval {
 public:
  Retrieval() = default;

  std::vector<Hit> hits;                ///< Best first; equal scores by document, then by ascending id.
  std::vector<std::string> notes;       ///< How each ranking was executed, for people.
  std::vector<MemberFailure> failures;  ///< What was left out: see OnMemberFailure.
  std::vector<Generation> generations;  ///< Of the stores' states that answered.
};

static_assert(!std::is_aggregate_v<Hit> && !std::is_aggregate_v<Retrieval>);

}  // namespace ragstone
