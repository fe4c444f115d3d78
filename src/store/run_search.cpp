#include "store/run_search.hpp"

#include "store/diversify.hpp"
#include "store/fuse_members.hpp"
#include "store/merge_parents.hpp"
#include "store/run_member.hpp"
#include "store/target.hpp"
#include "store/vector_batch.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/text/offset_map.hpp>

#include <algorithm>
#include <cmath>
#include <exception>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>

namespace ragstone {
namespace {

/// What the searches of a request have in common.
struct Surroundings {
  const StoreSnapshot& snapshot;
  const StopToken& stop;
  const Parallel* parallel;
  VectorBatch& batch;
  std::size_t number = 0;  ///< Of the request in the batch.
};

MemberHits run_member(const Surroundings& with, const SearchRequest& request, const SearchMember& member, std::size_t k,
                      bool with_nodes) {
  if (VectorBatch::Found* found = with.batch.find(with.number, member.name))
    return finish_member(member,
                         vector_hits(std::get<VectorMember>(member.query), std::move(found->hits), found->plan));
  return run_member(with.snapshot, request, member, k, with_nodes, with.stop, with.parallel);
}

/// Runs the members, and takes out of `request` those that fail where it allows that.
std::vector<MemberHits> run_members(const Surroundings& with, SearchRequest& request, std::size_t k, bool with_nodes,
                                    SearchResponse& response) {
  std::vector<MemberHits> members;
  std::exception_ptr first_error;
  for (std::size_t i = 0; i < request.members.size();) {
    try {
      members.push_back(run_member(with, request, request.members[i], k, with_nodes));
      response.notes.push_back(std::move(members.back().note));
      ++i;
    } catch (...) {
      const std::exception_ptr error = std::current_exception();
      if (request.on_failure == OnMemberFailure::fail || is_cancelled(error)) throw;
      if (!first_error) first_error = error;
      response.failures.push_back(failure_of(request.members[i].name, error));
      response.notes.push_back(note_of(response.failures.back()));
      request.members.erase(request.members.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  if (members.empty()) std::rethrow_exception(first_error);
  return members;
}

std::vector<MemberRank> ranks_of(NodeId id, const SearchRequest& request, const std::vector<MemberHits>& members) {
  std::vector<MemberRank> ranks;
  for (std::size_t m = 0; m < members.size(); ++m) {
    const auto& hits = members[m].hits;
    const auto found = std::find_if(hits.begin(), hits.end(), [id](const ScoredNode& hit) { return hit.id == id; });
    if (found == hits.end()) continue;
    MemberRank& rank = ranks.emplace_back();
    rank.member = request.members[m].name;
    rank.rank = static_cast<std::size_t>(found - hits.begin()) + 1;
    rank.score = found->score;
  }
  return ranks;
}

/// Finds the file's bytes for spans of the text.
class FileSpans {
 public:
  explicit FileSpans(const StoreSnapshot& snapshot) : snapshot_(snapshot) {}

  Span to_file(const Node& node) {
    const auto [place, is_new] = maps_.try_emplace(node.source);
    if (is_new) place->second = snapshot_.offset_map(node.source);
    return place->second ? place->second->to_file(node.span) : node.span;
  }

 private:
  const StoreSnapshot& snapshot_;
  std::unordered_map<std::string, std::shared_ptr<const OffsetMap>> maps_;
};

bool carries(const SearchRequest& request) { return !request.target.empty() && request.target != request.group; }

/// The nodes that answer, in their order.
std::vector<TargetHit> choose(const StoreSnapshot& snapshot, const SearchRequest& request,
                              const std::vector<ScoredNode>& ranked, SearchResponse& response, const StopToken& stop) {
  std::vector<TargetHit> chosen;
  if (carries(request)) {
    chosen = carry_over(snapshot, request.group, request.target, request.target_score, ranked, stop);
    response.notes.push_back(std::to_string(ranked.size()) + " hits in \"" + request.group + "\" lead to " +
                             std::to_string(chosen.size()) + " nodes in \"" + request.target + '"');
  } else {
    for (std::size_t i = 0; i < ranked.size(); ++i) chosen.push_back({ranked[i], i});
  }
  if (request.diversity) {
    const std::string& group = carries(request) ? request.target : request.group;
    std::string note;
    chosen = diversify(snapshot, request, group, std::move(chosen), note, stop);
    if (!note.empty()) response.notes.push_back(std::move(note));
  }
  if (chosen.size() > request.top_k) chosen.resize(request.top_k);
  if (request.parent_share > 0) {
    const std::size_t before = chosen.size();
    chosen = merge_parents(snapshot, request, std::move(chosen), stop);
    response.notes.push_back("parents: " + std::to_string(before) + " hits became " + std::to_string(chosen.size()));
  }
  return chosen;
}

/// The nodes of `chosen`, in its order; from the snapshot those that no member has read.
std::vector<Node> read_nodes(const StoreSnapshot& snapshot, const std::vector<TargetHit>& chosen,
                             std::vector<MemberHits>& members, const StopToken& stop) {
  std::unordered_map<NodeId, Node*> known;
  for (MemberHits& member : members)
    for (Node& node : member.nodes) known.emplace(node.id, &node);
  NodeQuery query;
  query.ids.emplace();
  for (const TargetHit& hit : chosen)
    if (!known.contains(hit.node.id)) query.ids->push_back(hit.node.id);
  std::vector<Node> others;
  if (!query.ids->empty()) others = snapshot.nodes(query, stop);
  for (Node& node : others) known.emplace(node.id, &node);
  std::vector<Node> nodes;
  nodes.reserve(chosen.size());
  for (const TargetHit& hit : chosen)
    if (const auto node = known.extract(hit.node.id)) nodes.push_back(std::move(*node.mapped()));
  return nodes;
}

}  // namespace

MemberFailure failure_of(std::string member, const std::exception_ptr& error) {
  MemberFailure failure;
  failure.member = std::move(member);
  failure.code = errc_of(error);
  failure.reason = message_of(error);
  return failure;
}

std::string note_of(const MemberFailure& failure) {
  return failure.member + ": left out, " + name_of(failure.code) + ": " + failure.reason;
}

void check_text(const TextMember& member, const std::string& name) {
  const auto refuse = [&](const std::string& reason) {
    throw Error(Errc::invalid_argument, "search: member \"" + name + "\": " + reason);
  };
  const TextBoosts& boosts = member.boosts;
  for (const double boost : {boosts.proximity, boosts.exact_form, boosts.lead, boosts.coverage})
    if (!std::isfinite(boost) || boost < 0) refuse("boosts must be 0 or more");
  if (!(boosts.neighbours >= 0 && boosts.neighbours <= 1)) refuse("the share of neighbours must be from 0 to 1");
  if (!std::isfinite(member.terms.character) || member.terms.character < 0)
    refuse("the weight of a character must be 0 or more");
  if (!std::isfinite(member.terms.k3) || member.terms.k3 < 0) refuse("k3 must be 0 or more");
  const Feedback& feedback = member.feedback;
  if (!(feedback.weight >= 0 && feedback.weight <= 1)) refuse("the weight of feedback must be from 0 to 1");
  if (feedback.rank == 0) refuse("the rank of feedback counts from 1");
  if (!(feedback.flat_from >= 0 && feedback.flat_from <= feedback.flat_to && feedback.flat_to <= 1))
    refuse("feedback needs 0 <= flat_from <= flat_to <= 1");
}

void check_search(const SearchRequest& request) {
  const auto refuse = [](const std::string& reason) { throw Error(Errc::invalid_argument, "search: " + reason); };
  if (request.group.empty()) refuse("name a group");
  if (request.members.empty()) refuse("there is nothing to rank by; add a member");
  if (request.top_k == 0) refuse("top_k is 0; ask for at least 1 hit");
  if (!std::isfinite(request.rrf_k) || request.rrf_k < 0) refuse("rrf_k must be 0 or more");
  if (request.diversity && !(request.diversity->lambda >= 0 && request.diversity->lambda <= 1))
    refuse("the lambda of diversity must be from 0 to 1");
  if (!(request.parent_share >= 0 && request.parent_share <= 1)) refuse("parent_share must be from 0 to 1");
  if (request.parent_share > 0 && carries(request))
    refuse("parent_share and a target exclude each other; use one of them");
  std::set<std::string_view> names;
  for (const SearchMember& member : request.members) {
    if (!names.insert(member.name).second) refuse("two members have the name \"" + member.name + '"');
    if (const auto* text = std::get_if<TextMember>(&member.query)) check_text(*text, member.name);
    if (!std::isfinite(member.weight) || member.weight <= 0)
      refuse("the weight of member \"" + member.name + "\" must be above 0");
    if (member.cut_off && std::isnan(*member.cut_off)) refuse("the cut-off of \"" + member.name + "\" is not a number");
  }
}

namespace {

SearchResponse run(const Surroundings& with, SearchRequest request) {
  const StoreSnapshot& snapshot = with.snapshot;
  const StopToken& stop = with.stop;
  const bool is_plain =
      request.members.size() == 1 && !carries(request) && !request.diversity && request.parent_share == 0;
  SearchResponse response;
  response.generation = snapshot.generation();
  std::vector<MemberHits> members = run_members(with, request, member_hits(request), is_plain, response);
  const std::vector<ScoredNode> ranked = fuse_members(request, members);
  const std::vector<TargetHit> chosen = choose(snapshot, request, ranked, response, stop);
  std::vector<Node> nodes = read_nodes(snapshot, chosen, members, stop);
  FileSpans files(snapshot);
  auto from = chosen.begin();
  for (Node& node : nodes) {
    while (from->node.id != node.id) ++from;
    SearchHit& hit = response.hits.emplace_back();
    hit.file_span = files.to_file(node);
    hit.node = std::move(node);
    hit.score = from->node.score;
    hit.ranks = ranks_of(ranked[from->origin].id, request, members);
  }
  return response;
}

}  // namespace

SearchResponse run_search(const StoreSnapshot& snapshot, SearchRequest request, const StopToken& stop,
                          const Parallel* parallel) {
  check_search(request);
  VectorBatch none;
  return run({snapshot, stop, parallel, none}, std::move(request));
}

std::vector<SearchResponse> run_searches(const StoreSnapshot& snapshot, std::vector<SearchRequest> requests,
                                         const StopToken& stop, const Parallel* parallel) {
  for (const SearchRequest& request : requests) check_search(request);
  VectorBatch batch(snapshot, requests, stop, parallel);
  std::vector<SearchResponse> responses;
  for (std::size_t i = 0; i < requests.size(); ++i)
    responses.push_back(run({snapshot, stop, parallel, batch, i}, std::move(requests[i])));
  return responses;
}

}  // namespace ragstone
