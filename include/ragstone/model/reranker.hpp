#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/task.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ragstone {

/// A text that a reranker kept.
struct RankedText {
  std::size_t index = 0;        ///< Into the texts that were given.
  std::optional<double> score;  ///< Higher is better; comparable within one call only. None: the reranker only filters.
};

/// Puts the texts that a retriever found in a better order, or drops some.
class Reranker {
 public:
  virtual ~Reranker() = default;

  /// At most `top_n` texts, best first; each index at most once. No texts: no result, no call.
  /// Errors: Errc::invalid_argument for top_n = 0; Errc::rejected when do_rerank() breaks its contract; Errc::timeout.
  Task<std::vector<RankedText>> rerank(std::string query, std::vector<std::string> texts, std::size_t top_n,
                                       CallContext context = {});

 private:
  virtual Task<std::vector<RankedText>> do_rerank(std::string_view query, std::span<const std::string> texts,
                                                  std::size_t top_n, CallContext context) = 0;
};

/// Options of keyword_reranker(). Words match in the analyser's sense: case, width and English inflection do not count.
class KeywordRerankerOptions {
 public:
  KeywordRerankerOptions() = default;

  std::vector<std::string> required;  ///< A text must hold each of these; of several words, all next to each other.
  std::vector<std::string> excluded;  ///< A text must hold none of these.
};

/// Keeps the texts that pass, in their order, without new scores.
std::shared_ptr<Reranker> keyword_reranker(KeywordRerankerOptions options);

static_assert(!std::is_aggregate_v<KeywordRerankerOptions>);

}  // namespace ragstone
