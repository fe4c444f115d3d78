#pragma once

#include <ragstone/async/pool.hpp>
#include <ragstone/model/embedder.hpp>

#include <cstdint>
#include <memory>
#include <type_traits>

namespace ragstone {

/// Signed feature hashing (Weinberger et al. 2009) over words and character n-grams, Chinese, Japanese and Korean
/// included: no model, no download, the same bits on every machine. It matches spellings, not meanings: for tests, for
/// near-duplicates, and where nothing better is at hand. Case, width and compatibility forms do not count (NFKC, case
/// folding), nor do function words unless a text has no others. Beside BM25 it has little weight: it adds texts that
/// share parts of words only.
class HashingEmbedderOptions {
 public:
  HashingEmbedderOptions() = default;

  std::uint32_t dimension = 384;  ///< 16 to 65,536.
  std::uint32_t min_ngram = 3;    ///< Characters; 0 with max_ngram = 0: words only.
  std::uint32_t max_ngram = 5;    ///< At least min_ngram, at most 16.
};

/// Texts without letters and digits become zeros. Errors: Errc::invalid_argument for options outside their ranges.
std::shared_ptr<Embedder> hashing_embedder(Pool pool, HashingEmbedderOptions options = {});

static_assert(!std::is_aggregate_v<HashingEmbedderOptions>);

}  // namespace ragstone
