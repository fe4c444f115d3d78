#include "store/sqlite/blobs.hpp"

#include "store/coding.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>

namespace ragstone::sqlite {
namespace {

enum Kind : std::uint8_t { kFalse, kTrue, kInteger, kReal, kText };

// Bounds what a damaged blob can make read_ids() allocate.
constexpr std::uint64_t kMaxRun = UINT32_MAX;

void write_scalar(ByteWriter& out, const Scalar& value) {
  if (const bool* truth = std::get_if<bool>(&value)) {
    out.varint(*truth ? kTrue : kFalse);
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    out.varint(kInteger);
    out.zigzag(*integer);
  } else if (const double* real = std::get_if<double>(&value)) {
    out.varint(kReal);
    out.raw(*real);
  } else {
    out.varint(kText);
    out.string(std::get<std::string>(value));
  }
}

Scalar read_scalar(ByteReader& in) {
  switch (in.varint()) {
    case kFalse:
      return false;
    case kTrue:
      return true;
    case kInteger:
      return in.zigzag();
    case kReal:
      return in.raw<double>();
    case kText:
      return std::string(in.string());
    default:
      in.fail();
  }
}

}  // namespace

std::string write_metadata(const Metadata& metadata) {
  ByteWriter out;
  for (const auto& [name, value] : metadata) {
    out.string(name);
    write_scalar(out, value);
  }
  return std::move(out).take();
}

Metadata read_metadata(std::string_view bytes) {
  Metadata metadata;
  ByteReader in(bytes, "stored metadata");
  while (!in.at_end()) {
    std::string name(in.string());
    try {
      metadata.set(std::move(name), read_scalar(in));
    } catch (const Error& error) {
      if (error.errc() != Errc::invalid_argument) throw;
      in.fail();
    }
  }
  return metadata;
}

std::string write_ids(std::span<const NodeId> ids) {
  ByteWriter out;
  NodeId expected = 0;
  for (std::size_t i = 0; i < ids.size();) {
    std::size_t end = i + 1;
    while (end < ids.size() && ids[end] == ids[end - 1] + 1) ++end;
    out.zigzag(static_cast<std::int64_t>(ids[i] - expected));
    out.varint(end - i);
    expected = ids[end - 1] + 1;
    i = end;
  }
  return std::move(out).take();
}

std::vector<NodeId> read_ids(std::string_view bytes, NodeId end, std::size_t most) {
  std::vector<NodeId> ids;
  ByteReader in(bytes, "stored node ids");
  NodeId expected = 0;
  while (!in.at_end()) {
    const NodeId first = expected + static_cast<NodeId>(in.zigzag());
    const std::uint64_t run = in.varint(kMaxRun);
    const std::uint64_t left = std::min<std::uint64_t>(end, most) - ids.size();
    if (first == 0 || first >= end || run == 0 || run > end - first || run > left) in.fail();
    for (std::uint64_t i = 0; i < run; ++i) ids.push_back(first + i);
    expected = first + run;
  }
  return ids;
}

std::string write_numbers(std::span<const std::int64_t> numbers) {
  ByteWriter out;
  for (const std::int64_t number : numbers) out.zigzag(number);
  return std::move(out).take();
}

std::vector<std::int64_t> read_numbers(std::string_view bytes) {
  std::vector<std::int64_t> numbers;
  ByteReader in(bytes, "stored numbers");
  while (!in.at_end()) numbers.push_back(in.zigzag());
  return numbers;
}

}  // namespace ragstone::sqlite
