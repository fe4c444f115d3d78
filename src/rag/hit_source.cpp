#include <ragstone/async/deadline.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/rag/hit_source.hpp>

#include <utility>

namespace ragstone {
namespace {

class RetrieverSource final : public HitSource {
 public:
  RetrieverSource(Retriever retriever, std::string name)
      : HitSource(std::move(name)), retriever_(std::move(retriever)) {}

 private:
  Task<Retrieval> do_retrieve(Query query, CallContext context) override {
    return retriever_.explain(std::move(query), std::move(context));
  }

  const Retriever retriever_;
};

}  // namespace

Task<Retrieval> HitSource::retrieve(Query query, CallContext context) {
  Metadata asked;
  if (context.observed() && query.top_k) asked.set("top_k", static_cast<std::int64_t>(*query.top_k));
  RunScope run(context, EventKind::retrieve, name_, std::move(asked));
  Task<Retrieval> retrieving = with_deadline(do_retrieve(std::move(query), run.context()), run.context());
  Retrieval retrieval = co_await in_run(run, std::move(retrieving));
  Metadata attributes;
  if (run.observed()) {
    attributes.set("hits", static_cast<std::int64_t>(retrieval.hits.size()));
    attributes.set("failed_members", static_cast<std::int64_t>(retrieval.failures.size()));
  }
  run.end(std::move(attributes));
  co_return retrieval;
}

std::shared_ptr<HitSource> hit_source(Retriever retriever, std::string name) {
  return std::make_shared<RetrieverSource>(std::move(retriever), std::move(name));
}

}  // namespace ragstone
