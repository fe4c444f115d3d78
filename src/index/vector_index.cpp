#include <ragstone/base/error.hpp>
#include <ragstone/index/vector_index.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace ragstone {
namespace {

constexpr std::pair<const char*, Metric> kMetrics[] = {
    {"COSINE", Metric::cosine}, {"IP", Metric::inner_product}, {"L2", Metric::l2}, {"HAMMING", Metric::hamming}};

// The first name of a type is its own.
constexpr std::pair<const char*, IndexType> kTypes[] = {{"AUTOINDEX", IndexType::automatic},
                                                        {"FLAT", IndexType::flat},
                                                        {"HNSW", IndexType::hnsw},
                                                        {"HNSW_SQ", IndexType::hnsw},
                                                        {"BIN_FLAT", IndexType::bin_flat}};

bool same_letters(std::string_view a, std::string_view b) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return upper(x) == upper(y); });
}

template <class Names>
auto parse(const Names& names, const char* what, std::string_view name) {
  std::string known;
  for (const auto& [text, value] : names) {
    if (same_letters(text, name)) return value;
    known += (known.empty() ? "" : ", ") + std::string(text);
  }
  throw Error(Errc::invalid_argument,
              std::string(what) + " \"" + std::string(name) + "\" is not known; there are " + known);
}

template <class Names, class Value>
const char* name_in(const Names& names, Value value) noexcept {
  for (const auto& [text, known] : names)
    if (known == value) return text;
  return "unknown";
}

template <class Names, class Value>
bool is_in(const Names& names, Value value) noexcept {
  return std::any_of(std::begin(names), std::end(names), [&](const auto& name) { return name.second == value; });
}

}  // namespace

const char* metric_type_name(Metric metric) noexcept { return name_in(kMetrics, metric); }
const char* index_type_name(IndexType type) noexcept { return name_in(kTypes, type); }
Metric parse_metric_type(std::string_view name) { return parse(kMetrics, "metric_type", name); }
IndexType parse_index_type(std::string_view name) { return parse(kTypes, "index_type", name); }

void check_vector_index(const std::string& key, const VectorIndexOptions& options) {
  const auto refuse = [&](const std::string& reason) {
    throw Error(Errc::invalid_argument, "vector index of \"" + key + "\": " + reason);
  };
  if (!is_in(kMetrics, options.metric_type)) refuse("its metric_type is none of the enumeration");
  if (!is_in(kTypes, options.index_type)) refuse("its index_type is none of the enumeration");
  if (options.m < 2 || options.m > 2048) refuse("M must be from 2 to 2048");
  if (options.ef_construction < options.m || options.ef_construction > 65'536)
    refuse("efConstruction must be from M to 65536");
  if (options.index_type == IndexType::hnsw && options.metric_type == Metric::hamming)
    refuse("HNSW has no metric_type HAMMING; take BIN_FLAT");
  if (!(options.recall > 0 && options.recall <= 1)) refuse("recall must be above 0 and at most 1");
  if (options.exact && options.ef > 0) refuse("exact searches follow no ef; set one of the two");
  if (options.exact && options.index_type == IndexType::hnsw)
    refuse("exact searches never use the graph of HNSW; take FLAT, or drop exact");
  if (options.ef > 0 && (options.index_type == IndexType::flat || options.index_type == IndexType::bin_flat))
    refuse(std::string(index_type_name(options.index_type)) +
           " has no graph that ef could widen; drop ef, or take HNSW");
}

}  // namespace ragstone
