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

/// Adds the lanes of each of four: the upper half to the lower, until one is left.
#if HWY_TARGET == HWY_SCALAR
HWY_ATTR void add_lanes(Floats, const FloatVector* four, float* out) {
  for (std::size_t i = 0; i < 4; ++i) out[i] = hn::GetLane(four[i]);
}
#else
template <class Tag>
HWY_ATTR void add_lanes(Tag tag, const hn::Vec<Tag>* four, float* out) {
  if constexpr (hn::MaxLanes(Tag()) == 4) {
    const auto halves = [&](auto a, auto b) HWY_ATTR {
      return hn::Add(hn::ConcatLowerLower(tag, b, a), hn::ConcatUpperUpper(tag, b, a));
    };
    const auto first = halves(four[0], four[1]);
    const auto second = halves(four[2], four[3]);
    hn::StoreU(hn::Add(hn::ConcatEven(tag, second, first), hn::ConcatOdd(tag, second, first)), tag, out);
  } else {
    const hn::Half<Tag> half;
    hn::Vec<hn::Half<Tag> > halves[4];
    for (std::size_t i = 0; i < 4; ++i) halves[i] = hn::Add(hn::LowerHalf(half, four[i]), hn::UpperHalf(half, four[i]));
    add_lanes(half, halves, out);
  }
}
#endif

/// Sixteen sums.
struct Sums {
  FloatVector parts[kSums];
};

/// The totals of four.
HWY_ATTR void total(Sums* four, float* out) {
  FloatVector vectors[4];
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t width = kSums / 2; width > 0; width /= 2)
      for (std::size_t s = 0; s < width; ++s) four[i].parts[s] = hn::Add(four[i].parts[s], four[i].parts[s + width]);
    vectors[i] = four[i].parts[0];
  }
  add_lanes(Floats(), vectors, out);
}

/// Adds the terms of sixteen elements of each query and each row; `sums` is [asked x count].
template <std::size_t asked, std::size_t count, class Term>
HWY_ATTR HWY_INLINE void add_terms(const float* const* queries, const float* const* rows, std::size_t at, Term term,
                                   Sums* sums) {
  const Floats tag;
  for (std::size_t s = 0; s < kSums; ++s) {
    FloatVector elements[count];
    for (std::size_t r = 0; r < count; ++r) elements[r] = hn::LoadU(tag, rows[r] + at + s * kWidth);
    for (std::size_t q = 0; q < asked; ++q) {
      const FloatVector query = hn::LoadU(tag, queries[q] + at + s * kWidth);
      for (std::size_t r = 0; r < count; ++r) {
        FloatVector& sum = sums[q * count + r].parts[s];
        sum = hn::Add(sum, term(query, elements[r]));
      }
    }
  }
}

/// The sums of each query with each row; `sums` is [asked x count]. `fetches`: lines ahead are asked for.
template <std::size_t asked, std::size_t count, class Term>
HWY_ATTR HWY_INLINE void sum_terms(const float* const* queries, const float* const* rows, std::size_t dimension,
                                   Term term, Sums* sums, bool fetches = false) {
  const Floats tag;
  for (std::size_t i = 0; i < asked * count; ++i)
    for (std::size_t s = 0; s < kSums; ++s) sums[i].parts[s] = hn::Zero(tag);
  const std::size_t whole = dimension - dimension % kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    if (fetches)
      for (std::size_t r = 0; r < count; ++r) fetch_ahead(rows[r] + i);
    add_terms<asked, count>(queries, rows, i, term, sums);
  }
  if (whole == dimension) return;
  // The rest of the elements, and zeros.
  HWY_ALIGN float tails[asked + count][kLanes] = {};
  const float* tail_queries[asked];
  const float* tail_rows[count];
  for (std::size_t q = 0; q < asked; ++q) {
    std::memcpy(tails[q], queries[q] + whole, (dimension - whole) * sizeof(float));
    tail_queries[q] = tails[q];
  }
  for (std::size_t r = 0; r < count; ++r) {
    std::memcpy(tails[asked + r], rows[r] + whole, (dimension - whole) * sizeof(float));
    tail_rows[r] = tails[asked + r];
  }
  add_terms<asked, count>(tail_queries, tail_rows, 0, term, sums);
}

template <class Term>
HWY_ATTR float sum_pair(const float* a, const float* b, std::size_t dimension, Term term) {
  Sums sums[4];
  sum_terms<1, 1>(&a, &b, dimension, term, sums);
  for (std::size_t i = 1; i < 4; ++i) sums[i] = sums[0];
  float out[4];
  total(sums, out);
  return out[0];
}

constexpr std::size_t kRows = 4;
constexpr std::size_t kQueries = 4;
// As many sums as there are registers for.
constexpr std::size_t kRowsTogether = kWidth == kLanes ? kRows : 1;

/// Of one query: one row after the other, as the processor foresees them best; chosen ones together, since it does not.
template <class Term>
HWY_ATTR void sum_one(const float* query, const float* rows, std::size_t dimension, const std::uint32_t* chosen,
                      std::size_t count, float* out, Term term) {
  std::size_t i = 0;
  for (; i + kRows <= count; i += kRows) {
    Sums sums[kRows];
    const float* four[kRows];
    for (std::size_t r = 0; r < kRows; ++r) {
      fetch_after(rows, dimension, chosen, count, i + r);
      four[r] = row_at(rows, dimension, chosen, i + r);
      if (chosen == nullptr) sum_terms<1, 1>(&query, &four[r], dimension, term, &sums[r]);
    }
    if (chosen != nullptr) sum_terms<1, kRows>(&query, four, dimension, term, sums);
    total(sums, out + i);
  }
  for (; i < count; ++i) out[i] = sum_pair(query, row_at(rows, dimension, chosen, i), dimension, term);
}

/// Of kQueries.
template <class Term>
HWY_ATTR void sum_several(const float* const* queries, const float* rows, std::size_t dimension,
                          const std::uint32_t* chosen, std::size_t count, float* out, Term term) {
  std::size_t i = 0;
  for (; i + kRowsTogether <= count; i += kRowsTogether) {
    const float* together[kRowsTogether];
    for (std::size_t r = 0; r < kRowsTogether; ++r) {
      if (chosen != nullptr) fetch_after(rows, dimension, chosen, count, i + r);
      together[r] = row_at(rows, dimension, chosen, i + r);
    }
    Sums sums[kQueries * kRowsTogether];
    sum_terms<kQueries, kRowsTogether>(queries, together, dimension, term, sums, chosen == nullptr);
    float totals[kQueries * kRowsTogether];
    for (std::size_t four = 0; four < kQueries * kRowsTogether; four += 4) total(sums + four, totals + four);
    for (std::size_t q = 0; q < kQueries; ++q)
      for (std::size_t r = 0; r < kRowsTogether; ++r) out[q * count + i + r] = totals[q * kRowsTogether + r];
  }
  for (; i < count; ++i)
    for (std::size_t q = 0; q < kQueries; ++q)
      out[q * count + i] = sum_pair(queries[q], row_at(rows, dimension, chosen, i), dimension, term);
}

template <class Term>
HWY_ATTR void sum_all(const float* const* queries, std::size_t asked, const float* rows, std::size_t dimension,
                      const std::uint32_t* chosen, std::size_t count, float* out, Term term) {
  for (; asked >= kQueries; asked -= kQueries, queries += kQueries, out += kQueries * count)
    sum_several(queries, rows, dimension, chosen, count, out, term);
  for (; asked > 0; --asked, ++queries, out += count) sum_one(*queries, rows, dimension, chosen, count, out, term);
}

HWY_ATTR float dot(const float* a, const float* b, std::size_t n) { return sum_pair(a, b, n, Product()); }
HWY_ATTR float squared_l2(const float* a, const float* b, std::size_t n) {
  return sum_pair(a, b, n, SquaredDifference());
}
HWY_ATTR void dots(const float* const* queries, std::size_t asked, const float* rows, std::size_t dimension,
                   const std::uint32_t* chosen, std::size_t count, float* out) {
  sum_all(queries, asked, rows, dimension, chosen, count, out, Product());
}
HWY_ATTR void squared_l2s(const float* const* queries, std::size_t asked, const float* rows, std::size_t dimension,
                          const std::uint32_t* chosen, std::size_t count, float* out) {
  sum_all(queries, asked, rows, dimension, chosen, count, out, SquaredDifference());
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

/// Of the elements of one block, see kNibbleBlock.
HWY_ATTR std::int32_t nibble_dot(const std::int8_t* query, const std::uint8_t* block, std::size_t elements) {
  const std::size_t half = nibble_bytes(elements);
  const std::size_t pairs = elements - half;
  const std::int8_t* second = query + half;
  std::int32_t sum = 0;
  std::size_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<std::int16_t> words;
  const hn::Rebind<std::int8_t, decltype(words)> signed_bytes;
  const hn::Rebind<std::uint8_t, decltype(words)> bytes;
  const hn::RepartitionToWide<decltype(words)> sums_tag;
  const std::size_t width = hn::Lanes(words);
  const auto offset = hn::Set(words, 8);
  auto even = hn::Zero(sums_tag);
  auto odd = hn::Zero(sums_tag);
  for (; i + width <= pairs; i += width) {
    const auto both = hn::PromoteTo(words, hn::LoadU(bytes, block + i));
    const auto lower = hn::Sub(hn::And(both, hn::Set(words, 15)), offset);
    const auto upper = hn::Sub(hn::ShiftRight<4>(both), offset);
    even = hn::ReorderWidenMulAccumulate(sums_tag, lower, hn::PromoteTo(words, hn::LoadU(signed_bytes, query + i)),
                                         even, odd);
    even = hn::ReorderWidenMulAccumulate(sums_tag, upper, hn::PromoteTo(words, hn::LoadU(signed_bytes, second + i)),
                                         even, odd);
  }
  sum = hn::GetLane(hn::SumOfLanes(sums_tag, hn::Add(even, odd)));
#endif
  for (; i < half; ++i) {
    sum += std::int32_t{query[i]} * (std::int32_t{block[i] & 15} - 8);
    if (i < pairs) sum += std::int32_t{second[i]} * (std::int32_t{block[i] >> 4} - 8);
  }
  return sum;
}

HWY_ATTR void nibble_dots(const std::int8_t* query, const std::uint8_t* rows, std::size_t dimension, std::size_t count,
                          std::int32_t* out) {
  const std::size_t bytes = nibble_bytes(dimension);
  for (std::size_t row = 0; row < count; ++row) {
    fetch_ahead(rows + row * bytes);
    out[row] = 0;
    for (std::size_t i = 0; i < dimension; i += kNibbleBlock)
      out[row] += nibble_dot(query + i, rows + row * bytes + i / 2,
                             dimension - i < kNibbleBlock ? dimension - i : kNibbleBlock);
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
    HWY_STR(HWY_NAMESPACE), dot,         squared_l2, dots,       squared_l2s, code_dot, code_dots, code_dots_each,
    code_dots_wide,         nibble_dots, hamming,    count_bits, select};

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
