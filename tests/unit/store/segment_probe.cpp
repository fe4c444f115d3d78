#include "unit/store/segment_probe.hpp"

#include "store/segment/container_layout.hpp"
#include "store/segment/dense_part.hpp"
#include "store/segment/dense_search.hpp"
#include "store/segment/field_part.hpp"
#include "store/segment/sparse_part.hpp"
#include "unit/store/segment_samples.hpp"
#include <ragstone/base/error.hpp>

#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace ragstone::segment {
namespace {

constexpr std::size_t kHits = 5;

/// Runs `call`; its answer, or the name of its error.
template <class Call>
std::string answer_of(Call call) {
  try {
    return call() + '\n';
  } catch (const Error& error) {
    if (error.errc() != Errc::corrupt_store && error.errc() != Errc::unsupported)
      throw std::logic_error(std::string("not an error of damaged bytes: ") + error.what());
    return std::string(name_of(error.errc())) + '\n';
  }
}

std::string text_of(const std::vector<ScoredNode>& hits) {
  if (hits.size() > kHits) throw std::logic_error("more hits than were asked for");
  std::string text;
  for (std::size_t i = 0; i < hits.size(); ++i) {
    if (!std::isfinite(hits[i].score)) throw std::logic_error("a score is not finite");
    if (i > 0 && ranks_before(hits[i], hits[i - 1])) throw std::logic_error("hits are not in order");
    text += std::to_string(hits[i].id) + ' ' + std::to_string(hits[i].score) + ' ';
  }
  return text;
}

/// Along the graph and by the bits, where there are some.
std::vector<ScoredNode> search_cheaply(std::span<const DenseView> views, std::span<const float> vector, Metric metric) {
  DenseQuery query;
  query.queries = vector;
  query.dimension = vector.size();
  query.metric = metric;
  query.k = kHits;
  query.by_graph = true;
  return search_dense(views, query, {}).hits.at(0);
}

template <class Part>
std::string rows_of(const Part& part) {
  std::string text;
  for (std::uint32_t row = 0; row < part.rows(); row += 1 + static_cast<std::uint32_t>(part.rows() / 50))
    text += std::to_string(part.find(part.node(row)).value_or(UINT32_MAX)) + ' ' + std::to_string(part.source(row)) +
            ' ' + to_string(part.content(row)) + ' ';
  return text;
}

/// What a graph that goes on from the part's is built with; none where it has none, or could take long.
DenseForm graph_form_of(const DensePart& part) {
  const graph::Graph* graph = part.graph();
  if (graph == nullptr || graph->header().ef_construction > 200 || graph->header().upper_degree > 32) return {};
  return graph_form(graph::metric_of(graph->header()), graph->header().upper_degree, graph->header().ef_construction);
}

std::string answers_of(const std::shared_ptr<const DensePart>& part) {
  std::string answers = rows_of(*part);
  for (std::uint32_t row = 0; row < part->rows(); row += 7)
    answers += answer_of([&] { return std::to_string(part->find(part->content(row)).size()); });
  // A part without rows may claim any dimension.
  if (part->dimension() > 4096) return answers;
  std::mt19937 random(1);
  const std::vector<std::uint32_t> first = {0};
  const std::vector<DenseView> views = {{part, {}}};
  const std::vector<DenseView> fewer = {{part, DeadRows().with(first)}};
  for (const Metric metric : {Metric::cosine, Metric::inner_product, Metric::l2, Metric::hamming}) {
    const std::vector<float> query = random_vector(random, part->dimension());
    answers += answer_of([&] { return text_of(search_cheaply(views, query, metric)); });
    answers += answer_of([&] { return text_of(search_cheaply(fewer, query, metric)); });
    answers += answer_of([&] { return text_of(search_dense(views, query, metric, nullptr, kHits, {})); });
    answers += answer_of([&] { return text_of(search_dense(fewer, query, metric, nullptr, kHits, {})); });
  }
  // A graph goes on from the part's, where that fits.
  for (const DenseForm& form : {DenseForm(), graph_form_of(*part)})
    answers += answer_of([&] {
      StringSink image;
      merge_dense(2, fewer, image, {}, form);
      return std::move(image).take();
    });
  return answers;
}

std::string text_of(const std::vector<std::optional<std::vector<TermWeight>>>& vectors) {
  std::string text;
  for (const auto& vector : vectors) {
    text += vector ? "vector" : "none";
    for (std::size_t i = 0; vector && i < vector->size(); ++i) {
      const TermWeight& element = (*vector)[i];
      if (!std::isfinite(element.weight) || element.weight <= 0) throw std::logic_error("a weight is not positive");
      if (i > 0 && element.term <= (*vector)[i - 1].term) throw std::logic_error("terms do not ascend");
      text += ' ' + element.term + ' ' + std::to_string(element.weight);
    }
    text += '\n';
  }
  return text;
}

std::string answers_of(const std::shared_ptr<const SparsePart>& part) {
  std::string answers = rows_of(*part) + std::to_string(part->tokens());
  std::mt19937 random(1);
  const std::vector<std::uint32_t> first = {0};
  const std::vector<SparseView> views = {{part, {}}};
  const std::vector<SparseView> fewer = {{part, DeadRows().with(first)}};
  for (int i = 0; i < 10; ++i) {
    const std::vector<TermWeight> query = random_query(random, i < 5 ? 10 : 300);
    answers += answer_of([&] {
      return text_of(search_sparse(views, {100, 1000}, query, &kDefaultBm25, nullptr, kHits, {}));
    });
    answers += answer_of([&] {
      return text_of(search_sparse(views, {100, 1000}, query, nullptr, nullptr, kHits, {}));
    });
    answers += answer_of([&] {
      return text_of(search_sparse(fewer, {100, 1000}, query, &kDefaultBm25, nullptr, kHits, {}));
    });
  }
  std::vector<Hash128> contents;
  for (std::uint32_t row = 0; row < part->rows(); row += 1 + static_cast<std::uint32_t>(part->rows() / 20))
    contents.push_back(part->content(row));
  answers += answer_of([&] { return text_of(find_sparse_vectors(fewer, contents, {})); });
  return answers + answer_of([&] {
           StringSink image;
           merge_sparse(2, fewer, image, {});
           return std::move(image).take();
         });
}

std::string text_of(const FieldPart& part, const RowBitmap& rows) {
  if (rows.rows() != part.rows() || rows.count() > rows.rows())
    throw std::logic_error("not the rows of the part were selected");
  std::string text = std::to_string(rows.count());
  rows.for_each(0, rows.rows(), [&](std::size_t row) { text += ' ' + std::to_string(row); });
  return text;
}

std::string answers_of(const std::shared_ptr<const FieldPart>& part) {
  std::string answers = rows_of(*part);
  for (std::size_t field = 0; field < part->fields().size(); ++field)
    answers += part->fields()[field] + ' ' + std::to_string(part->values(field)) + '\n';
  test::RandomFilters random(1);
  for (int i = 0; i < 30; ++i) {
    const Filter filter = random.filter();
    // Others are answered from the rows' own metadata.
    if (filter.empty() || !is_covered(*filter.root(), part->fields())) continue;
    answers += answer_of([&] { return text_of(*part, select_rows(*part, *filter.root(), {})); });
  }
  const std::vector<std::uint32_t> first = {0};
  const std::vector<FieldView> fewer = {{part, DeadRows().with(first)}};
  return answers + answer_of([&] {
           StringSink image;
           merge_fields(2, fewer, image, {});
           return std::move(image).take();
         });
}

template <class Part>
Probe probe_as(std::string_view image) {
  Probe result;
  std::shared_ptr<const Part> part;
  result.answers = answer_of([&] {
    part = std::make_shared<const Part>(heap_image(image));
    return std::string("opens");
  });
  if (!part) return result;
  result.opens = true;
  result.verifies = part->verify({}).empty();
  result.answers += answers_of(part);
  return result;
}

}  // namespace

Probe probe(std::string_view image) {
  StoredHeader header{};
  std::memcpy(&header, image.data(), std::min(image.size(), sizeof header));
  switch (static_cast<Kind>(header.kind)) {
    case Kind::sparse:
      return probe_as<SparsePart>(image);
    case Kind::fields:
      return probe_as<FieldPart>(image);
    default:
      return probe_as<DensePart>(image);
  }
}

std::string with_right_checksums(std::string image) {
  StoredHeader header;
  if (image.size() < sizeof header) return image;
  std::memcpy(&header, image.data(), sizeof header);
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = kFormatVersion;
  header.size = image.size();
  if (header.sections > kMaxSections || image.size() - sizeof header < header.sections * sizeof(Section)) return image;
  std::vector<Section> table(header.sections);
  if (!table.empty()) std::memcpy(table.data(), image.data() + sizeof header, table.size() * sizeof(Section));
  // Small sections only: what the samples of fuzzing have.
  for (Section& section : table)
    if (section.offset <= image.size() && section.bytes <= image.size() - section.offset)
      section.checksum = checksum_of(std::string_view(image).substr(section.offset, section.bytes));
  const std::string_view stored(reinterpret_cast<const char*>(table.data()), table.size() * sizeof(Section));
  header.checksum = header_checksum(header, stored);
  std::memcpy(image.data(), &header, sizeof header);
  image.replace(sizeof header, stored.size(), stored);
  return image;
}

}  // namespace ragstone::segment
