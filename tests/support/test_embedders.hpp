#pragma once

#include <ragstone/model/embedder.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace ragstone::test {

/// An embedder for tests that counts what it is asked: 32 dimensions, letters and Chinese characters hashed into them,
/// so that texts with common characters are near. It proves the framework's use of embedders, nothing about retrieval
/// quality.
class CountingEmbedder : public Embedder {
 public:
  explicit CountingEmbedder(std::string name = "counting");

  const EmbedderIdentity& identity() const noexcept override { return identity_; }
  std::size_t max_batch() const noexcept override { return 16; }

  std::size_t texts() const noexcept { return texts_; }
  std::size_t calls() const noexcept { return calls_; }

  /// Batches with a text that has this in it are refused by a std::runtime_error; empty: none.
  std::string refused;
  /// Called with each batch before it is embedded; may throw, or change the result's size.
  std::function<void(std::span<const std::string>)> before;
  /// Called with each result.
  std::function<void(std::vector<float>&)> after;

 private:
  Task<EmbeddedBatch> do_embed(std::span<const std::string> texts, EmbedRole role, CallContext context) override;

  EmbedderIdentity identity_;
  std::atomic<std::size_t> texts_ = 0;
  std::atomic<std::size_t> calls_ = 0;
};

/// An embedder whose calls never end by themselves; they can be cancelled.
std::shared_ptr<Embedder> never_embedder();

}  // namespace ragstone::test
