#include "kernel/simd_tables.hpp"

#if defined(__x86_64__) && defined(__GNUC__)

#include <algorithm>

#include <immintrin.h>

namespace ragstone::kernel {
namespace {

#define RAGSTONE_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
// Not all processors with VNNI count bits, too.
#define RAGSTONE_VPOPCNT __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512vpopcntdq")))

constexpr std::size_t kBytes = 64;

// The instruction multiplies unsigned bytes by signed ones. A row's byte with its sign flipped is the element + 128, so
// that sums come out too large by 128 times the sum over the query.

RAGSTONE_VNNI inline __m512i load(const std::int8_t* from) { return _mm512_loadu_si512(from); }

/// Without a mask for kBytes, which callers pass as a constant: loads by a mask take much longer.
[[gnu::always_inline]] RAGSTONE_VNNI inline __m512i load(const std::int8_t* from, std::size_t bytes) {
  return bytes == kBytes ? load(from) : _mm512_maskz_loadu_epi8(~__mmask64{0} >> (kBytes - bytes), from);
}

RAGSTONE_VNNI inline __m512i flip(__m512i codes) { return _mm512_xor_si512(codes, _mm512_set1_epi8(-128)); }

RAGSTONE_VNNI std::int32_t excess(const std::int8_t* query, std::size_t dimension) {
  __m512i sum = _mm512_setzero_si512();
  const __m512i weight = _mm512_set1_epi8(-128);
  std::size_t i = 0;
  for (; i + kBytes <= dimension; i += kBytes) sum = _mm512_dpbusd_epi32(sum, weight, load(query + i));
  if (i < dimension) sum = _mm512_dpbusd_epi32(sum, weight, load(query + i, dimension - i));
  return _mm512_reduce_add_epi32(sum);
}

/// Sums of the products, in lanes, plus the excess of the query.
RAGSTONE_VNNI inline __m512i sum_row(const std::int8_t* query, const std::int8_t* row, std::size_t dimension) {
  __m512i a = _mm512_setzero_si512();
  __m512i b = _mm512_setzero_si512();
  std::size_t i = 0;
  for (; i + 2 * kBytes <= dimension; i += 2 * kBytes) {
    a = _mm512_dpbusd_epi32(a, flip(load(row + i)), load(query + i));
    b = _mm512_dpbusd_epi32(b, flip(load(row + i + kBytes)), load(query + i + kBytes));
  }
  if (i + kBytes <= dimension) {
    a = _mm512_dpbusd_epi32(a, flip(load(row + i)), load(query + i));
    i += kBytes;
  }
  if (i < dimension) b = _mm512_dpbusd_epi32(b, flip(load(row + i, dimension - i)), load(query + i, dimension - i));
  return _mm512_add_epi32(a, b);
}

/// The sums of four vectors.
RAGSTONE_VNNI inline __m128i add_lanes(__m512i a, __m512i b, __m512i c, __m512i d) {
  const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
  const __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
  const __m512i abcd = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
  const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(abcd), _mm512_extracti64x4_epi64(abcd, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

RAGSTONE_VNNI std::int32_t code_dot(const std::int8_t* a, const std::int8_t* b, std::size_t dimension,
                                    std::int32_t sum_of_b) {
  return _mm512_reduce_add_epi32(sum_row(b, a, dimension)) - 128 * sum_of_b;
}

constexpr std::size_t kRows = 4;

/// Of rows that follow each other: one after the other, as the processor foresees them best.
RAGSTONE_VNNI void dots_in_order(const std::int8_t* query, const std::int8_t* rows, std::size_t dimension,
                                 std::size_t count, std::int32_t* out) {
  const std::int32_t over = excess(query, dimension);
  std::size_t i = 0;
  for (; i + kRows <= count; i += kRows) {
    __m512i sums[kRows];
    for (std::size_t r = 0; r < kRows; ++r) {
      const std::int8_t* row = rows + (i + r) * dimension;
      fetch_ahead(row);
      sums[r] = sum_row(query, row, dimension);
    }
    const __m128i four = _mm_sub_epi32(add_lanes(sums[0], sums[1], sums[2], sums[3]), _mm_set1_epi32(over));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), four);
  }
  for (; i < count; ++i) out[i] = _mm512_reduce_add_epi32(sum_row(query, rows + i * dimension, dimension)) - over;
}

constexpr std::size_t kQueries = 4;

/// Adds the products of up to 64 elements: a row's codes are loaded and flipped once for all queries.
template <std::size_t asked>
[[gnu::always_inline]] RAGSTONE_VNNI inline void add_block(const std::int8_t* const* queries,
                                                           const std::int8_t* const* rows, std::size_t at,
                                                           std::size_t size, __m512i (&sums)[asked][kRows]) {
  __m512i codes[kRows];
  for (std::size_t r = 0; r < kRows; ++r) codes[r] = flip(load(rows[r] + at, size));
  for (std::size_t q = 0; q < asked; ++q) {
    const __m512i query = load(queries[q] + at, size);
    for (std::size_t r = 0; r < kRows; ++r) sums[q][r] = _mm512_dpbusd_epi32(sums[q][r], codes[r], query);
  }
}

/// Of the rows from `begin` on.
template <std::size_t asked>
RAGSTONE_VNNI void dots_of_queries(const std::int8_t* const* queries, const std::int8_t* rows, std::size_t dimension,
                                   const std::uint32_t* chosen, std::size_t count, std::int32_t* out,
                                   std::size_t begin = 0) {
  if (begin == count) return;
  std::int32_t over[asked];
  for (std::size_t q = 0; q < asked; ++q) over[q] = excess(queries[q], dimension);
  std::size_t i = begin;
  for (; i + kRows <= count; i += kRows) {
    const std::int8_t* four[kRows];
    for (std::size_t r = 0; r < kRows; ++r) {
      fetch_after(rows, dimension, chosen, count, i + r, true);
      four[r] = row_at(rows, dimension, chosen, i + r);
    }
    __m512i sums[asked][kRows];
    for (auto& of_query : sums)
      for (__m512i& sum : of_query) sum = _mm512_setzero_si512();
    std::size_t at = 0;
    for (; at + kBytes <= dimension; at += kBytes) add_block<asked>(queries, four, at, kBytes, sums);
    if (at < dimension) add_block<asked>(queries, four, at, dimension - at, sums);
    for (std::size_t q = 0; q < asked; ++q) {
      const __m128i dots = add_lanes(sums[q][0], sums[q][1], sums[q][2], sums[q][3]);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + q * count + i), _mm_sub_epi32(dots, _mm_set1_epi32(over[q])));
    }
  }
  for (; i < count; ++i)
    for (std::size_t q = 0; q < asked; ++q)
      out[q * count + i] =
          _mm512_reduce_add_epi32(sum_row(queries[q], row_at(rows, dimension, chosen, i), dimension)) - over[q];
}

// Eight queries at once, of at most so many elements: what is prepared of them stays in the first-level cache.
constexpr std::size_t kManyQueries = 8;
constexpr std::size_t kMostTurned = 512;
constexpr std::size_t kTurnedRows = 2 * kRows;
constexpr std::size_t kPlaces = 4;  // groups of four elements in sixteen

/// Queries as the lanes of turn() need them: of each 64 elements, and each place in sixteen, of each query the four
/// elements at that place, once for each of four rows.
struct TurnedQueries {
  alignas(kBytes) std::int8_t elements[kMostTurned / kBytes][kPlaces][kManyQueries][kBytes];
  std::int32_t over[kManyQueries];
};

RAGSTONE_VNNI void turn_queries(const std::int8_t* const* queries, std::size_t dimension, TurnedQueries& to) {
  for (std::size_t q = 0; q < kManyQueries; ++q) {
    to.over[q] = excess(queries[q], dimension);
    for (std::size_t at = 0; at < dimension; at += kBytes) {
      const __m512i block = load(queries[q] + at, std::min(kBytes, dimension - at));
      auto& places = to.elements[at / kBytes];
      _mm512_store_si512(places[0][q], _mm512_shuffle_epi32(block, _MM_PERM_AAAA));
      _mm512_store_si512(places[1][q], _mm512_shuffle_epi32(block, _MM_PERM_BBBB));
      _mm512_store_si512(places[2][q], _mm512_shuffle_epi32(block, _MM_PERM_CCCC));
      _mm512_store_si512(places[3][q], _mm512_shuffle_epi32(block, _MM_PERM_DDDD));
    }
  }
}

/// Of 64 elements of four rows: by place, so that each lane holds elements of one row, and sums of one row add up in
/// four lanes instead of sixteen.
[[gnu::always_inline]] RAGSTONE_VNNI inline void turn(const std::int8_t* const* rows, std::size_t at, std::size_t size,
                                                      __m512i (&places)[kPlaces]) {
  __m512i codes[kRows];
  for (std::size_t r = 0; r < kRows; ++r) codes[r] = flip(load(rows[r] + at, size));
  const __m512i a = _mm512_unpacklo_epi32(codes[0], codes[1]);
  const __m512i b = _mm512_unpackhi_epi32(codes[0], codes[1]);
  const __m512i c = _mm512_unpacklo_epi32(codes[2], codes[3]);
  const __m512i d = _mm512_unpackhi_epi32(codes[2], codes[3]);
  places[0] = _mm512_unpacklo_epi64(a, c);
  places[1] = _mm512_unpackhi_epi64(a, c);
  places[2] = _mm512_unpacklo_epi64(b, d);
  places[3] = _mm512_unpackhi_epi64(b, d);
}

/// The sums of twice four rows, each in four lanes.
RAGSTONE_VNNI inline __m256i add_turned(__m512i first, __m512i second) {
  const __m512i sums = _mm512_add_epi32(_mm512_shuffle_i64x2(first, second, _MM_SHUFFLE(2, 0, 2, 0)),
                                        _mm512_shuffle_i64x2(first, second, _MM_SHUFFLE(3, 1, 3, 1)));
  return _mm256_add_epi32(_mm512_castsi512_si256(_mm512_shuffle_i64x2(sums, sums, _MM_SHUFFLE(2, 0, 2, 0))),
                          _mm512_castsi512_si256(_mm512_shuffle_i64x2(sums, sums, _MM_SHUFFLE(3, 1, 3, 1))));
}

/// Adds the products of up to 64 elements of twice four rows.
[[gnu::always_inline]] RAGSTONE_VNNI inline void add_turned_block(const TurnedQueries& turned,
                                                                  const std::int8_t* const* rows, std::size_t at,
                                                                  std::size_t size, __m512i (&first)[kManyQueries],
                                                                  __m512i (&second)[kManyQueries]) {
  __m512i upper[kPlaces];
  __m512i lower[kPlaces];
  turn(rows, at, size, upper);
  turn(rows + kRows, at, size, lower);
  for (std::size_t place = 0; place < kPlaces; ++place)
    for (std::size_t q = 0; q < kManyQueries; ++q) {
      __m512i query = _mm512_load_si512(turned.elements[at / kBytes][place][q]);
      // Loaded once: each of the two would load it for itself, and loads are what there are too few of.
      __asm__("" : "+v"(query));
      first[q] = _mm512_dpbusd_epi32(first[q], upper[place], query);
      second[q] = _mm512_dpbusd_epi32(second[q], lower[place], query);
    }
}

/// Of so many rows as make whole groups; returns how many. Longer queries, and the rest, are for dots_of_queries().
RAGSTONE_VNNI std::size_t dots_of_many(const std::int8_t* const* queries, const std::int8_t* rows,
                                       std::size_t dimension, const std::uint32_t* chosen, std::size_t count,
                                       std::int32_t* out) {
  if (dimension > kMostTurned || count < kTurnedRows) return 0;
  TurnedQueries turned;
  turn_queries(queries, dimension, turned);
  std::size_t i = 0;
  for (; i + kTurnedRows <= count; i += kTurnedRows) {
    const std::int8_t* eight[kTurnedRows];
    for (std::size_t r = 0; r < kTurnedRows; ++r) {
      fetch_after(rows, dimension, chosen, count, i + r, true);
      eight[r] = row_at(rows, dimension, chosen, i + r);
    }
    __m512i first[kManyQueries];
    __m512i second[kManyQueries];
    for (std::size_t q = 0; q < kManyQueries; ++q) first[q] = second[q] = _mm512_setzero_si512();
    std::size_t at = 0;
    for (; at + kBytes <= dimension; at += kBytes) add_turned_block(turned, eight, at, kBytes, first, second);
    if (at < dimension) add_turned_block(turned, eight, at, dimension - at, first, second);
    for (std::size_t q = 0; q < kManyQueries; ++q)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + q * count + i),
                          _mm256_sub_epi32(add_turned(first[q], second[q]), _mm256_set1_epi32(turned.over[q])));
  }
  return i;
}

RAGSTONE_VNNI void code_dots(const std::int8_t* query, const std::int8_t* rows, std::size_t dimension,
                             const std::uint32_t* chosen, std::size_t count, std::int32_t* out) {
  if (chosen == nullptr) return dots_in_order(query, rows, dimension, count, out);
  dots_of_queries<1>(&query, rows, dimension, chosen, count, out);
}

RAGSTONE_VNNI void code_dots_each(const std::int8_t* const* queries, std::size_t asked, const std::int8_t* rows,
                                  std::size_t dimension, const std::uint32_t* chosen, std::size_t count,
                                  std::int32_t* out) {
  for (; asked >= kManyQueries; asked -= kManyQueries, queries += kManyQueries, out += kManyQueries * count) {
    const std::size_t done = dots_of_many(queries, rows, dimension, chosen, count, out);
    dots_of_queries<kQueries>(queries, rows, dimension, chosen, count, out, done);
    dots_of_queries<kQueries>(queries + kQueries, rows, dimension, chosen, count, out + kQueries * count, done);
  }
  for (; asked >= kQueries; asked -= kQueries, queries += kQueries, out += kQueries * count)
    dots_of_queries<kQueries>(queries, rows, dimension, chosen, count, out);
  for (; asked > 0; --asked, ++queries, out += count) code_dots(*queries, rows, dimension, chosen, count, out);
}

/// One row against both halves of the query, each code loaded once.
RAGSTONE_VNNI inline void sum_wide(const std::int8_t* high, const std::int8_t* low, const std::int8_t* row,
                                   std::size_t dimension, __m512i& h, __m512i& l) {
  h = _mm512_setzero_si512();
  l = _mm512_setzero_si512();
  std::size_t i = 0;
  for (; i + kBytes <= dimension; i += kBytes) {
    const __m512i codes = flip(load(row + i));
    h = _mm512_dpbusd_epi32(h, codes, load(high + i));
    l = _mm512_dpbusd_epi32(l, codes, load(low + i));
  }
  if (i < dimension) {
    const __m512i codes = flip(load(row + i, dimension - i));
    h = _mm512_dpbusd_epi32(h, codes, load(high + i, dimension - i));
    l = _mm512_dpbusd_epi32(l, codes, load(low + i, dimension - i));
  }
}

// Of so many elements, sums of 128 * high + low fit 32 bits.
constexpr std::size_t kMostJoined = 1024;

RAGSTONE_VNNI void code_dots_wide(const std::int8_t* high, const std::int8_t* low, const std::int8_t* rows,
                                  std::size_t dimension, const std::uint32_t* chosen, std::size_t count, float* out) {
  const std::int32_t over_high = excess(high, dimension);
  const std::int32_t over_low = excess(low, dimension);
  std::size_t i = 0;
  for (; dimension <= kMostJoined && i + kRows <= count; i += kRows) {
    __m512i sums[kRows];
    for (std::size_t r = 0; r < kRows; ++r) {
      fetch_after(rows, dimension, chosen, count, i + r);
      __m512i h;
      __m512i l;
      sum_wide(high, low, row_at(rows, dimension, chosen, i + r), dimension, h, l);
      sums[r] = _mm512_add_epi32(_mm512_slli_epi32(h, 7), l);
    }
    const __m128i over = _mm_set1_epi32(128 * over_high + over_low);
    const __m128i four = _mm_sub_epi32(add_lanes(sums[0], sums[1], sums[2], sums[3]), over);
    _mm_storeu_ps(out + i, _mm_cvtepi32_ps(four));
  }
  for (; i < count; ++i) {
    __m512i h;
    __m512i l;
    fetch_after(rows, dimension, chosen, count, i);
    sum_wide(high, low, row_at(rows, dimension, chosen, i), dimension, h, l);
    out[i] = joined(_mm512_reduce_add_epi32(h) - over_high, _mm512_reduce_add_epi32(l) - over_low);
  }
}

/// Products of the elements plus 8 with those of the query, in lanes, of one block.
[[gnu::always_inline]] RAGSTONE_VNNI inline void add_nibbles(const std::int8_t* query, const std::uint8_t* block,
                                                             std::size_t elements, __m512i& lower, __m512i& upper) {
  const __m512i mask = _mm512_set1_epi8(15);
  const std::size_t half = nibble_bytes(elements);
  const __m512i bytes = load(reinterpret_cast<const std::int8_t*>(block), half);
  lower = _mm512_dpbusd_epi32(lower, _mm512_and_si512(bytes, mask), load(query, half));
  if (elements == half) return;
  const __m512i above = _mm512_and_si512(_mm512_srli_epi16(bytes, 4), mask);
  upper = _mm512_dpbusd_epi32(upper, above, load(query + half, elements - half));
}

RAGSTONE_VNNI inline __m512i sum_nibbles(const std::int8_t* query, const std::uint8_t* row, std::size_t dimension) {
  __m512i lower = _mm512_setzero_si512();
  __m512i upper = _mm512_setzero_si512();
  std::size_t i = 0;
  for (; i + kNibbleBlock <= dimension; i += kNibbleBlock)
    add_nibbles(query + i, row + i / 2, kNibbleBlock, lower, upper);
  if (i < dimension) add_nibbles(query + i, row + i / 2, dimension - i, lower, upper);
  return _mm512_add_epi32(lower, upper);
}

RAGSTONE_VNNI void nibble_dots(const std::int8_t* query, const std::uint8_t* rows, std::size_t dimension,
                               std::size_t count, std::int32_t* out) {
  const std::int32_t over = excess(query, dimension) / 16;  // Of 8 instead of 128.
  const std::size_t bytes = nibble_bytes(dimension);
  std::size_t i = 0;
  for (; i + kRows <= count; i += kRows) {
    __m512i sums[kRows];
    for (std::size_t r = 0; r < kRows; ++r) {
      const std::uint8_t* row = rows + (i + r) * bytes;
      fetch_ahead(row);
      sums[r] = sum_nibbles(query, row, dimension);
    }
    const __m128i four = _mm_sub_epi32(add_lanes(sums[0], sums[1], sums[2], sums[3]), _mm_set1_epi32(over));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), four);
  }
  for (; i < count; ++i) out[i] = _mm512_reduce_add_epi32(sum_nibbles(query, rows + i * bytes, dimension)) - over;
}

RAGSTONE_VPOPCNT void hamming(const std::uint64_t* query, const std::uint64_t* rows, std::size_t words,
                              std::size_t count, std::uint32_t* out) {
  constexpr std::size_t kWords = 8;
  for (std::size_t row = 0; row < count; ++row) {
    const std::uint64_t* bits = rows + row * words;
    __m512i sum = _mm512_setzero_si512();
    for (std::size_t i = 0; i < words; i += kWords) {
      const std::size_t rest = words - i;
      const __mmask8 mask = rest < kWords ? static_cast<__mmask8>((1U << rest) - 1) : __mmask8{0xFF};
      const __m512i differ =
          _mm512_xor_si512(_mm512_maskz_loadu_epi64(mask, query + i), _mm512_maskz_loadu_epi64(mask, bits + i));
      sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(differ));
    }
    out[row] = static_cast<std::uint32_t>(_mm512_reduce_add_epi64(sum));
  }
}

RAGSTONE_VPOPCNT std::size_t count_bits(const std::uint64_t* words, std::size_t count) {
  __m512i sum = _mm512_setzero_si512();
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_loadu_si512(words + i)));
  if (i < count) {
    const auto mask = static_cast<__mmask8>((1U << (count - i)) - 1);
    sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_maskz_loadu_epi64(mask, words + i)));
  }
  return static_cast<std::size_t>(_mm512_reduce_add_epi64(sum));
}

/// select_sum() of sixteen rows.
RAGSTONE_VNNI inline __mmask16 select_block(const SelectTerms& terms, const std::int32_t* dots, const float* scales,
                                            const double* norms) {
  const __m512i evens = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odds = _mm512_add_epi32(evens, _mm512_set1_epi32(1));
  const __m512 first = _mm512_loadu_ps(scales);
  const __m512 second = _mm512_loadu_ps(scales + 16);
  const __m512 scale = _mm512_permutex2var_ps(first, evens, second);
  const __m512 error = _mm512_permutex2var_ps(first, odds, second);
  const __m512 norm = _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(_mm512_loadu_pd(norms))),
                                         _mm512_cvtpd_ps(_mm512_loadu_pd(norms + 8)), 1);
  const __m512 dot = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_loadu_si512(dots)), scale);
  const __m512 of_length =
      _mm512_add_ps(_mm512_add_ps(_mm512_mul_ps(_mm512_set1_ps(terms.norm), norm),
                                  _mm512_mul_ps(_mm512_set1_ps(terms.square), _mm512_mul_ps(norm, norm))),
                    _mm512_set1_ps(terms.constant));
  const __m512 sum = _mm512_add_ps(
      _mm512_add_ps(_mm512_mul_ps(_mm512_set1_ps(terms.dot), dot), _mm512_mul_ps(_mm512_set1_ps(terms.error), error)),
      of_length);
  return _mm512_cmp_ps_mask(sum, _mm512_setzero_ps(), _CMP_NLT_UQ) |
         _mm512_cmp_ps_mask(norm, _mm512_set1_ps(kLongestSelectable), _CMP_NLT_UQ);
}

RAGSTONE_VNNI std::size_t select(const SelectTerms& terms, const std::int32_t* dots, const float* scales,
                                 const double* norms, std::size_t count, std::uint32_t* out) {
  constexpr std::size_t kBlock = 16;
  std::size_t found = 0;
  std::size_t row = 0;
  for (; row + kBlock <= count; row += kBlock) {
    unsigned mask = select_block(terms, dots + row, scales + 2 * row, norms + row);
    for (; mask != 0; mask &= mask - 1)
      out[found++] = static_cast<std::uint32_t>(row) + static_cast<std::uint32_t>(__builtin_ctz(mask));
  }
  for (; row < count; ++row)
    if (!(select_sum(terms, dots, scales, norms, row) < 0)) out[found++] = static_cast<std::uint32_t>(row);
  return found;
}

}  // namespace

const Simd* vnni_table(const Simd& base) {
  if (!__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vnni"))
    return nullptr;
  static const Simd table = [&] {
    Simd own = base;
    own.name = "AVX3_VNNI";
    own.code_dot = code_dot;
    own.code_dots = code_dots;
    own.code_dots_each = code_dots_each;
    own.code_dots_wide = code_dots_wide;
    own.nibble_dots = nibble_dots;
    own.select = select;
    if (!__builtin_cpu_supports("avx512vpopcntdq")) return own;
    own.hamming = hamming;
    own.count_bits = count_bits;
    return own;
  }();
  return &table;
}

}  // namespace ragstone::kernel

#else

namespace ragstone::kernel {

const Simd* vnni_table(const Simd&) { return nullptr; }

}  // namespace ragstone::kernel

#endif
