#include "store/sqlite/state.hpp"

namespace ragstone::sqlite {
namespace {

template <class View>
std::vector<View> views_of(const std::vector<Part>& parts) {
  std::vector<View> views;
  for (const Part& part : parts)
    if (const auto* data = std::get_if<decltype(View::part)>(&part.data)) views.push_back({*data, part.dead});
  return views;
}

}  // namespace

std::size_t Part::rows() const noexcept {
  return std::visit([](const auto& part) { return part->rows(); }, data);
}

std::optional<std::uint32_t> Part::find(NodeId node) const noexcept {
  return std::visit([node](const auto& part) { return part->find(node); }, data);
}

void Part::kill(std::span<const std::uint32_t> killed) {
  dead = dead.with(killed);
  if (const auto* sparse = std::get_if<std::shared_ptr<const segment::SparsePart>>(&data))
    for (const std::uint32_t row : killed) dead_tokens += (*sparse)->length(row);
}

std::vector<segment::DenseView> Column::dense() const { return views_of<segment::DenseView>(parts); }
std::vector<segment::SparseView> Column::sparse() const { return views_of<segment::SparseView>(parts); }
std::vector<segment::FieldView> Column::fields() const { return views_of<segment::FieldView>(parts); }

segment::SparseTotals Column::totals() const {
  segment::SparseTotals totals;
  for (const Part& part : parts)
    if (const auto* data = std::get_if<std::shared_ptr<const segment::SparsePart>>(&part.data)) {
      totals.nodes += part.live_rows();
      totals.tokens += (*data)->tokens() - part.dead_tokens;
    }
  return totals;
}

const Column* State::column(DefinitionNumber definition) const {
  const auto found = columns.find(definition);
  return found == columns.end() ? nullptr : found->second.get();
}

}  // namespace ragstone::sqlite
