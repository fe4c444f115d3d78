#include "rag/document_core.hpp"
#include "store/run_search.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/rag/retriever.hpp>

#include <algorithm>
#include <exception>
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

Similarity chosen(const RetrieverOptions& options, const DocumentCore& core) {
  if (options.similarity != Similarity::automatic) return options.similarity;
  return core.options.embedders.empty() ? Similarity::bm25 : Similarity::hybrid;
}

bool uses_bm25(Similarity similarity) { return similarity == Similarity::bm25 || similarity == Similarity::hybrid; }

Metric metric_of(Similarity similarity) {
  if (similarity == Similarity::inner_product) return Metric::inner_product;
  return similarity == Similarity::l2 ? Metric::l2 : Metric::cosine;
}

/// The columns that a retrieval needs.
std::vector<std::string> keys_for(const RetrieverOptions& options, const DocumentCore& core) {
  std::vector<std::string> keys;
  if (!options.index.empty()) return keys;
  const Similarity similarity = chosen(options, core);
  if (uses_bm25(similarity)) keys.emplace_back(kBm25Key);
  if (similarity == Similarity::bm25) return keys;
  if (!options.embedders.empty()) {
    keys.insert(keys.end(), options.embedders.begin(), options.embedders.end());
  } else {
    for (const auto& entry : core.options.embedders) keys.push_back(entry.first);
  }
  if (keys.empty() || keys.back() == kBm25Key)
    throw Error(Errc::invalid_argument,
                "Retriever: this similarity needs an embedder, and the document has none; set "
                "DocumentOptions::embedders or use Similarity::bm25");
  return keys;
}

void check_numbers(const RetrieverOptions& options) {
  if (options.top_k == 0) throw Error(Errc::invalid_argument, "Retriever: top_k is 0; ask for at least 1 hit");
  if (options.depth == 0) throw Error(Errc::invalid_argument, "Retriever: depth is 0");
  if (!(options.rrf_k > 0)) throw Error(Errc::invalid_argument, "Retriever: rrf_k must be above 0");
  if (options.diversity && !(options.diversity->lambda >= 0 && options.diversity->lambda <= 1))
    throw Error(Errc::invalid_argument, "Retriever: the lambda of diversity must be from 0 to 1");
  if (!(options.parent_share >= 0 && options.parent_share <= 1) ||
      (options.parent_share > 0 && !options.target.empty() && options.target != options.group))
    throw Error(Errc::invalid_argument, "Retriever: parent_share must be from 0 to 1, and needs no target");
  for (const auto& [name, weight] : options.weights)
    if (!(weight > 0)) throw Error(Errc::invalid_argument, "Retriever: the weight of \"" + name + "\" must be above 0");
}

/// A name that no ranking has would be without effect: most likely it is misspelt.
template <class Value>
void check_ranking_names(const RetrieverOptions& options, const std::vector<std::string>& keys,
                         const std::map<std::string, Value>& values, const char* what) {
  std::vector<std::string> names = keys;
  if (!options.index.empty()) names.push_back(options.index);
  for (const auto& entry : values) {
    if (std::count(names.begin(), names.end(), entry.first) > 0) continue;
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    throw Error(Errc::not_found, std::string("Retriever: ") + what + " names \"" + entry.first +
                                     "\", which takes no part; rankings: " + all);
  }
}

void check(const RetrieverOptions& options, const DocumentCore& core) {
  core.groups.check_known(options.group);
  if (!options.target.empty()) core.groups.check_known(options.target);
  const std::vector<std::string> keys = keys_for(options, core);
  core.groups.check_keys(keys);
  check_ranking_names(options, keys, options.weights, "weights");
  check_ranking_names(options, keys, options.cut_offs, "cut_offs");
  check_ranking_names(options, keys, options.priorities, "priorities");
  for (const std::string& key : options.embedders)
    if (key == kBm25Key) throw Error(Errc::invalid_argument, "Retriever: \"bm25\" is no embedder");
  const StoreCapabilities& can = core.store->capabilities();
  if (std::count(keys.begin(), keys.end(), kBm25Key) > 0 && !can.sparse)
    throw Error(Errc::unsupported, "Retriever: the store \"" + can.name + "\" has no BM25; use an embedder");
  if (!options.index.empty() && core.indexes.find(options.index)->group() != options.group)
    throw Error(Errc::invalid_argument, "Retriever: the index \"" + options.index + "\" is over the group \"" +
                                            core.indexes.find(options.index)->group() + "\", not \"" + options.group +
                                            "\"");
}

template <class Value>
Value value_or(const std::map<std::string, Value>& values, const std::string& name, Value otherwise) {
  const auto found = values.find(name);
  return found == values.end() ? otherwise : found->second;
}

SearchMember named_member(const RetrieverOptions& options, const std::string& name) {
  SearchMember member;
  member.name = name;
  member.cut_off = options.similarity_cut_off;
  if (const auto found = options.cut_offs.find(name); found != options.cut_offs.end()) member.cut_off = found->second;
  member.weight = value_or(options.weights, name, 1.0);
  member.priority = value_or(options.priorities, name, 0);
  return member;
}

/// The members of a request, and those that could not be made.
class Members {
 public:
  Members() = default;

  std::vector<SearchMember> members;
  std::vector<MemberFailure> failures;
  std::exception_ptr first_error;
};

/// A member by its vector; or, where that may be, why there is none.
Task<Members> vector_member(Core core, const RetrieverOptions& options, std::string key, std::string text,
                            CallContext context) {
  Members made;
  try {
    const std::shared_ptr<Embedder> embedder = core->groups.embedder(key);
    std::vector<std::string> texts;
    texts.push_back(std::move(text));
    const CallContext bounded = context.with_timeout(core->options.embed_timeout);
    const Embeddings embeddings = co_await embedder->embed(std::move(texts), EmbedRole::query, bounded);
    VectorMember query;
    query.key = key;
    query.vector = embeddings.values;
    query.metric = metric_of(chosen(options, *core));
    SearchMember member = named_member(options, key);
    member.query = std::move(query);
    made.members.push_back(std::move(member));
  } catch (...) {
    made.first_error = std::current_exception();
    if (options.on_failure == OnMemberFailure::fail || is_cancelled(made.first_error)) throw;
    made.failures.push_back(failure_of(key, made.first_error));
  }
  co_return made;
}

SearchMember text_member(const DocumentCore& core, const RetrieverOptions& options, const std::string& text) {
  TextMember query;
  query.key = kBm25Key;
  query.text = text;
  query.analyzer = core.groups.plan()->analyzer;
  query.parameters = options.bm25;
  query.boosts = options.text_boosts;
  SearchMember member = named_member(options, kBm25Key);
  member.query = std::move(query);
  return member;
}

Task<SearchMember> index_member(Core core, const RetrieverOptions& options, const Query& query, CallContext context) {
  IndexMember ask;
  ask.index = co_await core->ensure_index(options.index, context);
  ask.text = query.text;
  ask.parameters = query.parameters;
  SearchMember member = named_member(options, options.index);
  member.query = std::move(ask);
  co_return member;
}

Task<Members> members_for(Core core, const RetrieverOptions& options, const Query& query,
                          const std::vector<std::string>& keys, CallContext context) {
  Members all;
  if (!options.index.empty()) {
    all.members.push_back(co_await index_member(core, options, query, context));
    co_return all;
  }
  std::vector<Task<Members>> vectors;
  for (const std::string& key : keys) {
    if (key == kBm25Key) {
      all.members.push_back(text_member(*core, options, query.text));
    } else {
      vectors.push_back(vector_member(core, options, key, query.text, context));
    }
  }
  std::vector<Members> made;
  if (vectors.size() == 1) {
    made.push_back(co_await std::move(vectors.front()));
  } else if (!vectors.empty()) {
    made = co_await gather(std::move(vectors));
  }
  for (Members& one : made) {
    std::move(one.members.begin(), one.members.end(), std::back_inserter(all.members));
    std::move(one.failures.begin(), one.failures.end(), std::back_inserter(all.failures));
    if (!all.first_error) all.first_error = one.first_error;
  }
  if (all.members.empty()) std::rethrow_exception(all.first_error);
  co_return all;
}

Task<SearchResponse> search_document(Core core, std::shared_ptr<const RetrieverOptions> options,
                                     std::shared_ptr<const Query> query, CallContext context) {
  co_await core->ensure_synced(context);
  const std::vector<std::string> keys = keys_for(*options, *core);
  co_await core->ensure_built(options->group, keys, context);
  if (!options->target.empty()) co_await core->ensure_built(options->target, std::vector<std::string>(), context);

  Members members = co_await members_for(core, *options, *query, keys, context);
  SearchRequest request;
  request.group = options->group;
  request.members = std::move(members.members);
  request.filter = options->filter && query->filter;
  request.top_k = query->top_k.value_or(options->top_k);
  request.depth = options->depth;
  request.fusion = options->fusion;
  request.rrf_k = options->rrf_k;
  request.on_failure = options->on_failure;
  request.target = options->target;
  request.target_score = options->target_score;
  request.diversity = options->diversity;
  request.parent_share = options->parent_share;
  RunScope run(context, EventKind::store_read, core->store->capabilities().name);
  Task<SearchResponse> search = core->store->search(std::move(request), Snapshot(), run.context());
  try {
    SearchResponse response = co_await in_run(run, std::move(search));
    run.end();
    if (std::any_of(response.failures.begin(), response.failures.end(),
                    [](const MemberFailure& failure) { return failure.code == Errc::corrupt_store; }))
      core->start_maintenance(context);
    for (MemberFailure& failure : members.failures) {
      response.notes.push_back(note_of(failure));
      response.failures.push_back(std::move(failure));
    }
    co_return response;
  } catch (const Error& error) {
    // The store knows where it was, and takes it out, so that later queries are answered.
    if (error.errc() == Errc::corrupt_store) core->start_maintenance(context);
    throw;
  }
}

void append(SearchResponse response, std::size_t document, Retrieval& retrieval) {
  retrieval.generations.push_back(response.generation);
  for (SearchHit& found : response.hits) {
    Hit hit;
    static_cast<Node&>(hit) = std::move(found.node);
    hit.score = found.score;
    hit.file_span = found.file_span;
    hit.ranks = std::move(found.ranks);
    hit.document = document;
    retrieval.hits.push_back(std::move(hit));
  }
  std::move(response.notes.begin(), response.notes.end(), std::back_inserter(retrieval.notes));
  std::move(response.failures.begin(), response.failures.end(), std::back_inserter(retrieval.failures));
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

Task<Retrieval> ask_all(std::vector<Core> cores, std::shared_ptr<const RetrieverOptions> options,
                        std::shared_ptr<const Query> query, CallContext context) {
  Retrieval retrieval;
  if (cores.size() == 1) {
    append(co_await search_document(cores.front(), options, query, context), 0, retrieval);
  } else {
    std::vector<Task<SearchResponse>> searches;
    for (const Core& core : cores) searches.push_back(search_document(core, options, query, context));
    std::vector<SearchResponse> responses = co_await gather(std::move(searches));
    for (std::size_t i = 0; i < responses.size(); ++i) append(std::move(responses[i]), i, retrieval);
    std::stable_sort(retrieval.hits.begin(), retrieval.hits.end(),
                     [](const Hit& a, const Hit& b) { return a.score > b.score; });
    const std::size_t top_k = query->top_k.value_or(options->top_k);
    if (retrieval.hits.size() > top_k) retrieval.hits.resize(top_k);
  }
  co_return retrieval;
}

Task<Retrieval> ask(std::vector<Core> cores, std::shared_ptr<const RetrieverOptions> options,
                    std::shared_ptr<const Query> query, CallContext context) {
  if (query->top_k && *query->top_k == 0)
    throw Error(Errc::invalid_argument, "Retriever: top_k is 0; ask for at least 1 hit");
  RunScope run(context, EventKind::retrieve, options->group);
  Retrieval retrieval = co_await in_run(run, ask_all(std::move(cores), options, query, run.context()));
  if (run.observed()) {
    tell_failures(run, retrieval.failures);
    Metadata attributes;
    attributes.set("hits", Scalar(static_cast<std::int64_t>(retrieval.hits.size())));
    run.end(std::move(attributes));
  } else {
    run.end();
  }
  co_return retrieval;
}

Task<std::vector<Hit>> hits_of(Task<Retrieval> retrieval) {
  Retrieval found = co_await std::move(retrieval);
  co_return std::move(found.hits);
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
  for (const Document& document : state->documents) check(state->options, *document.core());
  state_ = std::move(state);
}

Task<std::vector<Hit>> Retriever::retrieve(std::string query, CallContext context) const {
  return retrieve(Query(std::move(query)), std::move(context));
}

Task<std::vector<Hit>> Retriever::retrieve(Query query, CallContext context) const {
  return hits_of(explain(std::move(query), std::move(context)));
}

Task<Retrieval> Retriever::explain(Query query, CallContext context) const {
  if (!state_) throw Error(Errc::closed, "this Retriever is empty; make one from a Document");
  std::vector<Core> cores;
  for (const Document& document : state_->documents) cores.push_back(document.core());
  return ask(std::move(cores), std::shared_ptr<const RetrieverOptions>(state_, &state_->options),
             std::make_shared<const Query>(std::move(query)), std::move(context));
}

Runtime& Retriever::runtime() const {
  if (!state_) throw Error(Errc::closed, "this Retriever is empty; make one from a Document");
  return state_->documents.front().runtime();
}

}  // namespace ragstone
