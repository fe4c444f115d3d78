#include "rag/document_core.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/rag/retriever.hpp>

#include <algorithm>
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
  for (const auto& [name, weight] : options.weights)
    if (!(weight > 0)) throw Error(Errc::invalid_argument, "Retriever: the weight of \"" + name + "\" must be above 0");
}

/// A name that no ranking has would be without effect: most likely it is misspelt.
void check_ranking_names(const RetrieverOptions& options, const std::vector<std::string>& keys,
                         const std::map<std::string, double>& values, const char* what) {
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

double value_or(const std::map<std::string, double>& values, const std::string& name, double otherwise) {
  const auto found = values.find(name);
  return found == values.end() ? otherwise : found->second;
}

SearchMember named_member(const RetrieverOptions& options, const std::string& name) {
  SearchMember member;
  member.name = name;
  member.cut_off = options.similarity_cut_off;
  if (const auto found = options.cut_offs.find(name); found != options.cut_offs.end()) member.cut_off = found->second;
  member.weight = value_or(options.weights, name, 1);
  return member;
}

Task<SearchMember> vector_member(Core core, const RetrieverOptions& options, std::string key, std::string text,
                                 CallContext context) {
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
  co_return member;
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

Task<std::vector<SearchMember>> members_for(Core core, const RetrieverOptions& options, const Query& query,
                                            const std::vector<std::string>& keys, CallContext context) {
  std::vector<SearchMember> members;
  if (!options.index.empty()) {
    members.push_back(co_await index_member(core, options, query, context));
    co_return members;
  }
  std::vector<Task<SearchMember>> vectors;
  for (const std::string& key : keys) {
    if (key == kBm25Key) {
      members.push_back(text_member(*core, options, query.text));
    } else {
      vectors.push_back(vector_member(core, options, key, query.text, context));
    }
  }
  if (vectors.size() == 1) {
    members.push_back(co_await std::move(vectors.front()));
  } else if (!vectors.empty()) {
    std::vector<SearchMember> embedded = co_await gather(std::move(vectors));
    std::move(embedded.begin(), embedded.end(), std::back_inserter(members));
  }
  co_return members;
}

Task<SearchResponse> search_document(Core core, std::shared_ptr<const RetrieverOptions> options,
                                     std::shared_ptr<const Query> query, CallContext context) {
  co_await core->ensure_synced(context);
  const std::vector<std::string> keys = keys_for(*options, *core);
  co_await core->ensure_built(options->group, keys, context);
  if (!options->target.empty()) co_await core->ensure_built(options->target, std::vector<std::string>(), context);

  SearchRequest request;
  request.group = options->group;
  request.members = co_await members_for(core, *options, *query, keys, context);
  request.filter = options->filter && query->filter;
  request.top_k = query->top_k.value_or(options->top_k);
  request.depth = options->depth;
  request.rrf_k = options->rrf_k;
  request.target = options->target;
  request.target_score = options->target_score;
  RunScope run(context, EventKind::store_read, core->store->capabilities().name);
  Task<SearchResponse> search = core->store->search(std::move(request), Snapshot(), run.context());
  try {
    SearchResponse response = co_await in_run(run, std::move(search));
    run.end();
    co_return response;
  } catch (const Error& error) {
    // The store knows where it was, and takes it out, so that later queries are answered.
    if (error.errc() == Errc::corrupt_store) core->start_maintenance(context);
    throw;
  }
}

void append(SearchResponse response, std::size_t document, Retrieval& retrieval) {
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
