#include "store/segment/dense_part.hpp"

#include "kernel/distance.hpp"
#include "kernel/stop_poll.hpp"

#include <algorithm>
#include <cmath>
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

/// Whether scale * code is as near to the row as the error says.
bool codes_hold(const DensePart& part, std::uint32_t row) {
  const std::span<const float> vector = part.vector(row);
  const std::span<const std::int8_t> codes = part.codes(row);
  const CodeScale scale = part.code_scale(row);
  double squares = 0;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const double lost = double{vector[i]} - double{scale.scale} * static_cast<double>(codes[i]);
    squares += lost * lost;
  }
  return std::sqrt(squares) <= double{scale.error};
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
  }
  if (!not_finite.empty())
    add(findings, SectionId::vectors, "elements are not finite numbers", Finding::Loss::rows, std::move(not_finite));
  if (!wrong_norms.empty())
    add(findings, SectionId::norms, "some are not their vectors'", Finding::Loss::nothing, std::move(wrong_norms));
  if (!wrong_codes.empty())
    add(findings, SectionId::codes, "some are not their vectors'", Finding::Loss::nothing, std::move(wrong_codes));
  return findings;
}

}  // namespace ragstone::segment
