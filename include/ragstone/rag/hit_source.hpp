#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/rag/hit.hpp>
#include <ragstone/rag/retriever.hpp>

#include <memory>
#include <string>
#include <utility>

namespace ragstone {

/// Anything that finds hits for a query: a Retriever, or a step around one or several others. Steps are built from the
/// functions of retrieval_steps.hpp, and from classes of the user's own.
///
/// Shared by any number of operations at once. Lifetime: the source outlives the task.
class HitSource {
 public:
  virtual ~HitSource() = default;

  const std::string& name() const noexcept { return name_; }

  /// Best first. Emits one retrieve run. Honours the context's deadline and cancellation (terminal).
  Task<Retrieval> retrieve(Query query, CallContext context = {});

 protected:
  /// The name tells this source in runs, ranks and notes.
  explicit HitSource(std::string name) : name_(std::move(name)) {}

 private:
  virtual Task<Retrieval> do_retrieve(Query query, CallContext context) = 0;

  std::string name_;
};

/// What `retriever` finds.
std::shared_ptr<HitSource> hit_source(Retriever retriever, std::string name = "retriever");

}  // namespace ragstone
