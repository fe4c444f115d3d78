#pragma once

#include <ragstone/async/pool.hpp>
#include <ragstone/base/stop.hpp>
#include <ragstone/model/embedder.hpp>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ragstone {

/// Computes vectors on the thread that calls it: [texts.size() x dimension] floats. Called from several threads at
/// once.
using EmbedFunction =
    std::function<std::vector<float>(std::span<const std::string> texts, EmbedRole role, const StopToken& stop)>;

/// An Embedder around a function that computes: it runs on `pool`, queries on the foreground lane, documents on the
/// background lane, so that the caller's executor is never blocked. A call that was cancelled or timed out leaves the
/// function running until it ends or polls `stop`. Its calls report a usage of 0 tokens: nothing is to be paid. Errors:
/// Errc::invalid_argument for an identity without a name or a dimension, no function, or a `fusion_weight` that is not
/// above 0.
std::shared_ptr<Embedder> function_embedder(Pool pool, EmbedderIdentity identity, EmbedFunction function,
                                            double fusion_weight = 1);

}  // namespace ragstone
