#include "store/run_search.hpp"
#include <ragstone/async/deadline.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/model/store.hpp>

#include <utility>

namespace ragstone {

Task<CommitResult> Store::commit(Commit commit, CallContext context) {
  Task<CommitResult> work = do_commit(std::move(commit), context);
  co_return co_await with_deadline(std::move(work), context);
}

Task<Snapshot> Store::pin(CallContext context) {
  if (!capabilities().snapshots)
    throw Error(Errc::unsupported, "Store::pin: the store \"" + capabilities().name + "\" has no snapshots");
  Task<Snapshot> work = do_pin(context);
  co_return co_await with_deadline(std::move(work), context);
}

Task<SearchResponse> Store::search(SearchRequest request, Snapshot at, CallContext context) {
  check_search(request);
  Task<SearchResponse> work = do_search(std::move(request), std::move(at), context);
  co_return co_await with_deadline(std::move(work), context);
}

Task<std::vector<SearchResponse>> Store::search_all(std::vector<SearchRequest> requests, Snapshot at,
                                                    CallContext context) {
  for (const SearchRequest& request : requests) check_search(request);
  Task<std::vector<SearchResponse>> work = do_search_all(std::move(requests), std::move(at), context);
  co_return co_await with_deadline(std::move(work), context);
}

Task<std::vector<SearchResponse>> Store::do_search_all(std::vector<SearchRequest> requests, Snapshot at,
                                                       CallContext context) {
  std::vector<SearchResponse> responses;
  for (SearchRequest& request : requests) {
    SearchResponse response = co_await do_search(std::move(request), at, context);
    responses.push_back(std::move(response));
  }
  co_return responses;
}

Task<std::vector<Node>> Store::nodes(NodeQuery query, Snapshot at, CallContext context) {
  Task<std::vector<Node>> work = do_nodes(std::move(query), std::move(at), context);
  co_return co_await with_deadline(std::move(work), context);
}

Task<std::vector<SourceRecord>> Store::sources(SourceQuery query, Snapshot at, CallContext context) {
  Task<std::vector<SourceRecord>> work = do_sources(std::move(query), std::move(at), context);
  co_return co_await with_deadline(std::move(work), context);
}

Task<std::optional<std::string>> Store::text(std::string source, Snapshot at, CallContext context) {
  Task<std::optional<std::string>> work = do_text(std::move(source), std::move(at), context);
  co_return co_await with_deadline(std::move(work), context);
}

Task<std::vector<GroupInfo>> Store::groups(Snapshot at, CallContext context) {
  Task<std::vector<GroupInfo>> work = do_groups(std::move(at), context);
  co_return co_await with_deadline(std::move(work), context);
}

Task<std::vector<std::string>> Store::pending(PendingQuery query, Snapshot at, CallContext context) {
  Task<std::vector<std::string>> work = do_pending(std::move(query), std::move(at), context);
  co_return co_await with_deadline(std::move(work), context);
}

Task<std::vector<std::vector<float>>> Store::vectors(std::string key, std::string signature,
                                                     std::vector<Hash128> contents, CallContext context) {
  Task<std::vector<std::vector<float>>> work =
      do_vectors(std::move(key), std::move(signature), std::move(contents), context);
  co_return co_await with_deadline(std::move(work), context);
}

Task<std::vector<std::optional<std::vector<TermWeight>>>> Store::sparse_vectors(std::string key, std::string signature,
                                                                                std::vector<Hash128> contents,
                                                                                CallContext context) {
  Task<std::vector<std::optional<std::vector<TermWeight>>>> work =
      do_sparse_vectors(std::move(key), std::move(signature), std::move(contents), context);
  co_return co_await with_deadline(std::move(work), context);
}

Task<std::optional<GroupChange>> Store::changes(std::string group, Generation since, Snapshot at, CallContext context) {
  Task<std::optional<GroupChange>> work = do_changes(std::move(group), since, std::move(at), context);
  co_return co_await with_deadline(std::move(work), context);
}

Task<void> Store::declare_fields(std::vector<FieldDeclaration> fields, CallContext context) {
  Task<void> work = do_declare_fields(checked_fields(std::move(fields)), context);
  co_await with_deadline(std::move(work), context);
}

Task<VectorIndexes> Store::declare_vector_indexes(VectorIndexes indexes, CallContext context) {
  for (const auto& [key, options] : indexes) check_vector_index(key, options);
  Task<VectorIndexes> work = do_declare_vector_indexes(std::move(indexes), context);
  co_return co_await with_deadline(std::move(work), context);
}

Task<bool> Store::maintain(Upkeep upkeep, CallContext context) {
  Task<bool> work = do_maintain(upkeep, context);
  co_return co_await with_deadline(std::move(work), context);
}

Task<VerifyReport> Store::verify(CallContext context) {
  Task<VerifyReport> work = do_verify(context);
  co_return co_await with_deadline(std::move(work), context);
}

Task<void> Store::backup(std::filesystem::path folder, CallContext context) {
  Task<void> work = do_backup(std::move(folder), context);
  co_await with_deadline(std::move(work), context);
}

Task<void> Store::close(CallContext context) {
  Task<void> work = do_close(context);
  co_await with_deadline(std::move(work), context);
}

Task<std::shared_ptr<Store>> StoreFactory::open(Pool pool, CallContext context) {
  Task<std::shared_ptr<Store>> work = do_open(std::move(pool), context);
  co_return co_await with_deadline(std::move(work), context);
}

}  // namespace ragstone
