#include "text/term_key.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/text/term_table.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace ragstone {
namespace {

constexpr std::size_t kFirstSlots = 64;
constexpr std::uint64_t kHashBits = ~std::uint64_t{UINT32_MAX};

/// Whether two terms of one size and prefix are the same.
bool is_same(const char* a, const char* b, std::size_t size) noexcept {
  if (size <= 8) return true;
  if (size > 16) return std::memcmp(a + 8, b + 8, size - 8) == 0;
  return detail::load_bytes(a + size - 8, 8) == detail::load_bytes(b + size - 8, 8);
}

}  // namespace

TermTable::Place TermTable::place_of(std::string_view term, std::uint64_t prefix, std::uint64_t hash) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  Place place;
  for (place.slot = hash & mask; slots_[place.slot] != 0; place.slot = (place.slot + 1) & mask) {
    if (((slots_[place.slot] ^ hash) & kHashBits) != 0) continue;
    const auto number = static_cast<std::uint32_t>(slots_[place.slot]) - 1;
    const Entry& known = entries_[number];
    if (known.prefix != prefix || known.size != term.size() ||
        !is_same(bytes_.data() + known.begin, term.data(), term.size()))
      continue;
    place.number = number;
    break;
  }
  return place;
}

std::uint32_t TermTable::find(std::string_view term) const noexcept {
  if (entries_.empty()) return kNoNumber;
  const std::uint64_t prefix = detail::term_prefix(term);
  return place_of(term, prefix, detail::term_hash(term, prefix)).number;
}

std::uint32_t TermTable::number_of(std::string_view term) {
  if (entries_.size() * 2 >= slots_.size()) grow();
  const std::uint64_t prefix = detail::term_prefix(term);
  const std::uint64_t hash = detail::term_hash(term, prefix);
  const Place place = place_of(term, prefix, hash);
  if (place.number != kNoNumber) return place.number;
  if (term.size() > UINT32_MAX - bytes_.size())
    throw Error(Errc::limit_exceeded, "number terms: more than 4 GiB of terms; add the source in pieces");
  entries_.push_back({prefix, static_cast<std::uint32_t>(bytes_.size()), static_cast<std::uint32_t>(term.size())});
  bytes_.append(term);
  slots_[place.slot] = (hash & kHashBits) | entries_.size();
  return static_cast<std::uint32_t>(entries_.size() - 1);
}

std::vector<std::uint32_t> TermTable::sorted() const {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
  order.reserve(entries_.size());
  for (std::uint32_t number = 0; number < entries_.size(); ++number)
    order.emplace_back(entries_[number].prefix, number);
  std::sort(order.begin(), order.end(), [this](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : (*this)[a.second] < (*this)[b.second];
  });
  std::vector<std::uint32_t> numbers;
  numbers.reserve(order.size());
  for (const auto& [prefix, number] : order) numbers.push_back(number);
  return numbers;
}

void TermTable::grow() {
  slots_.assign(std::max(kFirstSlots, slots_.size() * 4), 0);
  const std::size_t mask = slots_.size() - 1;
  for (std::uint32_t number = 0; number < entries_.size(); ++number) {
    const std::uint64_t hash = detail::term_hash((*this)[number], entries_[number].prefix);
    std::size_t at = hash & mask;
    while (slots_[at] != 0) at = (at + 1) & mask;
    slots_[at] = (hash & kHashBits) | (std::uint64_t{number} + 1);
  }
}

}  // namespace ragstone
