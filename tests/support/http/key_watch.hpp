#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/model/chat_model.hpp>
#include <ragstone/model/embedder.hpp>
#include <ragstone/model/reranker.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace ragstone::test {

/// Listens to everything that models tell: every kind of observer (console, log at every level, spdlog, JSON lines, and
/// the events themselves with all attributes), every exception, and spdlog's default logger. Copies share what was
/// heard. Thread-safe, but for making the first and destroying the last one while others log by default.
class KeyWatch {
 public:
  /// `key`: what no line may hold, nor its first six characters.
  explicit KeyWatch(const std::string& key);

  /// Models that are heard in each call.
  std::shared_ptr<ChatModel> watched(std::shared_ptr<ChatModel> model) const;
  std::shared_ptr<Embedder> watched(std::shared_ptr<Embedder> embedder) const;
  std::shared_ptr<Reranker> watched(std::shared_ptr<Reranker> reranker) const;

  std::size_t heard() const;               ///< Lines and messages so far.
  std::vector<std::string> leaks() const;  ///< Those with the key in them.

  class State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace ragstone::test
