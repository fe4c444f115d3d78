// Compiled once for each of Highway's targets.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/simd_targets.cpp"
// Their vectors have no fixed length; these processors run the NEON functions.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#include "kernel/simd_tables.hpp"

#include <cstring>

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ragstone::kernel::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kLanes = 16;

struct Product {
  template <class V>
  HWY_ATTR V operator()(V a, V b) const {
    return hn::Mul(a, b);
  }
};

struct SquaredDifference {
  template <class V>
  HWY_ATTR V operator()(V a, V b) const {
    const V difference = hn::Sub(a, b);
    return hn::Mul(difference, difference);
  }
};

using Floats = hn::CappedTag<float, kLanes>;
constexpr std::size_t kWidth = hn::MaxLanes(Floats());
constexpr std::size_t kSums = kLanes / kWidth;
using FloatVector = hn::Vec<Floats>;

/// Adds the lanes: the upper half to the lower, until one is left.
#if HWY_TARGET == HWY_SCALAR
HWY_ATTR float add_lanes(Floats, FloatVector v) { return hn::GetLane(v); }
#else
template <class Tag>
HWY_ATTR float add_lanes(Tag, hn::Vec<Tag> v) {
  if constexpr (hn::MaxLanes(Tag()) == 4) {
    const auto pair = hn::Add(v, hn::Shuffle1032(v));
    return hn::GetLane(hn::Add(pair, hn::Shuffle2301(pair)));
  } else {
    const hn::Half<Tag> half;
    return add_lanes(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}
#endif

HWY_ATTR float total(FloatVector* sums) {
  for (std::size_t width = kSums / 2; width > 0; width /= 2)
    for (std::size_t i = 0; i < width; ++i) sums[i] = hn::Add(sums[i], sums[i + width]);
  return add_lanes(Floats(), sums[0]);
}

template <class Term>
HWY_ATTR float sum_pair(const float* a, const float* b, std::size_t dimension, Term term) {
  const Floats tag;
  FloatVector sums[kSums];
  for (std::size_t s = 0; s < kSums; ++s) sums[s] = hn::Zero(tag);
  const auto add = [&](std::size_t s, FloatVector x, FloatVector y)
                       HWY_ATTR { sums[s] = hn::Add(sums[s], term(x, y)); };
  const std::size_t whole = dimension - dimension % kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t s = 0; s < kSums; ++s)
      add(s, hn::LoadU(tag, a + i + s * kWidth), hn::LoadU(tag, b + i + s * kWidth));
  if (whole < dimension) {
    HWY_ALIGN float tail[2][kLanes] = {};
    const std::size_t rest = dimension - whole;
    std::memcpy(tail[0], a + whole, rest * sizeof(float));
    std::memcpy(tail[1], b + whole, rest * sizeof(float));
    for (std::size_t s = 0; s < kSums; ++s)
      add(s, hn::Load(tag, tail[0] + s * kWidth), hn::Load(tag, tail[1] + s * kWidth));
  }
  return total(sums);
}

template <class Term>
HWY_ATTR void sum_all(const float* query, const float* rows, std::size_t dimension, const std::uint32_t* chosen,
                      std::size_t count, float* out, Term term) {
  for (std::size_t i = 0; i < count; ++i) {
    fetch_after(rows, dimension, chosen, count, i);
    out[i] = sum_pair(query, row_at(rows, dimension, chosen, i), dimension, term);
  }
}

HWY_ATTR float dot(const float* a, const float* b, std::size_t n) { return sum_pair(a, b, n, Product()); }
HWY_ATTR float squared_l2(const float* a, const float* b, std::size_t n) {
  return sum_pair(a, b, n, SquaredDifference());
}
HWY_ATTR void dots(const float* query, const float* rows, std::size_t dimension, const std::uint32_t* chosen,
                   std::size_t count, float* out) {
  sum_all(query, rows, dimension, chosen, count, out, Product());
}
HWY_ATTR void squared_l2s(const float* query, const float* rows, std::size_t dimension, const std::uint32_t* chosen,
                          std::size_t count, float* out) {
  sum_all(query, rows, dimension, chosen, count, out, SquaredDifference());
}

HWY_ATTR std::int32_t code_dot(const std::int8_t* a, const std::int8_t* b, std::size_t n, std::int32_t = 0) {
  std::int32_t sum = 0;
  std::size_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<std::int16_t> words;
  const hn::Rebind<std::int8_t, decltype(words)> bytes;
  const hn::RepartitionToWide<decltype(words)> sums_tag;
  const std::size_t width = hn::Lanes(words);
  auto even = hn::Zero(sums_tag);
  auto odd = hn::Zero(sums_tag);
  for (; i + width <= n; i += width) {
    const auto x = hn::PromoteTo(words, hn::LoadU(bytes, a + i));
    const auto y = hn::PromoteTo(words, hn::LoadU(bytes, b + i));
    even = hn::ReorderWidenMulAccumulate(sums_tag, x, y, even, odd);
  }
  sum = hn::GetLane(hn::SumOfLanes(sums_tag, hn::Add(even, odd)));
#endif
  for (; i < n; ++i) sum += std::int32_t{a[i]} * std::int32_t{b[i]};
  return sum;
}

HWY_ATTR void code_dots(const std::int8_t* query, const std::int8_t* rows, std::size_t dimension,
                        const std::uint32_t* chosen, std::size_t count, std::int32_t* out) {
  for (std::size_t i = 0; i < count; ++i) {
    fetch_after(rows, dimension, chosen, count, i);
    out[i] = code_dot(query, row_at(rows, dimension, chosen, i), dimension);
  }
}

HWY_ATTR void code_dots_each(const std::int8_t* const* queries, std::size_t asked, const std::int8_t* rows,
                             std::size_t dimension, const std::uint32_t* chosen, std::size_t count, std::int32_t* out) {
  for (std::size_t i = 0; i < count; ++i) {
    fetch_after(rows, dimension, chosen, count, i);
    const std::int8_t* row = row_at(rows, dimension, chosen, i);
    for (std::size_t q = 0; q < asked; ++q) out[q * count + i] = code_dot(queries[q], row, dimension);
  }
}

HWY_ATTR void code_dots_wide(const std::int8_t* high, const std::int8_t* low, const std::int8_t* rows,
                             std::size_t dimension, const std::uint32_t* chosen, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; ++i) {
    fetch_after(rows, dimension, chosen, count, i);
    const std::int8_t* codes = row_at(rows, dimension, chosen, i);
    out[i] = joined(code_dot(high, codes, dimension), code_dot(low, codes, dimension));
  }
}

HWY_ATTR void hamming(const std::uint64_t* query, const std::uint64_t* rows, std::size_t words, std::size_t count,
                      std::uint32_t* out) {
  const hn::ScalableTag<std::uint64_t> tag;
  const std::size_t width = hn::Lanes(tag);
  for (std::size_t row = 0; row < count; ++row) {
    const std::uint64_t* bits = rows + row * words;
    auto sums = hn::Zero(tag);
    std::size_t i = 0;
    for (; i + width <= words; i += width)
      sums = hn::Add(sums, hn::PopulationCount(hn::Xor(hn::LoadU(tag, query + i), hn::LoadU(tag, bits + i))));
    std::uint64_t sum = hn::GetLane(hn::SumOfLanes(tag, sums));
    for (; i < words; ++i) sum += hwy::PopCount(query[i] ^ bits[i]);
    out[row] = static_cast<std::uint32_t>(sum);
  }
}

HWY_ATTR std::size_t count_bits(const std::uint64_t* words, std::size_t count) {
  const hn::ScalableTag<std::uint64_t> tag;
  const std::size_t width = hn::Lanes(tag);
  auto sums = hn::Zero(tag);
  std::size_t i = 0;
  for (; i + width <= count; i += width) sums = hn::Add(sums, hn::PopulationCount(hn::LoadU(tag, words + i)));
  std::size_t sum = hn::GetLane(hn::SumOfLanes(tag, sums));
  for (; i < count; ++i) sum += hwy::PopCount(words[i]);
  return sum;
}

HWY_ATTR std::size_t select(const SelectTerms& terms, const std::int32_t* dots_of_rows, const float* scales,
                            const double* norms, std::size_t count, std::uint32_t* out) {
  constexpr std::size_t kBlock = 64;
  const hn::CappedTag<float, kBlock> tag;
  const std::size_t width = hn::Lanes(tag);
  float sums[kBlock];
  std::size_t found = 0;
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    const std::size_t size = count - begin < kBlock ? count - begin : kBlock;
    for (std::size_t i = 0; i < size; ++i) sums[i] = select_sum(terms, dots_of_rows, scales, norms, begin + i);
    for (std::size_t i = size; i < kBlock; ++i) sums[i] = -1;
    for (std::size_t i = 0; i < kBlock; i += width)
      if (!hn::AllTrue(tag, hn::Lt(hn::LoadU(tag, sums + i), hn::Zero(tag))))
        for (std::size_t lane = i; lane < i + width; ++lane)
          if (!(sums[lane] < 0)) out[found++] = static_cast<std::uint32_t>(begin + lane);
  }
  return found;
}

constexpr Simd kTable{
    HWY_STR(HWY_NAMESPACE), dot,     squared_l2, dots,  squared_l2s, code_dot, code_dots, code_dots_each,
    code_dots_wide,         hamming, count_bits, select};

}  // namespace

const Simd* table() { return &kTable; }

}  // namespace ragstone::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ragstone::kernel {

HWY_EXPORT(table);

std::vector<const Simd*> highway_tables() {
  std::vector<const Simd*> tables;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
    tables.push_back(HWY_DYNAMIC_DISPATCH(table)());
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().DeInit();
  return tables;
}

}  // namespace ragstone::kernel
#endif
