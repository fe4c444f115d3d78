#include "nearest/store.hpp"

#include "support/store/samples.hpp"
#include "vector/peers.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace ragstone::bench {
namespace {

namespace fs = std::filesystem;

SourceWrite source_of(const VectorSet& set, std::size_t first) {
  const std::size_t end = std::min(set.rows(), first + kLinesOfSource);
  std::string text;
  for (std::size_t row = first; row < end; ++row) text += "line " + std::to_string(row) + "\n";
  SourceWrite write = test::sample_lines("s" + std::to_string(first), text);
  GroupRows& lines = write.groups[1];
  lines.sparse.clear();
  DenseRows& vectors = lines.dense.emplace_back();
  vectors.key = kVectorKey;
  vectors.signature = set.name;
  vectors.dimension = static_cast<std::uint32_t>(set.dimension);
  for (std::size_t row = first; row < end; ++row) {
    lines.rows[row - first].metadata.set("rank", Scalar(static_cast<std::int64_t>(rank_of(row))));
    const auto vector = set.row(row);
    vectors.values.insert(vectors.values.end(), vector.begin(), vector.end());
  }
  return write;
}

template <class T>
void write_numbers(const fs::path& file, const std::vector<T>& values) {
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
  if (!out) throw std::runtime_error("cannot write " + file.string());
}

template <class T>
std::vector<T> read_numbers(const fs::path& file) {
  std::vector<T> values(fs::file_size(file) / sizeof(T));
  std::ifstream in(file, std::ios::binary);
  in.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return values;
}

std::vector<std::uint32_t> truth_of(const VectorSet& set) {
  const auto scan = hnswlib_scan(set.dimension, set.metric == Metric::l2);
  scan->build(set.base, 1);
  std::vector<std::uint32_t> truth;
  for (std::size_t q = 0; q < set.asked(); ++q)
    for (const std::uint32_t row : scan->search(set.query(q), 10)) truth.push_back(row);
  return truth;
}

}  // namespace

std::size_t rank_of(std::size_t row) noexcept { return row * 7919 % kRanks; }

std::uint32_t row_of(NodeId node) noexcept {
  // Each source's whole text is a node before its lines; ids count from 1.
  const NodeId source = (node - 1) / (kLinesOfSource + 1);
  return static_cast<std::uint32_t>(node - 2 - source);
}

VectorSearch search_for(const VectorSet& set, std::size_t query) {
  VectorSearch search;
  search.group = kLineGroup;
  search.key = kVectorKey;
  const auto vector = set.query(query);
  search.queries.assign(vector.begin(), vector.end());
  search.dimension = set.dimension;
  search.metric = set.metric;
  search.k = 10;
  return search;
}

void fill(StoreEngine& engine, const VectorSet& set) {
  engine.declare_fields({{"rank", FieldKind::integer}});
  VectorIndexOptions options;
  options.metric_type = set.metric;
  engine.declare_vector_indexes({{kVectorKey, options}});
  for (std::size_t row = 0; row < set.rows(); row += kLinesOfSource) {
    Commit commit;
    commit.sources.push_back(source_of(set, row));
    engine.commit(std::move(commit));
    engine.maintain();
  }
  while (engine.maintain({}, Upkeep::idle)) {
  }
}

void write_set(const VectorSet& set, const fs::path& folder) {
  write_numbers(folder / "base.f32", set.base);
  write_numbers(folder / "queries.f32", set.queries);
  if (!set.base.empty()) write_numbers(folder / "truth.u32", truth_of(set));
  std::ofstream(folder / "set.json") << nlohmann::json{{"name", set.name},
                                                       {"dimension", set.dimension},
                                                       {"rows", set.rows()},
                                                       {"queries", set.asked()},
                                                       {"metric", metric_type_name(set.metric)}}
                                            .dump()
                                     << '\n';
}

VectorSet read_shape(const fs::path& folder) {
  const auto shape = nlohmann::json::parse(std::ifstream(folder / "set.json"));
  VectorSet set;
  set.name = shape.at("name").get<std::string>();
  set.metric = parse_metric_type(shape.at("metric").get<std::string>());
  set.dimension = shape.at("dimension").get<std::size_t>();
  return set;
}

VectorSet read_set(const fs::path& folder) {
  VectorSet set = read_shape(folder);
  set.base = read_numbers<float>(folder / "base.f32");
  set.queries = read_queries(folder);
  return set;
}

std::vector<float> read_queries(const fs::path& folder) { return read_numbers<float>(folder / "queries.f32"); }
std::vector<std::uint32_t> read_truth(const fs::path& folder) {
  return read_numbers<std::uint32_t>(folder / "truth.u32");
}

}  // namespace ragstone::bench
