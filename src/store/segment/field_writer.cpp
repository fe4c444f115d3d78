#include "kernel/stop_poll.hpp"
#include "store/coding.hpp"
#include "store/segment/field_part.hpp"
#include "store/segment/merge_plan.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

namespace ragstone::segment {
namespace {

constexpr std::size_t kSections = 7;
// The sections of a source of a few rows are small.
constexpr std::size_t kAlignment = 8;

int class_of(const Scalar& value) noexcept { return value.index() == 0 ? 0 : value.index() == 3 ? 2 : 1; }

void append_value(std::string& to, const Scalar& value) {
  const auto append = [&to](char kind, const auto& number) {
    to.push_back(kind);
    to.append(reinterpret_cast<const char*>(&number), sizeof number);
  };
  if (const bool* flag = std::get_if<bool>(&value)) {
    to.push_back(*flag ? 1 : 0);
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    append(2, *integer);
  } else if (const auto* real = std::get_if<double>(&value)) {
    append(3, *real);
  } else {
    to.push_back(4);
    to.append(std::get<std::string>(value));
  }
}

/// Writes the rows, then the codes field by field; the values are kept until the end.
class FieldWriter {
 public:
  FieldWriter(ImageSink& to, Generation generation, std::size_t rows, std::span<const std::string> fields)
      : writer_(to, {Kind::fields, generation, rows, fields.size()}, kSections), rows_(rows) {
    ByteWriter names;
    for (const std::string& name : fields) names.string(name);
    write(SectionId::field_names, 1, std::move(names).take());
  }

  template <class Key>
  void write_rows(Key key) {
    write_column(SectionId::nodes, [&](std::size_t n) { return key(n).node; });
    write_column(SectionId::sources, [&](std::size_t n) { return key(n).source; });
    writer_.begin(SectionId::field_codes, sizeof(std::uint32_t));
  }
  void add_field(std::span<const std::uint32_t> codes, std::size_t values) {
    writer_.append(codes);
    counts_.push_back(static_cast<std::uint32_t>(values));
  }
  /// Of the next field, ascending.
  void add_value(const Scalar& value) {
    append_value(values_, value);
    ends_.push_back(values_.size());
  }
  void finish() {
    writer_.end();
    writer_.begin(SectionId::field_counts, sizeof(std::uint32_t));
    writer_.append(std::span<const std::uint32_t>(counts_));
    writer_.end();
    writer_.begin(SectionId::value_ends, sizeof(std::uint64_t));
    writer_.append(std::span<const std::uint64_t>(ends_));
    writer_.end();
    write(SectionId::values, 1, values_);
    writer_.finish();
  }

 private:
  template <class Value>
  void write_column(SectionId section, Value value) {
    writer_.begin(section, sizeof(value(0)));
    for (std::size_t n = 0; n < rows_; ++n) writer_.append_value(value(n));
    writer_.end();
  }
  void write(SectionId section, std::size_t element, std::string_view bytes) {
    writer_.begin(section, element);
    writer_.append(bytes);
    writer_.end();
  }

  ContainerWriter writer_;
  std::size_t rows_;
  std::vector<std::uint32_t> counts_;
  std::vector<std::uint64_t> ends_;
  std::string values_;
};

bool same_value(const Scalar& a, const Scalar& b) noexcept { return !value_less(a, b) && !value_less(b, a); }

/// Sorts items by value and hands out numbers from 1: `give(item, code)`. Writes each different value once.
template <class Item, class ValueOf, class Give>
std::size_t number_values(std::vector<Item>& items, FieldWriter& writer, ValueOf value_of, Give give) {
  std::sort(items.begin(), items.end(),
            [&](const Item& a, const Item& b) { return value_less(value_of(a), value_of(b)); });
  std::uint32_t code = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i == 0 || !same_value(value_of(items[i - 1]), value_of(items[i]))) {
      writer.add_value(value_of(items[i]));
      ++code;
    }
    give(items[i], code);
  }
  return code;
}

/// A value that some live row of a part has.
struct UsedValue {
  Scalar value;
  std::uint32_t part = 0;
  std::uint32_t code = 0;
};

/// No wrong byte must get a new checksum.
void refuse_damage(const FieldView& view, const StopToken& stop) {
  for (const Finding& finding : view.part->container().damaged_sections(stop))
    if (finding.loss != Finding::Loss::nothing)
      throw Error(Errc::corrupt_store, "merge segments: " + finding.problem + "; verify the store, then recover it");
}

std::vector<UsedValue> used_values(std::span<const FieldView> parts, std::span<const PlannedRow> plan,
                                   std::size_t field) {
  std::vector<std::vector<bool>> used;
  for (const FieldView& view : parts) used.emplace_back(view.part->values(field) + 1);
  for (const PlannedRow& row : plan) {
    const std::uint32_t code = parts[row.part].part->codes(field)[row.row];
    if (code >= used[row.part].size()) throw_corrupt("a row has a value that does not exist");
    used[row.part][code] = true;
  }
  std::vector<UsedValue> values;
  for (std::uint32_t part = 0; part < parts.size(); ++part)
    for (std::uint32_t code = 1; code < used[part].size(); ++code) {
      if (!used[part][code]) continue;
      FieldValue value = parts[part].part->value(field, code - 1);
      const bool is_text = value.kind() == FieldValue::Class::text;
      values.push_back({is_text ? Scalar(std::string(value.text)) : std::move(value.scalar), part, code});
    }
  return values;
}

}  // namespace

bool value_less(const Scalar& a, const Scalar& b) noexcept {
  if (class_of(a) != class_of(b)) return class_of(a) < class_of(b);
  if (const std::partial_ordering order = compare(a, b); order != 0) return order < 0;
  if (a.index() != b.index()) return a.index() < b.index();
  const auto* real = std::get_if<double>(&a);
  return real != nullptr && std::signbit(*real) && !std::signbit(std::get<double>(b));
}

std::string build_fields(Generation generation, std::span<const std::string> fields, std::span<const RowKey> rows,
                         std::span<const std::optional<Scalar>> values) {
  if (values.size() != rows.size() * fields.size())
    throw Error(Errc::internal, "build a segment: the values are not as many as the rows");
  StringSink image(kAlignment);
  FieldWriter writer(image, generation, rows.size(), fields);
  writer.write_rows([&](std::size_t n) { return rows[n]; });
  for (std::size_t field = 0; field < fields.size(); ++field) {
    const auto value_of = [&](std::uint32_t row) -> const Scalar& { return *values[row * fields.size() + field]; };
    std::vector<std::uint32_t> present;
    for (std::uint32_t row = 0; row < rows.size(); ++row)
      if (values[row * fields.size() + field]) present.push_back(row);
    std::vector<std::uint32_t> codes(rows.size());
    const std::size_t count =
        number_values(present, writer, value_of, [&](std::uint32_t row, std::uint32_t code) { codes[row] = code; });
    writer.add_field(codes, count);
  }
  writer.finish();
  return std::move(image).take();
}

void merge_fields(Generation generation, std::span<const FieldView> parts, ImageSink& to, const StopToken& stop) {
  if (parts.empty()) throw Error(Errc::internal, "merge segments: there are none");
  kernel::StopPoll poll(stop);
  const std::vector<std::string>& fields = parts.front().part->fields();
  for (const FieldView& view : parts) {
    refuse_damage(view, stop);
    if (view.part->fields() != fields) throw_corrupt("parts of one column have different fields");
  }
  const std::vector<PlannedRow> plan = plan_merge(parts);
  FieldWriter writer(to, generation, plan.size(), fields);
  writer.write_rows([&](std::size_t n) {
    poll.spend(20);
    return RowKey{plan[n].node, parts[plan[n].part].part->source(plan[n].row), Hash128()};
  });
  for (std::size_t field = 0; field < fields.size(); ++field) {
    std::vector<UsedValue> values = used_values(parts, plan, field);
    poll.spend(20 * plan.size() + 300 * values.size());
    std::vector<std::vector<std::uint32_t>> renumbered;
    for (const FieldView& view : parts) renumbered.emplace_back(view.part->values(field) + 1);
    const std::size_t count = number_values(
        values, writer, [](const UsedValue& used) -> const Scalar& { return used.value; },
        [&](const UsedValue& used, std::uint32_t code) { renumbered[used.part][used.code] = code; });
    std::vector<std::uint32_t> codes;
    codes.reserve(plan.size());
    for (const PlannedRow& row : plan)
      codes.push_back(renumbered[row.part][parts[row.part].part->codes(field)[row.row]]);
    writer.add_field(codes, count);
  }
  writer.finish();
}

}  // namespace ragstone::segment
