#include "rag/retrieval_members.hpp"

#include "store/run_search.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace ragstone {
namespace {

using Core = std::shared_ptr<DocumentCore>;
using Options = std::shared_ptr<const RetrieverOptions>;
using Queries = std::shared_ptr<const std::vector<Query>>;

Similarity chosen(const RetrieverOptions& options, const DocumentCore& core) {
  if (options.similarity != Similarity::automatic) return options.similarity;
  const bool embeds = !core.options.embedders.empty() || !core.options.sparse_embedders.empty();
  return embeds ? Similarity::hybrid : Similarity::bm25;
}

bool uses_bm25(Similarity similarity) { return similarity == Similarity::bm25 || similarity == Similarity::hybrid; }

Metric metric_of(Similarity similarity, const VectorIndexOptions& index) {
  switch (similarity) {
    case Similarity::cosine:
      return Metric::cosine;
    case Similarity::inner_product:
      return Metric::inner_product;
    case Similarity::l2:
      return Metric::l2;
    case Similarity::hamming:
      return Metric::hamming;
    default:
      return index.metric_type;
  }
}

std::vector<std::string> index_names(const RetrieverOptions& options) {
  std::vector<std::string> names = options.fused_indexes;
  if (!options.index.empty()) names.insert(names.begin(), options.index);
  return names;
}

/// A name that no ranking has would be without effect: most likely it is misspelt.
template <class Value>
void check_ranking_names(const RetrieverOptions& options, const std::vector<std::string>& keys,
                         const std::map<std::string, Value>& values, const char* what) {
  std::vector<std::string> names = index_names(options);
  names.insert(names.begin(), keys.begin(), keys.end());
  for (const auto& entry : values) {
    if (std::count(names.begin(), names.end(), entry.first) > 0) continue;
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    throw Error(Errc::not_found, std::string("Retriever: ") + what + " names \"" + entry.first +
                                     "\", which takes no part; rankings: " + all);
  }
}

template <class Value>
Value value_or(const std::map<std::string, Value>& values, const std::string& name, Value otherwise) {
  const auto found = values.find(name);
  return found == values.end() ? otherwise : found->second;
}

SearchMember named_member(const RetrieverOptions& options, const std::string& name, double weight = 1) {
  SearchMember member;
  member.name = name;
  member.cut_off = options.similarity_cut_off;
  if (const auto found = options.cut_offs.find(name); found != options.cut_offs.end()) member.cut_off = found->second;
  member.weight = value_or(options.weights, name, weight);
  member.priority = value_or(options.priorities, name, 0);
  return member;
}

/// All of a member of vectors but the vector: what the retriever says, else what the key's index says.
VectorMember vector_query(const RetrieverOptions& options, const DocumentCore& core, const std::string& key) {
  const VectorIndexOptions index = value_or(core.vector_indexes, key, VectorIndexOptions());
  const bool is_tuned = options.recall || options.ef;
  VectorMember query;
  query.key = key;
  query.metric = metric_of(chosen(options, core), index);
  query.recall = options.recall.value_or(index.recall);
  query.ef = options.ef.value_or(options.recall ? 0 : index.ef);
  query.exact = options.exact.value_or(!is_tuned && index.exact);
  return query;
}

/// How a key's vectors are compared, and whose they are.
std::string comparison_of(const RetrieverOptions& options, const DocumentCore& core, const std::string& key) {
  if (const auto sparse = core.groups.sparse_embedder(key)) return ' ' + sparse->signature();
  const auto embedder = core.groups.embedder(key);
  if (!embedder) return {};
  return ' ' + embedder->identity().signature() + ' ' + name_of(vector_query(options, core, key).metric);
}

/// A member by its vector for each query.
Task<std::vector<SearchMember>> dense_members(Core core, Options options, std::string key,
                                              std::vector<std::string> texts, CallContext context) {
  const std::shared_ptr<Embedder> embedder = core->groups.embedder(key);
  const Embeddings embeddings = co_await embedder->embed(std::move(texts), EmbedRole::query, context);
  VectorMember query = vector_query(*options, *core, key);
  query.signature = embedder->identity().signature();
  std::vector<SearchMember> members;
  for (std::size_t i = 0; i < embeddings.size(); ++i) {
    const std::span<const float> row = embeddings.row(i);
    query.vector.assign(row.begin(), row.end());
    members.push_back(named_member(*options, key, embedder->fusion_weight()));
    members.back().query = query;
  }
  co_return members;
}

Task<std::vector<SearchMember>> sparse_members(Core core, Options options, std::string key,
                                               std::vector<std::string> texts, CallContext context) {
  const std::shared_ptr<SparseEmbedder> embedder = core->groups.sparse_embedder(key);
  SparseBatch embeddings = co_await embedder->embed(std::move(texts), EmbedRole::query, context);
  std::vector<SearchMember> members;
  for (SparseVector& vector : embeddings.rows) {
    SparseMember query;
    query.key = key;
    query.signature = core->groups.signature_of(options->group, key);
    query.terms = std::move(vector);
    members.push_back(named_member(*options, key, embedder->fusion_weight()));
    members.back().query = std::move(query);
  }
  co_return members;
}

/// Adds a member by its vector to each query; or tells, where that may be, why there is none.
Task<QueryMembers> vector_members(Core core, Options options, std::string key, Queries queries, CallContext context) {
  QueryMembers made;
  try {
    std::vector<std::string> texts;
    for (const Query& query : *queries) texts.push_back(query.text);
    const CallContext bounded = context.with_timeout(core->options.embed_timeout);
    auto asked = core->groups.embedder(key) ? dense_members(core, options, key, std::move(texts), bounded)
                                            : sparse_members(core, options, key, std::move(texts), bounded);
    std::vector<SearchMember> members = co_await std::move(asked);
    for (SearchMember& member : members) made.of_query.emplace_back().push_back(std::move(member));
  } catch (...) {
    made.of_query.clear();
    made.first_error = std::current_exception();
    if (options->on_failure == OnMemberFailure::fail || is_cancelled(made.first_error)) throw;
    made.failures.push_back(failure_of(key, made.first_error));
  }
  co_return made;
}

SearchMember text_member(const DocumentCore& core, const RetrieverOptions& options, const std::string& text) {
  TextMember query;
  query.key = kBm25Key;
  query.signature = core.groups.signature_of(options.group, query.key);
  query.text = text;
  const std::shared_ptr<const TextTerms> terms = core.groups.plan()->terms;
  query.analyzer = options.query_analyzer ? options.query_analyzer : terms->query_analyzer(options.group);
  query.text_analyzer = terms->analyzer(options.group);
  query.fields = terms->fields();
  query.parameters = options.bm25;
  query.terms = options.query_terms;
  query.feedback = options.feedback;
  query.boosts = options.text_boosts;
  SearchMember member = named_member(options, kBm25Key);
  member.query = std::move(query);
  return member;
}

/// Adds a member by a registered index to each query; or tells, where that may be, why there is none.
Task<QueryMembers> index_members(Core core, Options options, std::string name, Queries queries, CallContext context,
                                 bool may_be_missing) {
  QueryMembers made;
  try {
    const std::shared_ptr<const Index> index = co_await core->ensure_index(name, context);
    for (const Query& query : *queries) {
      IndexMember ask;
      ask.index = index;
      ask.text = query.text;
      ask.parameters = query.parameters;
      SearchMember member = named_member(*options, name);
      member.query = std::move(ask);
      made.of_query.emplace_back().push_back(std::move(member));
    }
  } catch (...) {
    made.of_query.clear();
    made.first_error = std::current_exception();
    if (!may_be_missing || is_cancelled(made.first_error)) throw;
    made.failures.push_back(failure_of(name, made.first_error));
  }
  co_return made;
}

void check_indexes(const RetrieverOptions& options, const std::vector<std::string>& keys, const DocumentCore& core) {
  std::vector<std::string> taken = keys;
  for (const std::string& name : index_names(options)) {
    const std::string group = core.indexes.find(name)->group();
    if (group != options.group)
      throw Error(Errc::invalid_argument, "Retriever: the index \"" + name + "\" is over the group \"" + group +
                                              "\", not \"" + options.group + "\"");
    if (std::count(taken.begin(), taken.end(), name) > 0)
      throw Error(Errc::invalid_argument, "Retriever: two rankings have the name \"" + name + '"');
    taken.push_back(name);
  }
}

}  // namespace

void check_numbers(const RetrieverOptions& options) {
  if (options.top_k == 0) throw Error(Errc::invalid_argument, "Retriever: top_k is 0; ask for at least 1 hit");
  if (options.depth == 0) throw Error(Errc::invalid_argument, "Retriever: depth is 0");
  if (!(options.rrf_k > 0)) throw Error(Errc::invalid_argument, "Retriever: rrf_k must be above 0");
  if (options.diversity && !(options.diversity->lambda >= 0 && options.diversity->lambda <= 1))
    throw Error(Errc::invalid_argument, "Retriever: the lambda of diversity must be from 0 to 1");
  if (!(options.parent_share >= 0 && options.parent_share <= 1) ||
      (options.parent_share > 0 && !options.target.empty() && options.target != options.group))
    throw Error(Errc::invalid_argument, "Retriever: parent_share must be from 0 to 1, and needs no target");
  if (options.recall && !(*options.recall > 0 && *options.recall <= 1))
    throw Error(Errc::invalid_argument, "Retriever: recall must be above 0 and at most 1");
  if (options.exact.value_or(false) && (options.recall || options.ef))
    throw Error(Errc::invalid_argument,
                "Retriever: exact finds all and follows neither ef nor recall; drop exact, or those");
  for (const auto& [name, weight] : options.weights)
    if (!(weight > 0)) throw Error(Errc::invalid_argument, "Retriever: the weight of \"" + name + "\" must be above 0");
}

void check_members(const RetrieverOptions& options, const DocumentCore& core) {
  core.groups.check_known(options.group);
  if (!options.target.empty()) core.groups.check_known(options.target);
  const std::vector<std::string> keys = keys_for(options, core);
  core.groups.check_keys(keys);
  check_ranking_names(options, keys, options.weights, "weights");
  check_ranking_names(options, keys, options.cut_offs, "cut_offs");
  check_ranking_names(options, keys, options.priorities, "priorities");
  const bool has_vectors = std::any_of(keys.begin(), keys.end(),
                                       [&](const std::string& key) { return core.groups.embedder(key) != nullptr; });
  if (!has_vectors && (options.recall || options.ef || options.exact))
    throw Error(
        Errc::invalid_argument,
        "Retriever: recall, ef and exact are for vectors, and none take part; drop them, or choose a similarity "
        "with embedders");
  for (const std::string& key : options.embedders)
    if (key == kBm25Key) throw Error(Errc::invalid_argument, "Retriever: \"bm25\" is no embedder");
  const Similarity similarity = chosen(options, core);
  if (similarity != Similarity::hybrid && similarity != Similarity::inner_product)
    for (const std::string& key : keys)
      if (core.groups.sparse_embedder(key))
        throw Error(Errc::invalid_argument, "Retriever: the vectors of \"" + key +
                                                "\" are sparse, and compared by their inner product; use "
                                                "Similarity::inner_product or hybrid");
  const StoreCapabilities& can = core.store->capabilities();
  if (std::count(keys.begin(), keys.end(), kBm25Key) > 0 && !can.sparse)
    throw Error(Errc::unsupported, "Retriever: the store \"" + can.name + "\" has no BM25; use an embedder");
  check_indexes(options, keys, core);
}

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
    if (similarity == Similarity::hybrid || similarity == Similarity::inner_product)
      for (const auto& entry : core.options.sparse_embedders) keys.push_back(entry.first);
  }
  if (keys.empty() || keys.back() == kBm25Key)
    throw Error(Errc::invalid_argument,
                "Retriever: this similarity needs an embedder, and the document has none; set "
                "DocumentOptions::embedders or use Similarity::bm25");
  return keys;
}

std::vector<std::string> scored_by(const RetrieverOptions& options, const DocumentCore& core,
                                   const std::vector<MemberFailure>& failures) {
  const auto takes_part = [&](const std::string& name) {
    return std::none_of(failures.begin(), failures.end(), [&](const auto& failure) { return failure.member == name; });
  };
  std::vector<std::string> rankings;
  for (const std::string& key : keys_for(options, core))
    if (takes_part(key)) rankings.push_back(key + comparison_of(options, core, key));
  for (std::string& name : index_names(options))
    if (takes_part(name)) rankings.push_back(std::move(name));
  return rankings;
}

namespace {

Task<QueryMembers> members_of_all(Core core, Options options, Queries queries, CallContext context) {
  QueryMembers all;
  all.of_query.resize(queries->size());
  std::vector<Task<QueryMembers>> others;
  for (const std::string& key : keys_for(*options, *core)) {
    if (key == kBm25Key) {
      for (std::size_t i = 0; i < queries->size(); ++i)
        all.of_query[i].push_back(text_member(*core, *options, (*queries)[i].text));
    } else {
      others.push_back(vector_members(core, options, key, queries, context));
    }
  }
  for (const std::string& name : index_names(*options))
    others.push_back(
        index_members(core, options, name, queries, context, options->on_failure != OnMemberFailure::fail));
  std::vector<QueryMembers> made;
  if (others.size() == 1) {
    made.push_back(co_await std::move(others.front()));
  } else if (!others.empty()) {
    made = co_await gather(std::move(others));
  }
  for (QueryMembers& one : made) {
    for (std::size_t i = 0; i < one.of_query.size(); ++i)
      std::move(one.of_query[i].begin(), one.of_query[i].end(), std::back_inserter(all.of_query[i]));
    std::move(one.failures.begin(), one.failures.end(), std::back_inserter(all.failures));
    if (!all.first_error) all.first_error = one.first_error;
  }
  if (all.of_query.front().empty()) std::rethrow_exception(all.first_error);
  co_return all;
}

}  // namespace

Task<QueryMembers> members_for(Core core, Options options, Queries queries, CallContext context) {
  if (options->index.empty() || !options->fused_indexes.empty())
    return members_of_all(std::move(core), std::move(options), std::move(queries), std::move(context));
  const std::string& name = options->index;
  return index_members(std::move(core), options, name, std::move(queries), std::move(context), false);
}

}  // namespace ragstone
