#include "store/segment/field_part.hpp"

#include "kernel/stop_poll.hpp"
#include "store/coding.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <utility>

namespace ragstone::segment {
namespace {

constexpr std::size_t kMaxFields = 1024;

std::vector<std::string> read_names(std::string_view bytes) {
  std::vector<std::string> names;
  ByteReader reader(bytes, "names of fields in a segment");
  while (!reader.at_end()) {
    names.emplace_back(reader.string());
    if (names.size() > kMaxFields) reader.fail();
    if (names.size() > 1 && names[names.size() - 2] >= names.back()) reader.fail();
  }
  return names;
}

FieldValue decode(std::string_view bytes) {
  if (bytes.empty()) throw_corrupt("damaged values of fields");
  const auto read = [&](auto& value) {
    if (bytes.size() != 1 + sizeof value) throw_corrupt("damaged values of fields");
    std::memcpy(&value, bytes.data() + 1, sizeof value);
  };
  FieldValue result;
  switch (bytes.front()) {
    case 0:
    case 1:
      if (bytes.size() != 1) throw_corrupt("damaged values of fields");
      result.scalar = bytes.front() == 1;
      return result;
    case 2: {
      std::int64_t integer = 0;
      read(integer);
      result.scalar = integer;
      return result;
    }
    case 3: {
      double real = 0;
      read(real);
      if (!std::isfinite(real)) throw_corrupt("damaged values of fields");
      result.scalar = real;
      return result;
    }
    case 4:
      result.scalar = std::string();
      result.text = bytes.substr(1);
      return result;
    default:
      throw_corrupt("damaged values of fields");
  }
}

Scalar to_scalar(const FieldValue& value) {
  return value.kind() == FieldValue::Class::text ? Scalar(std::string(value.text)) : value.scalar;
}

/// Why the values of a field are wrong; empty: they are not.
std::string find_fault(const FieldPart& part, std::size_t field, kernel::StopPoll& poll) {
  Scalar last;
  for (std::size_t number = 0; number < part.values(field); ++number) {
    poll.spend(100);
    Scalar value = to_scalar(part.value(field, number));
    if (number > 0 && !value_less(last, value)) return "values do not ascend";
    last = std::move(value);
  }
  for (const std::uint32_t code : part.codes(field))
    if (code > part.values(field)) return "a row has a value that does not exist";
  poll.spend(part.rows());
  return {};
}

}  // namespace

FieldPart::FieldPart(std::shared_ptr<const Image> image) : container_(std::move(image), Kind::fields) {
  const std::size_t rows = container_.rows();
  // They are read now: no more than their pages, however much the system likes to read ahead.
  for (const SectionId section : {SectionId::field_names, SectionId::field_counts})
    container_.expect_few_reads(section);
  fields_ = read_names(container_.bytes(SectionId::field_names));
  if (rows > SIZE_MAX / sizeof(std::uint32_t) / (fields_.size() + 1)) throw_corrupt("too many fields");
  nodes_ = container_.array<NodeId>(SectionId::nodes, rows);
  sources_ = container_.array<SourceNumber>(SectionId::sources, rows);
  codes_ = container_.array<std::uint32_t>(SectionId::field_codes, rows * fields_.size());
  std::size_t total = 0;
  for (const std::uint32_t count : container_.array<std::uint32_t>(SectionId::field_counts, fields_.size())) {
    first_value_.push_back(total);
    counts_.push_back(count);
    total += count;
  }
  ends_ = container_.array<std::uint64_t>(SectionId::value_ends, total);
  values_ = container_.bytes(SectionId::values);
}

std::optional<std::uint32_t> FieldPart::find(NodeId node) const noexcept {
  const auto found = std::lower_bound(nodes_.begin(), nodes_.end(), node);
  if (found == nodes_.end() || *found != node) return std::nullopt;
  return static_cast<std::uint32_t>(found - nodes_.begin());
}

std::optional<std::size_t> FieldPart::find_field(std::string_view name) const noexcept {
  const auto found = std::lower_bound(fields_.begin(), fields_.end(), name);
  if (found == fields_.end() || *found != name) return std::nullopt;
  return static_cast<std::size_t>(found - fields_.begin());
}

FieldValue FieldPart::value(std::size_t field, std::size_t number) const {
  const std::size_t at = first_value_[field] + number;
  const std::uint64_t begin = at == 0 ? 0 : ends_[at - 1];
  const std::uint64_t end = ends_[at];
  if (begin > end || end > values_.size()) throw_corrupt("damaged values of fields");
  return decode(values_.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
}

std::vector<Finding> FieldPart::verify(const StopToken& stop) const {
  std::vector<Finding> findings = container_.damaged_sections(stop);
  const auto add = [&](SectionId section, const std::string& problem) {
    findings.push_back({section, std::string(name_of(section)) + ": " + problem, Finding::Loss::part, {}});
  };
  if (std::adjacent_find(nodes_.begin(), nodes_.end(), std::greater_equal<>()) != nodes_.end() ||
      (!nodes_.empty() && nodes_.front() == 0))
    add(SectionId::nodes, "ids do not ascend");
  kernel::StopPoll poll(stop);
  for (std::size_t field = 0; field < fields_.size(); ++field) try {
      if (const std::string fault = find_fault(*this, field, poll); !fault.empty()) add(SectionId::values, fault);
    } catch (const Error& error) {
      add(SectionId::values, error.what());
    }
  return findings;
}

}  // namespace ragstone::segment
