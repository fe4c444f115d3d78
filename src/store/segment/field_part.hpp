#pragma once

#include "store/segment/container.hpp"
#include "store/segment/part.hpp"
#include <ragstone/base/filter_ast.hpp>
#include <ragstone/base/metadata.hpp>
#include <ragstone/base/stop.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone::segment {

/// A value of a field where it lies: the bytes of a text stay in the image.
struct FieldValue {
  /// Values ascend by it: all bools are before all numbers, and those before all texts.
  enum class Class : std::uint8_t { boolean, number, text };

  Class kind() const noexcept { return static_cast<Class>(scalar.index() == 0 ? 0 : scalar.index() == 3 ? 2 : 1); }

  Scalar scalar;          ///< An empty string for a text.
  std::string_view text;  ///< If it is one.
};

/// The visible metadata of the rows of one group, as far as its fields are declared; in rows of ascending node id, read
/// in place from an image. Each field has the ascending list of its different values, and a row the number of its own.
///
/// Thread safety: any number of concurrent readers.
class FieldPart {
 public:
  /// Checks the structure, not the payload. Errors: Errc::corrupt_store.
  explicit FieldPart(std::shared_ptr<const Image> image);

  std::size_t rows() const noexcept { return nodes_.size(); }
  NodeId node(std::uint32_t row) const noexcept { return nodes_[row]; }
  std::span<const NodeId> nodes() const noexcept { return nodes_; }
  SourceNumber source(std::uint32_t row) const noexcept { return sources_[row]; }
  /// Not kept.
  Hash128 content(std::uint32_t) const noexcept { return {}; }
  std::optional<std::uint32_t> find(NodeId node) const noexcept;
  const Container& container() const noexcept { return container_; }

  /// Ascending.
  const std::vector<std::string>& fields() const noexcept { return fields_; }
  /// The number of a field; none if it is not declared.
  std::optional<std::size_t> find_field(std::string_view name) const noexcept;
  /// For each row 0, if it does not have the field, or the number of its value, counted from 1. May be too large where
  /// bytes are damaged.
  std::span<const std::uint32_t> codes(std::size_t field) const noexcept {
    return codes_.subspan(field * rows(), rows());
  }
  /// How many different values the field has.
  std::size_t values(std::size_t field) const noexcept { return counts_[field]; }
  /// Errors: Errc::corrupt_store.
  FieldValue value(std::size_t field, std::size_t number) const;

  /// Checks everything. Empty: all is well.
  std::vector<Finding> verify(const StopToken& stop) const;

 private:
  Container container_;
  std::vector<std::string> fields_;
  std::vector<std::size_t> first_value_;  ///< Of each field, in ends_.
  std::span<const NodeId> nodes_;
  std::span<const SourceNumber> sources_;
  std::span<const std::uint32_t> codes_;
  std::vector<std::size_t> counts_;  ///< Of values of each field.
  std::span<const std::uint64_t> ends_;
  std::string_view values_;
};

struct FieldView {
  std::shared_ptr<const FieldPart> part;
  DeadRows dead;
};

/// Orders all values: by class, then as compare() does; equal numbers by type, then by sign.
bool value_less(const Scalar& a, const Scalar& b) noexcept;

/// The image of a part for a staged blob. `rows` ascend by node; `fields` ascend; `values` is [rows x fields].
std::string build_fields(Generation generation, std::span<const std::string> fields, std::span<const RowKey> rows,
                         std::span<const std::optional<Scalar>> values);

/// As merge_dense(); the parts have the same fields.
void merge_fields(Generation generation, std::span<const FieldView> parts, ImageSink& to, const StopToken& stop);

/// Whether a part with these fields (ascending) can answer all of the filter.
bool is_covered(const FilterNode& filter, std::span<const std::string> fields);

/// The rows that the filter holds for; the part covers it. What Filter::matches() says of each row's metadata.
/// Errors: Errc::corrupt_store.
RowBitmap select_rows(const FieldPart& part, const FilterNode& filter, const StopToken& stop);

}  // namespace ragstone::segment
