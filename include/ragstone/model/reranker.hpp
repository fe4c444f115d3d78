#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/pool.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/model/usage.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ragstone {

/// A text that a reranker kept.
struct RankedText {
  std::size_t index = 0;        ///< Into the texts that were given.
  std::optional<double> score;  ///< Higher is better; comparable within one call only. None: the reranker only filters.
};

/// What a model's call gave, and its usage where that is known.
class Reranking {
 public:
  Reranking() = default;
  Reranking(std::vector<RankedText> ranked, Usage call_usage = {}) : texts(std::move(ranked)), usage(call_usage) {}

  std::vector<RankedText> texts;
  Usage usage;
};

/// Puts the texts that a retriever found in a better order, or drops some. Shared by any number of operations at once.
class Reranker {
 public:
  virtual ~Reranker() = default;

  /// The model's, as observers see it.
  virtual std::string_view name() const noexcept { return "reranker"; }

  /// At most `top_n` texts, best first (equal scores in the order of `texts`); each index at most once. No texts: no
  /// result, no call. Emits one rerank run to the context's observers. Honours the context's deadline and cancellation
  /// (terminal). Lifetime: the reranker outlives the task.
  /// Errors: Errc::invalid_argument for top_n = 0; Errc::rejected when do_rerank() breaks its contract; Errc::timeout;
  /// what do_rerank() throws.
  Task<std::vector<RankedText>> rerank(std::string query, std::vector<std::string> texts, std::size_t top_n,
                                       CallContext context = {});

 private:
  /// False for a reranker that asks another one, whose runs are the ones to see.
  virtual bool emits_runs() const noexcept { return true; }
  /// Adds to the attributes of a run's start: for a model on a server `provider`, `server_address` and `server_port`.
  virtual void describe(Metadata& attributes) const;

  /// Returns texts of `texts`, in any order if each has a finite score, best first if none has one. More than `top_n`
  /// are allowed. `query` and `texts` stay valid until it completes.
  virtual Task<Reranking> do_rerank(std::string_view query, std::span<const std::string> texts, std::size_t top_n,
                                    CallContext context) = 0;
};

/// Options of keyword_reranker(). Words match in the analyser's sense: case, width and English inflection do not count.
/// Several words must stand next to each other, in order; Chinese, Japanese and Korean matches as a run of characters.
class KeywordRerankerOptions {
 public:
  KeywordRerankerOptions() = default;

  std::vector<std::string> required;  ///< A text must hold each of these.
  std::vector<std::string> excluded;  ///< A text must hold none of these.
};

/// Keeps the texts that pass, in their order, without new scores. Runs on the foreground lane of `pool`.
/// Errors: Errc::invalid_argument for no keyword at all, or one without a letter or digit.
std::shared_ptr<Reranker> keyword_reranker(Pool pool, KeywordRerankerOptions options);

static_assert(!std::is_aggregate_v<KeywordRerankerOptions> && !std::is_aggregate_v<Reranking>);

}  // namespace ragstone
