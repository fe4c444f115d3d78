#include <ragstone/model/usage_meter.hpp>

#include <iomanip>
#include <mutex>
#include <set>
#include <sstream>
#include <utility>

namespace ragstone {
namespace {

bool is_metered(EventKind kind) {
  return kind == EventKind::chat || kind == EventKind::embed || kind == EventKind::rerank;
}

std::uint64_t count_in(const Metadata& attributes, std::string_view name) {
  const Scalar* value = attributes.find(name);
  const auto* count = value ? std::get_if<std::int64_t>(value) : nullptr;
  return count && *count > 0 ? static_cast<std::uint64_t>(*count) : 0;
}

void add(UsageRow& row, const Usage& usage) {
  const bool has_output = row.operation == EventKind::chat;
  row.input += usage.input.value_or(has_output ? 0 : usage.total.value_or(0));
  row.output += usage.output.value_or(0);
  row.cache_read += usage.cache_read.value_or(0);
  row.cache_write += usage.cache_write.value_or(0);
  row.reasoning += usage.reasoning.value_or(0);
  row.searches += usage.searches.value_or(0);
}

void add(UsageRow& to, const UsageRow& row) {
  to.requests += row.requests;
  to.failures += row.failures;
  to.cache_hits += row.cache_hits;
  to.reported += row.reported;
  to.estimated += row.estimated;
  to.missing += row.missing;
  to.partial += row.partial;
  to.input += row.input;
  to.output += row.output;
  to.cache_read += row.cache_read;
  to.cache_write += row.cache_write;
  to.reasoning += row.reasoning;
  to.searches += row.searches;
}

}  // namespace

/// Models without a price that a log was told of. Thread-safe.
class UsageMeterOptions::ToldModels {
 public:
  bool is_new(const std::string& model) {
    const std::lock_guard lock(mutex_);
    return models_.insert(model).second;
  }

 private:
  std::mutex mutex_;
  std::set<std::string> models_;
};

UsageMeterOptions::UsageMeterOptions() : told_(std::make_shared<ToldModels>()) {}

class UsageMeter::Counts final : public Observer {
 public:
  explicit Counts(UsageMeterOptions options) : options_(std::move(options)) {}

  bool wants_tokens() const noexcept override { return false; }

  UsageReport report() const {
    const std::lock_guard lock(mutex_);
    UsageReport report;
    for (const auto& entry : rows_) {
      report.rows.push_back(entry.second);
      std::optional<double>& cost = report.rows.back().cost;
      if (options_.prices && !cost && !unknown_.contains(entry.first)) cost = 0;
    }
    return report;
  }

 private:
  using Key = std::pair<EventKind, std::string>;

  void on_event(const Event& event) override {
    const bool ended = event.phase() == EventPhase::end;
    const bool failed = event.phase() == EventPhase::error || event.phase() == EventPhase::retry;
    if (!ended && !failed) return;
    const std::lock_guard lock(mutex_);
    if (event.kind() == EventKind::cache) {
      if (const std::uint64_t hits = count_in(event.attributes(), "hits"); hits > 0)
        row(operation_of(event), event.name()).cache_hits += hits;
    } else if (is_metered(event.kind())) {
      count_attempt(event, ended);
    }
  }

  /// What the calls that the cache saves would have been.
  static EventKind operation_of(const Event& event) {
    return event.attributes().text("operation") == name_of(EventKind::chat) ? EventKind::chat : EventKind::embed;
  }

  void count_attempt(const Event& event, bool ended) {
    UsageRow& counts = row(event.kind(), event.attributes().text("model").value_or(event.name()));
    ++(ended ? counts.requests : counts.failures);
    const Usage usage = usage_of(event.attributes());
    if (usage.empty()) {
      // An attempt that failed before anything came back has used nothing that is known of.
      if (ended || count_in(event.attributes(), "bytes") > 0 || count_in(event.attributes(), "calls") > 0)
        count_missing(counts);
      return;
    }
    ++(usage.estimated ? counts.estimated : counts.reported);
    if (usage.partial) ++counts.partial;
    add(counts, usage);
    add_cost(counts, event.name(), usage);
  }

  void count_missing(UsageRow& counts) {
    ++counts.missing;
    unknown_.emplace(counts.operation, counts.model);
  }

  /// The price of the name that the provider gives, or of the one that was asked for.
  const Price* price_of(const UsageRow& counts, const std::string& asked) const {
    const Price* price = options_.prices->find(counts.model);
    if (price == nullptr) price = options_.prices->find(asked);
    if (price == nullptr && options_.told_->is_new(counts.model))
      options_.log(LogLevel::warning, "usage: the model \"" + counts.model + "\" has no price; its cost is not known");
    return price;
  }

  void add_cost(UsageRow& counts, const std::string& asked, const Usage& usage) {
    const bool is_free = usage.input == std::uint64_t{0} && !usage.output;  // the calls below it are what is paid for
    if (!options_.prices || is_free) return;
    const Price* price = price_of(counts, asked);
    const auto cost = price ? cost_of(usage, *price, counts.operation == EventKind::chat) : std::nullopt;
    if (!cost) {
      unknown_.emplace(counts.operation, counts.model);
      return;
    }
    counts.cost = counts.cost.value_or(0) + *cost;
    counts.currency = price->currency;
  }

  UsageRow& row(EventKind operation, const std::string& model) {
    UsageRow& found = rows_[Key(operation, model)];
    found.operation = operation;
    found.model = model;
    return found;
  }

  const UsageMeterOptions options_;
  mutable std::mutex mutex_;
  std::map<Key, UsageRow> rows_;
  std::set<Key> unknown_;  // with attempts whose cost is not known
};

UsageRow UsageReport::total(EventKind operation) const {
  UsageRow total;
  total.operation = operation;
  bool priced = true;
  for (const UsageRow& row : rows) {
    if (row.operation != operation) continue;
    add(total, row);
    const bool same_currency =
        row.currency.empty() || total.currency.empty() || total.currency == row.currency;  // none: nothing was paid
    priced = priced && row.cost && same_currency;
    if (!priced) continue;
    total.cost = total.cost.value_or(0) + *row.cost;
    if (total.currency.empty()) total.currency = row.currency;
  }
  if (!priced) {
    total.cost.reset();
    total.currency.clear();
  }
  return total;
}

std::map<std::string, double> UsageReport::costs() const {
  std::map<std::string, double> costs;
  for (const UsageRow& row : rows)
    if (row.cost && !row.currency.empty()) costs[row.currency] += *row.cost;
  return costs;
}

std::string UsageReport::text() const {
  std::ostringstream out;
  for (const UsageRow& row : rows) {
    out << name_of(row.operation) << ' ' << row.model << ": " << row.requests << " requests";
    if (row.failures > 0) out << ", " << row.failures << " failed";
    if (row.cache_hits > 0) out << ", " << row.cache_hits << " from the cache";
    out << "; " << row.input << " tokens in";
    if (row.cache_read > 0) out << " (" << row.cache_read << " cached)";
    if (row.operation == EventKind::chat) out << ", " << row.output << " out";
    if (row.searches > 0) out << ", " << row.searches << " searches";
    if (row.estimated > 0) out << ", " << row.estimated << " estimated";
    if (row.missing > 0) out << ", " << row.missing << " without counts";
    if (row.partial > 0) out << ", " << row.partial << " with counts of a part";
    if (row.cost && !row.currency.empty())
      out << "; " << std::fixed << std::setprecision(6) << *row.cost << ' ' << row.currency;
    out << '\n';
  }
  return out.str();
}

UsageMeter::UsageMeter(CallContext parent, UsageMeterOptions options) {
  if (options.estimate) parent = parent.with_token_counter(options.estimate);
  counts_ = std::make_shared<Counts>(std::move(options));
  context_ = parent.with_observer(counts_);
}

UsageMeter::~UsageMeter() = default;

UsageReport UsageMeter::report() const { return counts_->report(); }

}  // namespace ragstone
