#include <ragstone/text/analyzer.hpp>

#include <algorithm>
#include <cstring>

namespace ragstone {
namespace {

// Counts terms in an open-addressed table whose terms lie one after the other in one string.
class Counter {
 public:
  Counter() : slots_(64, kEmpty) {}

  void add(std::string_view term) {
    const std::size_t hash = std::hash<std::string_view>()(term);
    std::size_t slot = hash & (slots_.size() - 1);
    for (; slots_[slot] != kEmpty; slot = (slot + 1) & (slots_.size() - 1)) {
      Entry& entry = entries_[slots_[slot]];
      if (entry.hash == hash && text_of(entry) == term) {
        ++entry.count;
        return;
      }
    }
    slots_[slot] = static_cast<std::uint32_t>(entries_.size());
    entries_.push_back({hash, bytes_.size(), term.size(), prefix_of(term), 1});
    bytes_.append(term);
    if (entries_.size() * 2 > slots_.size()) grow();
  }

  std::vector<std::pair<std::string, std::uint32_t>> sorted() {
    std::sort(entries_.begin(), entries_.end(), [this](const Entry& a, const Entry& b) {
      return a.prefix != b.prefix ? a.prefix < b.prefix : text_of(a) < text_of(b);
    });
    std::vector<std::pair<std::string, std::uint32_t>> terms;
    terms.reserve(entries_.size());
    for (const Entry& entry : entries_) terms.emplace_back(text_of(entry), entry.count);
    return terms;
  }

 private:
  static constexpr std::uint32_t kEmpty = 0xFFFFFFFF;

  struct Entry {
    std::size_t hash = 0;
    std::size_t begin = 0;
    std::size_t size = 0;
    std::uint64_t prefix = 0;
    std::uint32_t count = 0;
  };

  // The first 8 bytes as a number that sorts like them; shorter terms end in zeros.
  static std::uint64_t prefix_of(std::string_view term) noexcept {
    std::uint64_t prefix = 0;
    for (std::size_t i = 0; i < 8; ++i)
      prefix = prefix << 8 | (i < term.size() ? static_cast<unsigned char>(term[i]) : 0u);
    return prefix;
  }

  std::string_view text_of(const Entry& entry) const noexcept { return {bytes_.data() + entry.begin, entry.size}; }

  void grow() {
    slots_.assign(slots_.size() * 2, kEmpty);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      std::size_t slot = entries_[i].hash & (slots_.size() - 1);
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
  Counter counter;
  TermCounts result;
  analyzer.visit(text, [&](std::string_view term, Span, std::uint32_t) {
    ++result.length;
    counter.add(term);
  });
  result.terms = counter.sorted();
  return result;
}

}  // namespace ragstone
