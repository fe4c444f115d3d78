#include "store/memory/segment_fields.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace ragstone::memory {
namespace {

std::shared_ptr<const segment::FieldPart> make_columns(const std::vector<std::string>& declared, std::size_t rows,
                                                       const SegmentFields::RowFields& fields_of,
                                                       const StopToken& stop) {
  std::vector<segment::RowKey> keys(rows);
  std::vector<std::optional<Scalar>> values;
  values.reserve(rows * declared.size());
  for (std::size_t row = 0; row < rows; ++row) {
    if (row % 1024 == 0) throw_if_stopped(stop);
    keys[row].node = row + 1;
    const OverlayFields fields = fields_of(row);
    for (const std::string& name : declared) {
      const Scalar* value = fields.find(name);
      values.push_back(value ? std::optional(*value) : std::nullopt);
    }
  }
  const std::string image = segment::build_fields(0, declared, keys, values);
  return std::make_shared<const segment::FieldPart>(segment::heap_image(image));
}

}  // namespace

Selection SegmentFields::select(const std::vector<std::string>& declared, const Filter& filter, std::size_t rows,
                                const RowFields& fields_of, const StopToken& stop) const {
  if (declared.empty() || !segment::is_covered(*filter.root(), declared)) return nullptr;
  const std::string text = filter.to_string();
  const std::lock_guard lock(mutex_);
  const auto known =
      std::find_if(remembered_.begin(), remembered_.end(), [&](const auto& one) { return one.first == text; });
  if (known != remembered_.end()) {
    remembered_.splice(remembered_.begin(), remembered_, known);
    return known->second;
  }
  if (!columns_ || columns_->fields() != declared) columns_ = make_columns(declared, rows, fields_of, stop);
  auto allowed = std::make_shared<const SelectedRows>(segment::select_rows(*columns_, *filter.root(), stop));
  remembered_.emplace_front(text, allowed);
  if (remembered_.size() > kRemembered) remembered_.pop_back();
  return allowed;
}

}  // namespace ragstone::memory
