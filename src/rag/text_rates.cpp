#include "rag/text_rates.hpp"

#include <ragstone/async/offload.hpp>
#include <ragstone/text/token_counter.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace ragstone {
namespace {

constexpr std::size_t kSources = 32;
constexpr std::size_t kNodes = 64;
// Where nothing is stored: a text of about 1,000 bytes, with the tokens that English has in 1,200 and Chinese in 750.
constexpr double kTextsPerByte = 1.0 / 1000;
constexpr double kTokensPerByte = 0.3;

/// Stored sources with text, evenly spread.
std::vector<std::size_t> sample(const Records& records) {
  std::vector<std::size_t> stored;
  for (std::size_t i = 0; i < records.size(); ++i)
    if (records[i].generation != 0 && records[i].text_bytes > 0) stored.push_back(i);
  std::vector<std::size_t> chosen;
  const std::size_t count = std::min(kSources, stored.size());
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(stored[i * stored.size() / count]);
  return chosen;
}

bool has_embedder(const PlannedGroup& group) {
  return std::any_of(group.columns.begin(), group.columns.end(),
                     [](const PlannedColumn& column) { return !column.is_bm25(); });
}

double tokens_of(const std::vector<Node>& nodes, const StopToken& stop) {
  const auto counter = estimated_token_counter();
  double tokens = 0;
  for (const Node& node : nodes) {
    throw_if_stopped(stop);
    tokens += static_cast<double>(counter->count(node.text));
  }
  return tokens;
}

Task<double> count_tokens(Pool pool, std::vector<Node> nodes, CallContext context) {
  Work<double> work;
  work.set([nodes = std::move(nodes)](const StopToken& stop) { return tokens_of(nodes, stop); });
  co_return co_await offload(pool, Lane::background, std::move(work), context);
}

}  // namespace

TextRates::Amount TextRates::of(const std::string& group, std::uint64_t bytes) const {
  Amount amount;
  if (bytes == 0) return amount;
  const auto size = static_cast<double>(bytes);
  const auto found = rates_.find(group);
  const double texts = found == rates_.end() ? kTextsPerByte : found->second.texts / found->second.bytes;
  const double tokens = found == rates_.end() ? kTokensPerByte : found->second.tokens / found->second.bytes;
  amount.texts = std::max(1.0, size * texts);
  amount.tokens = size * tokens;
  return amount;
}

Task<TextRates> sample_rates(std::shared_ptr<DocumentCore> core, std::shared_ptr<const Records> records,
                             std::shared_ptr<const IngestPlan> plan, CallContext context) {
  TextRates rates;
  const Snapshot latest;
  const std::vector<std::size_t> chosen = sample(*records);
  for (const PlannedGroup& group : plan->groups) {
    if (!has_embedder(group)) continue;
    TextRates::Rate rate;
    for (const std::size_t place : chosen) {
      const SourceRecord& record = (*records)[place];
      NodeQuery query;
      query.group = group.name;
      query.source = record.id;
      query.limit = kNodes;
      std::vector<Node> nodes = co_await core->store->nodes(query, latest, context);
      if (nodes.empty()) continue;
      rate.texts += static_cast<double>(nodes.size());
      rate.bytes += static_cast<double>(nodes.size() < kNodes ? record.text_bytes : nodes.back().span.end);
      rate.tokens += co_await count_tokens(core->pool, std::move(nodes), context);
    }
    if (rate.bytes > 0) rates.rates_.emplace(group.name, rate);
  }
  co_return rates;
}

}  // namespace ragstone
