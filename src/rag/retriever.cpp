#include "rag/hit_highlights.hpp"
#include "rag/merge_hits.hpp"
#include "rag/retrieval_members.hpp"
#include "store/run_search.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/rag/retriever.hpp>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace ragstone {

struct Retriever::State {
  std::vector<Document> documents;
  RetrieverOptions options;
};

namespace {

using Core = std::shared_ptr<DocumentCore>;
using Options = std::shared_ptr<const RetrieverOptions>;
using Queries = std::shared_ptr<const std::vector<Query>>;

SearchRequest request_for(const RetrieverOptions& options, const Query& query, std::vector<SearchMember> members) {
  SearchRequest request;
  request.group = options.group;
  request.members = std::move(members);
  request.filter = options.filter && query.filter;
  request.top_k = query.top_k.value_or(options.top_k);
  request.depth = options.depth;
  request.fusion = options.fusion;
  request.rrf_k = options.rrf_k;
  request.on_failure = options.on_failure;
  request.target = options.target;
  request.target_score = options.target_score;
  request.diversity = options.diversity;
  request.parent_share = options.parent_share;
  return request;
}

Task<std::vector<SearchResponse>> search_store(std::shared_ptr<Store> store, std::vector<SearchRequest> requests,
                                               CallContext context) {
  if (requests.size() > 1) co_return co_await store->search_all(std::move(requests), Snapshot(), context);
  std::vector<SearchResponse> responses;
  SearchResponse response = co_await store->search(std::move(requests.front()), Snapshot(), context);
  responses.push_back(std::move(response));
  co_return responses;
}

bool found_damage(const SearchResponse& response) {
  return std::any_of(response.failures.begin(), response.failures.end(),
                     [](const MemberFailure& failure) { return failure.code == Errc::corrupt_store; });
}

Metadata search_attributes(const CallContext& context, const RetrieverOptions& options, std::size_t queries) {
  Metadata attributes;
  if (!context.observed()) return attributes;
  attributes.set("group", options.target.empty() ? options.group : options.target);
  if (queries > 1) attributes.set("queries", static_cast<std::int64_t>(queries));
  return attributes;
}

Metadata result_attributes(const CallContext& context, const std::vector<SearchResponse>& responses) {
  Metadata attributes;
  if (!context.observed()) return attributes;
  std::size_t hits = 0;
  for (const SearchResponse& response : responses) hits += response.hits.size();
  attributes.set("hits", static_cast<std::int64_t>(hits));
  return attributes;
}

/// A response for each query.
Task<std::vector<SearchResponse>> search_document(Core core, Options options, Queries queries, CallContext context) {
  core->check_open();
  co_await core->ensure_synced(context);
  const std::vector<std::string> keys = keys_for(*options, *core);
  co_await core->ensure_built(options->group, keys, context);
  if (!options->target.empty()) co_await core->ensure_built(options->target, std::vector<std::string>(), context);

  QueryMembers members = co_await members_for(core, options, queries, context);
  std::vector<SearchRequest> requests;
  for (std::size_t i = 0; i < queries->size(); ++i)
    requests.push_back(request_for(*options, (*queries)[i], std::move(members.of_query[i])));
  RunScope run(context, EventKind::store_read, core->store->capabilities().name,
               search_attributes(context, *options, requests.size()));
  Task<std::vector<SearchResponse>> search = search_store(core->store, std::move(requests), run.context());
  try {
    std::vector<SearchResponse> responses = co_await in_run(run, std::move(search));
    run.end(result_attributes(run.context(), responses));
    if (std::any_of(responses.begin(), responses.end(), found_damage)) core->start_maintenance(context);
    for (SearchResponse& response : responses)
      for (const MemberFailure& failure : members.failures) {
        response.notes.push_back(note_of(failure));
        response.failures.push_back(failure);
      }
    co_return responses;
  } catch (const Error& error) {
    // The store knows where it was, and takes it out, so that later queries are answered.
    if (error.errc() == Errc::corrupt_store) core->start_maintenance(context);
    throw;
  }
}

/// The hits of a document's response; the rest of it is added to the retrieval.
std::vector<Hit> take_hits(SearchResponse response, std::size_t document, Retrieval& retrieval) {
  std::vector<Hit> hits;
  retrieval.generations.push_back(response.generation);
  for (SearchHit& found : response.hits) {
    Hit hit;
    static_cast<Node&>(hit) = std::move(found.node);
    hit.score = found.score;
    hit.file_span = found.file_span;
    hit.ranks = std::move(found.ranks);
    hit.document = document;
    hits.push_back(std::move(hit));
  }
  std::move(response.notes.begin(), response.notes.end(), std::back_inserter(retrieval.notes));
  std::move(response.failures.begin(), response.failures.end(), std::back_inserter(retrieval.failures));
  return hits;
}

/// One retrieval of what each document answers.
Retrieval join(const std::vector<Core>& cores, const RetrieverOptions& options, std::vector<SearchResponse> responses,
               std::size_t top_k) {
  Retrieval retrieval;
  std::vector<std::vector<Hit>> hits;
  std::set<std::vector<std::string>> scores;
  for (std::size_t i = 0; i < responses.size(); ++i) {
    if (!responses[i].hits.empty()) scores.insert(scored_by(options, *cores[i], responses[i].failures));
    hits.push_back(take_hits(std::move(responses[i]), i, retrieval));
  }
  if (scores.size() > 1) {
    for (std::vector<Hit>& of_document : hits) score_by_ranks(of_document, options.rrf_k);
    retrieval.notes.emplace_back("the documents' scores cannot be compared: their hits are in order by their ranks");
  }
  retrieval.hits = hits.size() == 1 ? std::move(hits.front()) : merge_hits(std::move(hits), top_k);
  return retrieval;
}

/// Observers learn of each ranking that was left out.
void tell_failures(RunScope& run, const std::vector<MemberFailure>& failures) {
  for (const MemberFailure& failure : failures) {
    Metadata attributes;
    attributes.set("left_out", Scalar(failure.member));
    attributes.set("error", name_of(failure.code));
    run.custom(std::move(attributes));
  }
}

/// A retrieval for each query.
Task<std::vector<Retrieval>> ask_all(std::vector<Core> cores, Options options, Queries queries, CallContext context) {
  std::vector<Retrieval> retrievals(queries->size());
  std::vector<Task<std::vector<SearchResponse>>> searches;
  for (const Core& core : cores) searches.push_back(search_document(core, options, queries, context));
  std::vector<std::vector<SearchResponse>> responses;
  if (searches.size() == 1) {
    responses.push_back(co_await std::move(searches.front()));
  } else {
    responses = co_await gather(std::move(searches));
  }
  for (std::size_t q = 0; q < queries->size(); ++q) {
    std::vector<SearchResponse> of_query;
    for (std::vector<SearchResponse>& of_document : responses) of_query.push_back(std::move(of_document[q]));
    retrievals[q] = join(cores, *options, std::move(of_query), (*queries)[q].top_k.value_or(options->top_k));
  }
  if (!options->highlights) co_return retrievals;
  auto marking = with_highlights(std::move(cores), options, queries, std::move(retrievals), context);
  co_return co_await std::move(marking);
}

/// Of all queries the most.
Metadata asked_for(const CallContext& context, const RetrieverOptions& options, const std::vector<Query>& queries) {
  Metadata attributes;
  if (!context.observed()) return attributes;
  std::size_t top_k = 0;
  for (const Query& query : queries) top_k = std::max(top_k, query.top_k.value_or(options.top_k));
  attributes.set("top_k", static_cast<std::int64_t>(top_k));
  return attributes;
}

Task<std::vector<Retrieval>> ask(std::vector<Core> cores, Options options, Queries queries, CallContext context) {
  for (const Query& query : *queries)
    if (query.top_k && *query.top_k == 0)
      throw Error(Errc::invalid_argument, "Retriever: top_k is 0; ask for at least 1 hit");
  if (queries->empty()) co_return std::vector<Retrieval>();
  RunScope run(context, EventKind::retrieve, options->group, asked_for(context, *options, *queries));
  std::vector<Retrieval> retrievals = co_await in_run(run, ask_all(std::move(cores), options, queries, run.context()));
  if (run.observed()) {
    std::size_t hits = 0;
    for (const Retrieval& retrieval : retrievals) {
      hits += retrieval.hits.size();
      tell_failures(run, retrieval.failures);
    }
    Metadata attributes;
    attributes.set("hits", Scalar(static_cast<std::int64_t>(hits)));
    if (queries->size() > 1) attributes.set("queries", Scalar(static_cast<std::int64_t>(queries->size())));
    run.end(std::move(attributes));
  } else {
    run.end();
  }
  co_return retrievals;
}

Task<Retrieval> only_one(Task<std::vector<Retrieval>> retrievals) {
  std::vector<Retrieval> found = co_await std::move(retrievals);
  co_return std::move(found.front());
}

Task<std::vector<Hit>> hits_of(Task<Retrieval> retrieval) {
  Retrieval found = co_await std::move(retrieval);
  co_return std::move(found.hits);
}

Task<std::vector<std::vector<Hit>>> hits_of(Task<std::vector<Retrieval>> retrievals) {
  std::vector<Retrieval> found = co_await std::move(retrievals);
  std::vector<std::vector<Hit>> hits;
  for (Retrieval& retrieval : found) hits.push_back(std::move(retrieval.hits));
  co_return hits;
}

}  // namespace

Retriever::Retriever(Document document, RetrieverOptions options)
    : Retriever(std::vector<Document>(1, std::move(document)), std::move(options)) {}

Retriever::Retriever(std::vector<Document> documents, RetrieverOptions options) {
  if (documents.empty()) throw Error(Errc::invalid_argument, "Retriever: no document was given");
  check_numbers(options);
  auto state = std::make_shared<State>();
  state->documents = std::move(documents);
  state->options = std::move(options);
  for (const Document& document : state->documents) check_members(state->options, *document.core());
  state_ = std::move(state);
}

Task<std::vector<Hit>> Retriever::retrieve(std::string query, CallContext context) const {
  return retrieve(Query(std::move(query)), std::move(context));
}

Task<std::vector<Hit>> Retriever::retrieve(Query query, CallContext context) const {
  return hits_of(explain(std::move(query), std::move(context)));
}

Task<std::vector<std::vector<Hit>>> Retriever::retrieve_all(std::vector<std::string> queries,
                                                            CallContext context) const {
  std::vector<Query> all;
  for (std::string& query : queries) all.emplace_back(std::move(query));
  return hits_of(explain_all(std::move(all), std::move(context)));
}

Task<Retrieval> Retriever::explain(Query query, CallContext context) const {
  std::vector<Query> one;
  one.push_back(std::move(query));
  return only_one(explain_all(std::move(one), std::move(context)));
}

Task<std::vector<Retrieval>> Retriever::explain_all(std::vector<Query> queries, CallContext context) const {
  if (!state_) throw Error(Errc::closed, "this Retriever is empty; make one from a Document");
  std::vector<Core> cores;
  for (const Document& document : state_->documents) cores.push_back(document.core());
  return ask(std::move(cores), Options(state_, &state_->options),
             std::make_shared<const std::vector<Query>>(std::move(queries)), std::move(context));
}

Runtime& Retriever::runtime() const {
  if (!state_) throw Error(Errc::closed, "this Retriever is empty; make one from a Document");
  return state_->documents.front().runtime();
}

}  // namespace ragstone
