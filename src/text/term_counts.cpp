#include "text/term_key.hpp"
#include <ragstone/text/analyzer.hpp>

#include <algorithm>
#include <bit>

namespace ragstone {
namespace {

// Counts terms in an open-addressed table whose terms lie one after the other in one string.
class Counter {
 public:
  explicit Counter(std::size_t text_bytes)
      : slots_(std::bit_ceil(std::clamp<std::size_t>(text_bytes / 4, 64, 1 << 14)), kEmpty) {
    entries_.reserve(slots_.size() / 2);
  }

  void add(std::string_view term) {
    const std::uint64_t prefix = detail::term_prefix(term);
    const std::uint64_t hash = detail::term_hash(term, prefix);
    std::size_t slot = hash & (slots_.size() - 1);
    for (; slots_[slot] != kEmpty; slot = (slot + 1) & (slots_.size() - 1)) {
      Entry& entry = entries_[slots_[slot]];
      if (entry.prefix == prefix && entry.size == term.size() && (term.size() <= 8 || text_of(entry) == term)) {
        ++entry.count;
        return;
      }
    }
    slots_[slot] = static_cast<std::uint32_t>(entries_.size());
    entries_.push_back({prefix, bytes_.size(), term.size(), 1});
    bytes_.append(term);
    if (entries_.size() * 2 > slots_.size()) grow();
  }

  std::vector<std::pair<std::string, std::uint32_t>> sorted() const {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
    order.reserve(entries_.size());
    for (const Entry& entry : entries_) order.emplace_back(entry.prefix, order.size());
    std::sort(order.begin(), order.end(), [this](const auto& a, const auto& b) {
      return a.first != b.first ? a.first < b.first : text_of(entries_[a.second]) < text_of(entries_[b.second]);
    });
    std::vector<std::pair<std::string, std::uint32_t>> terms;
    terms.reserve(entries_.size());
    for (const auto& [prefix, number] : order) terms.emplace_back(text_of(entries_[number]), entries_[number].count);
    return terms;
  }

 private:
  static constexpr std::uint32_t kEmpty = 0xFFFFFFFF;

  struct Entry {
    std::uint64_t prefix = 0;
    std::size_t begin = 0;
    std::size_t size = 0;
    std::uint32_t count = 0;
  };

  std::string_view text_of(const Entry& entry) const noexcept { return {bytes_.data() + entry.begin, entry.size}; }

  void grow() {
    slots_.assign(slots_.size() * 2, kEmpty);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const Entry& entry = entries_[i];
      std::size_t slot = detail::term_hash(text_of(entry), entry.prefix) & (slots_.size() - 1);
      while (slots_[slot] != kEmpty) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = static_cast<std::uint32_t>(i);
    }
  }

  std::vector<std::uint32_t> slots_;
  std::vector<Entry> entries_;
  std::string bytes_;
};

}  // namespace

TermCounts count_terms(const Analyzer& analyzer, std::string_view text) {
  Counter counter(text.size());
  TermCounts result;
  analyzer.visit(text, [&](std::string_view term, Span, std::uint32_t) {
    ++result.length;
    counter.add(term);
  });
  result.terms = counter.sorted();
  return result;
}

}  // namespace ragstone
