#include "store/segment/dense_part.hpp"

#include "kernel/distance.hpp"
#include "kernel/stop_poll.hpp"
#include "store/segment/block_check.hpp"
#include "store/segment/sign_bits.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace ragstone::segment {
namespace {

std::uint32_t checked_dimension(std::uint64_t dimension) {
  if (dimension == 0 || dimension > UINT32_MAX) throw_corrupt("impossible dimension");
  return static_cast<std::uint32_t>(dimension);
}

std::size_t elements(std::size_t rows, std::uint32_t dimension) {
  if (rows > SIZE_MAX / sizeof(float) / dimension) throw_corrupt("impossible dimension");
  return rows * dimension;
}

void add(std::vector<Finding>& findings, SectionId section, const char* problem, Finding::Loss loss,
         std::vector<std::uint32_t> rows = {}) {
  findings.push_back({section, std::string(name_of(section)) + ": " + problem, loss, std::move(rows)});
}

bool are_ordered(const DensePart& part, std::span<const std::uint32_t> order) {
  std::vector<bool> seen(part.rows());
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] >= part.rows() || seen[order[i]]) return false;
    seen[order[i]] = true;
    if (i > 0 && std::pair(part.content(order[i - 1]), order[i - 1]) > std::pair(part.content(order[i]), order[i]))
      return false;
  }
  return true;
}

/// Whether scale * code is as near to the row as the error says. `code`: of the element with that number.
template <class Code>
bool is_near(std::span<const float> vector, CodeScale scale, Code code) {
  double squares = 0;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const double lost = double{vector[i]} - double{scale.scale} * static_cast<double>(code(i));
    squares += lost * lost;
  }
  return std::sqrt(squares) <= double{scale.error};
}

bool codes_hold(const DensePart& part, std::uint32_t row) {
  const std::span<const std::int8_t> codes = part.codes(row);
  return is_near(part.vector(row), part.code_scale(row), [&](std::size_t i) { return codes[i]; });
}

bool nibbles_hold(const DensePart& part, std::uint32_t row) {
  const std::span<const std::uint8_t> nibbles = part.nibbles_from(row);
  return is_near(part.vector(row), part.all_nibble_scales()[row],
                 [&](std::size_t i) { return nibble_at(nibbles, part.dimension(), i); });
}

bool are_links(std::span<const std::uint32_t> links, std::uint32_t nodes) {
  return std::all_of(links.begin(), links.end(),
                     [&](std::uint32_t node) { return node < nodes || node == graph::kNone; });
}

// In the order in which they are worth having in memory.
constexpr SectionId kReadByWalks[] = {SectionId::graph_links, SectionId::codes, SectionId::graph_factors};
constexpr std::size_t kPieceBytes = std::size_t{32} << 20;

/// Whether each copy has one original, before it, that is no copy itself.
bool are_copies(const graph::Graph& graph) {
  const auto originals = graph.originals();
  const auto copies = graph.copies();
  std::vector<bool> is_copy(graph.nodes());
  for (std::size_t i = 0; i < copies.size(); ++i) {
    if (copies[i] >= graph.nodes() || originals[i] >= copies[i] || is_copy[copies[i]]) return false;
    is_copy[copies[i]] = true;
  }
  return std::is_sorted(originals.begin(), originals.end()) &&
         std::none_of(originals.begin(), originals.end(), [&](std::uint32_t row) { return is_copy[row]; });
}

}  // namespace

DensePart::DensePart(std::shared_ptr<const Image> image)
    : container_(std::move(image), Kind::dense), dimension_(checked_dimension(container_.parameter())) {
  const std::size_t rows = container_.rows();
  const std::size_t values = elements(rows, dimension_);
  nodes_ = container_.array<NodeId>(SectionId::nodes, rows);
  sources_ = container_.array<SourceNumber>(SectionId::sources, rows);
  contents_ = container_.array<Hash128>(SectionId::contents, rows);
  content_order_ = container_.array<std::uint32_t>(SectionId::content_order, rows);
  vectors_ = container_.array<float>(SectionId::vectors, values);
  codes_ = container_.array<std::int8_t>(SectionId::codes, values);
  code_scales_ = container_.array<CodeScale>(SectionId::code_scales, rows);
  norms_ = container_.array<double>(SectionId::norms, rows);
  if (container_.has(SectionId::bits))
    bits_ = container_.array<std::uint64_t>(SectionId::bits, rows * sign_words(dimension_));
  if (container_.has(SectionId::nibbles)) {
    nibbles_ = container_.array<std::uint8_t>(SectionId::nibbles, rows * kernel::nibble_bytes(dimension_));
    nibble_scales_ = container_.array<CodeScale>(SectionId::nibble_scales, rows);
  }
  for (const SectionId section : {SectionId::contents, SectionId::content_order})
    container_.expect_random_reads(section);
  if (container_.has(SectionId::graph_header)) open_graph();
}

void DensePart::open_graph() {
  const auto optional = [&](SectionId section) {
    return container_.has(section) ? container_.array<std::uint32_t>(section) : std::span<const std::uint32_t>();
  };
  for (const SectionId section : kReadByWalks) container_.expect_random_reads(section);
  container_.expect_random_reads(SectionId::vectors);
  // Their shape is looked at now, in a few pages around which the system may read megabytes.
  const bool has_upper = container_.has(SectionId::graph_upper);
  container_.expect_few_reads(SectionId::graph_header);
  if (has_upper) container_.expect_few_reads(SectionId::graph_upper);
  graph_factors_ = container_.array<graph::CodeFactor>(SectionId::graph_factors, rows());
  graph_.emplace(container_.array<graph::GraphHeader>(SectionId::graph_header, 1)[0],
                 container_.array<std::uint32_t>(SectionId::graph_links), optional(SectionId::graph_upper),
                 optional(SectionId::graph_originals), optional(SectionId::graph_copies));
  if (graph_->nodes() != rows()) graph::throw_corrupt_graph("it has not as many nodes as there are rows");
  if (has_upper) container_.expect_scans(SectionId::graph_upper);
  asked_ = std::make_shared<Asked>();
}

void DensePart::expect_scan() const {
  if (!asked_ || asked_->scan.load(std::memory_order_relaxed) || asked_->scan.exchange(true)) return;
  container_.expect_scans(SectionId::codes);
  container_.expect_scans(SectionId::vectors);
}

void DensePart::read_ahead() const {
  if (asked_) asked_->ahead.ask_for_more(container_, kReadByWalks, kPieceBytes);
}

void DensePart::read_soon(std::span<const std::uint32_t> rows) const {
  if (!asked_ || asked_->ahead.has_asked_for_all()) return;
  const std::size_t bytes = dimension_ * sizeof(float);
  for (const std::uint32_t row : rows) container_.expect_reading(SectionId::vectors, row * bytes, bytes);
}

bool DenseForm::fits(const DensePart& part) const noexcept {
  if (part.rows() > 0 && part.has_bits() != bits) return false;
  if (wants_nibbles(part.rows(), part.dimension()) && !part.has_nibbles()) return false;
  const graph::Graph* built = part.graph();
  if (built == nullptr || !wants_graph(part.rows())) return (built != nullptr) == wants_graph(part.rows());
  return graph::BaseGraph::fits(*built, *graph);
}

std::optional<std::uint32_t> DensePart::find(NodeId node) const noexcept {
  const auto found = std::lower_bound(nodes_.begin(), nodes_.end(), node);
  if (found == nodes_.end() || *found != node) return std::nullopt;
  return static_cast<std::uint32_t>(found - nodes_.begin());
}

std::vector<std::uint32_t> DensePart::find(const Hash128& content) const {
  const auto checked = [&](std::uint32_t row) {
    if (row >= rows()) throw_corrupt("content order names a row that does not exist");
    return row;
  };
  auto at = std::lower_bound(content_order_.begin(), content_order_.end(), content,
                             [&](std::uint32_t row, const Hash128& c) { return contents_[checked(row)] < c; });
  std::vector<std::uint32_t> rows;
  for (; at != content_order_.end() && contents_[checked(*at)] == content; ++at) rows.push_back(*at);
  return rows;
}

namespace {

/// Finds live rows of one part by their contents.
class ContentLookUp {
 public:
  ContentLookUp(const DenseView& view, bool checks)
      : view_(view),
        checks_(checks),
        contents_(view.part->container(), SectionId::contents),
        vectors_(view.part->container(), SectionId::vectors) {}

  /// Empty if there is none. Errors: Errc::corrupt_store, where nothing is checked.
  std::span<const float> find(const Hash128& content) {
    for (const std::uint32_t row : rows(content))
      if (!view_.dead.contains(row) && is_sound(row)) return view_.part->vector(row);
    return {};
  }
  bool met_damage() const noexcept { return met_damage_; }

 private:
  std::vector<std::uint32_t> rows(const Hash128& content) {
    try {
      return view_.part->find(content);
    } catch (const Error&) {
      if (!checks_) throw;
      met_damage_ = true;
      return {};
    }
  }

  bool is_sound(std::uint32_t row) {
    const std::size_t bytes = view_.part->dimension() * sizeof(float);
    const bool sound =
        !checks_ || (contents_.holds(row * sizeof(Hash128), sizeof(Hash128)) && vectors_.holds(row * bytes, bytes));
    met_damage_ = met_damage_ || !sound;
    return sound;
  }

  const DenseView& view_;
  const bool checks_;
  BlockCheck contents_;
  BlockCheck vectors_;
  bool met_damage_ = false;
};

}  // namespace

std::vector<std::vector<float>> find_vectors(std::span<const DenseView> parts, std::span<const Hash128> contents,
                                             const OnDamagedPart& on_damage) {
  std::vector<std::vector<float>> vectors(contents.size());
  for (std::size_t part = 0; part < parts.size(); ++part) {
    ContentLookUp look_up(parts[part], on_damage != nullptr);
    for (std::size_t i = 0; i < contents.size(); ++i) {
      if (!vectors[i].empty()) continue;
      const std::span<const float> vector = look_up.find(contents[i]);
      vectors[i].assign(vector.begin(), vector.end());
    }
    if (look_up.met_damage()) on_damage(part);
  }
  return vectors;
}

std::vector<Finding> DensePart::verify(const StopToken& stop) const {
  std::vector<Finding> findings = container_.damaged_sections(stop);
  if (std::adjacent_find(nodes_.begin(), nodes_.end(), std::greater_equal<>()) != nodes_.end() ||
      (!nodes_.empty() && nodes_.front() == 0))
    add(findings, SectionId::nodes, "ids do not ascend", Finding::Loss::part);
  if (!are_ordered(*this, content_order_))
    add(findings, SectionId::content_order, "rows are not in order", Finding::Loss::nothing);
  DeadRows lost;
  for (const Finding& finding : findings)
    if (finding.section == SectionId::vectors) lost = lost.with(finding.rows);
  kernel::StopPoll poll(stop);
  std::vector<std::uint32_t> not_finite;
  std::vector<std::uint32_t> wrong_norms;
  std::vector<std::uint32_t> wrong_codes;
  std::vector<std::uint32_t> wrong_bits;
  std::vector<std::uint32_t> wrong_nibbles;
  std::vector<std::uint32_t> wrong_factors;
  for (std::uint32_t row = 0; row < rows(); ++row) {
    poll.spend(dimension_ * std::size_t{4});
    if (lost.contains(row)) continue;
    const std::span<const float> values = vector(row);
    if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); })) {
      not_finite.push_back(row);
      continue;
    }
    if (kernel::norm(values) != norm(row)) wrong_norms.push_back(row);
    if (!codes_hold(*this, row)) wrong_codes.push_back(row);
    if (has_bits() && !std::ranges::equal(sign_bits(values), bits(row))) wrong_bits.push_back(row);
    if (has_nibbles() && !nibbles_hold(*this, row)) wrong_nibbles.push_back(row);
    if (graph_ && !factor_holds(row)) wrong_factors.push_back(row);
  }
  if (!not_finite.empty())
    add(findings, SectionId::vectors, "elements are not finite numbers", Finding::Loss::rows, std::move(not_finite));
  if (!wrong_norms.empty())
    add(findings, SectionId::norms, "some are not their vectors'", Finding::Loss::nothing, std::move(wrong_norms));
  if (graph_) verify_graph(findings, poll);
  if (!wrong_codes.empty())
    add(findings, SectionId::codes, "some are not their vectors'", Finding::Loss::nothing, std::move(wrong_codes));
  if (!wrong_bits.empty())
    add(findings, SectionId::bits, "some are not their vectors'", Finding::Loss::nothing, std::move(wrong_bits));
  if (!wrong_nibbles.empty())
    add(findings, SectionId::nibbles, "some are not their vectors'", Finding::Loss::nothing, std::move(wrong_nibbles));
  if (!wrong_factors.empty())
    add(findings, SectionId::graph_factors, "some are not their rows'", Finding::Loss::nothing,
        std::move(wrong_factors));
  return findings;
}

bool DensePart::factor_holds(std::uint32_t row) const {
  const graph::CodeFactor right =
      graph::code_factor(graph::metric_of(graph_->header()), code_scale(row).scale, norm(row));
  return std::memcmp(&right, &graph_factors_[row], sizeof right) == 0;
}

void DensePart::verify_graph(std::vector<Finding>& findings, kernel::StopPoll& poll) const {
  constexpr auto kNothing = Finding::Loss::nothing;
  const std::uint32_t nodes = graph_->nodes();
  for (std::uint32_t node = 0; node < nodes; ++node) {
    poll.spend(50);
    if (are_links(graph_->links(node), nodes)) continue;
    add(findings, SectionId::graph_links, "some lead nowhere", kNothing);
    break;
  }
  for (const graph::UpperLevel& level : graph_->upper())
    if (std::adjacent_find(level.nodes.begin(), level.nodes.end(), std::greater_equal<>()) != level.nodes.end() ||
        level.nodes.back() >= nodes || !are_links(level.links, nodes))
      add(findings, SectionId::graph_upper, "nodes or links are not in order", kNothing);
  if (!are_copies(*graph_)) add(findings, SectionId::graph_copies, "they are not in order", kNothing);
}

}  // namespace ragstone::segment
