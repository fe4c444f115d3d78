#include <ragstone/base/error.hpp>
#include <ragstone/store/snapshot.hpp>
#include <ragstone/text/offset_map.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace ragstone {
namespace {

void check_k(std::size_t k, const char* operation) {
  if (k == 0) throw Error(Errc::invalid_argument, std::string(operation) + ": k is 0; ask for at least 1 hit");
}

void check_terms(std::span<const TermWeight> terms) {
  for (std::size_t i = 0; i < terms.size(); ++i) {
    if (!std::isfinite(terms[i].weight) || terms[i].weight <= 0)
      throw Error(Errc::invalid_argument, "term search: the weight of a query term is not a positive number");
    if (i > 0 && terms[i - 1].term >= terms[i].term)
      throw Error(Errc::invalid_argument, "term search: query terms must ascend and be unique");
  }
}

void check_parameters(const Bm25Parameters& parameters) {
  if (!std::isfinite(parameters.k1) || parameters.k1 < 0 || !(parameters.b >= 0 && parameters.b <= 1) ||
      !std::isfinite(parameters.idf_power) || parameters.idf_power < 0)
    throw Error(Errc::invalid_argument, "term search: BM25 needs k1 >= 0, b from 0 to 1, and idf_power >= 0");
}

TermSearch search_for(std::string_view group, std::string_view key, std::span<const TermWeight> terms,
                      const Filter& filter, std::size_t k) {
  TermSearch search;
  search.group = group;
  search.key = key;
  search.terms.assign(terms.begin(), terms.end());
  search.filter = filter;
  search.k = k;
  return search;
}

}  // namespace

std::vector<SourceRecord> StoreSnapshot::sources(const SourceQuery& query, const StopToken& stop) const {
  if (query.limit == 0) return {};
  return do_sources(query, stop);
}

std::optional<std::string> StoreSnapshot::text(std::string_view source) const { return do_text(source); }

std::shared_ptr<const OffsetMap> StoreSnapshot::do_offset_map(std::string_view source) const {
  SourceQuery query;
  query.id = std::string(source);
  for (const SourceRecord& record : do_sources(query, {}))
    if (!record.offset_map.empty()) return std::make_shared<const OffsetMap>(OffsetMap::parse(record.offset_map));
  return nullptr;
}

std::vector<Node> StoreSnapshot::nodes(const NodeQuery& query, const StopToken& stop) const {
  if (query.group.empty() && !query.ids)
    throw Error(Errc::invalid_argument, "node query: name a group, or the ids of nodes");
  if (query.limit == 0) return {};
  return do_nodes(query, stop);
}

std::vector<NodeId> StoreSnapshot::select(std::string_view group, const Filter& filter, const StopToken& stop) const {
  if (group.empty()) throw Error(Errc::invalid_argument, "node selection: name a group");
  return do_select(group, filter, stop);
}

std::vector<NodeId> StoreSnapshot::do_select(std::string_view group, const Filter& filter,
                                             const StopToken& stop) const {
  NodeQuery query;
  query.group = group;
  query.filter = filter;
  query.with_text = false;
  std::vector<NodeId> ids;
  for (const Node& node : do_nodes(query, stop)) ids.push_back(node.id);
  return ids;
}

std::vector<std::string> StoreSnapshot::pending(const PendingQuery& query, const StopToken& stop) const {
  if (query.group.empty()) throw Error(Errc::invalid_argument, "pending query: name a group");
  if (query.limit == 0) return {};
  return do_pending(query, stop);
}

std::vector<std::vector<float>> StoreSnapshot::vectors(std::string_view key, std::string_view signature,
                                                       std::span<const Hash128> contents) const {
  return do_vectors(key, signature, contents);
}

std::vector<std::optional<std::vector<TermWeight>>> StoreSnapshot::sparse_vectors(std::string_view key,
                                                                                  std::string_view signature,
                                                                                  std::span<const Hash128> contents,
                                                                                  const StopToken& stop) const {
  return do_sparse_vectors(key, signature, contents, stop);
}

std::optional<GroupChange> StoreSnapshot::changes(std::string_view group, Generation since) const {
  if (since > generation()) return std::nullopt;
  return do_changes(group, since);
}

TermHits StoreSnapshot::search_terms(const TermSearch& search, const StopToken& stop) const {
  check_k(search.k, "term search");
  if (search.parameters) check_parameters(*search.parameters);
  check_terms(search.terms);
  if (search.terms.empty()) return {};
  return do_search_terms(search, stop);
}

std::vector<ScoredNode> StoreSnapshot::search_terms(std::string_view group, std::string_view key,
                                                    std::span<const TermWeight> terms, const Bm25Parameters& parameters,
                                                    const Filter& filter, std::size_t k, const StopToken& stop) const {
  TermSearch search = search_for(group, key, terms, filter, k);
  search.parameters = parameters;
  return search_terms(search, stop).hits;
}

std::vector<ScoredNode> StoreSnapshot::search_sparse(std::string_view group, std::string_view key,
                                                     std::span<const TermWeight> terms, const Filter& filter,
                                                     std::size_t k, const StopToken& stop) const {
  return search_terms(search_for(group, key, terms, filter, k), stop).hits;
}

TermStatistics StoreSnapshot::term_statistics(std::string_view group, std::string_view key, std::string_view signature,
                                              std::span<const std::string> terms) const {
  TermStatistics statistics = do_term_statistics(group, key, signature, terms);
  statistics.frequencies.resize(terms.size());
  return statistics;
}

VectorHits StoreSnapshot::search_vectors(const VectorSearch& search, const StopToken& stop) const {
  const auto refuse = [](const char* reason) {
    throw Error(Errc::invalid_argument, std::string("vector search: ") + reason);
  };
  check_k(search.k, "vector search");
  if (search.queries.empty() || search.dimension == 0) refuse("the query vector is empty");
  if (search.queries.size() % search.dimension != 0) refuse("the queries are not all of the dimension");
  if (!std::all_of(search.queries.begin(), search.queries.end(), [](float x) { return std::isfinite(x); }))
    refuse("an element of the query vector is not a finite number");
  if (search.metric < Metric::cosine || search.metric > Metric::hamming)
    refuse("its metric is none of the enumeration");
  if (!(search.recall >= 0 && search.recall <= 1)) refuse("the recall to be reached must be from 0 to 1");
  VectorHits found = do_search_vectors(search, stop);
  found.hits.resize(search.queries.size() / search.dimension);
  return found;
}

std::vector<ScoredNode> StoreSnapshot::search_vectors(std::string_view group, std::string_view key,
                                                      std::span<const float> query, Metric metric, const Filter& filter,
                                                      std::size_t k, const StopToken& stop) const {
  VectorSearch search;
  search.group = group;
  search.key = key;
  search.queries.assign(query.begin(), query.end());
  search.dimension = query.size();
  search.metric = metric;
  search.filter = filter;
  search.k = k;
  search.exact = true;
  return std::move(search_vectors(search, stop).hits.front());
}

}  // namespace ragstone
