#include "index/vector_scorer.hpp"
#include "kernel/distance.hpp"
#include "kernel/stop_poll.hpp"
#include "store/segment/dense_part.hpp"
#include "store/segment/merge_plan.hpp"
#include "store/segment/sign_bits.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace ragstone::segment {
namespace {

constexpr std::size_t kSections = 8;
constexpr std::size_t kGraphSections = 6;
constexpr std::size_t kNibbleSections = 2;
// A graph that has lost more than one row in so many is built anew: mending costs links, and walks.
constexpr std::size_t kMostDeadOfBase = 5;

/// The rows of a part that is being written.
class DenseRows {
 public:
  virtual ~DenseRows() = default;
  virtual std::size_t size() const = 0;
  virtual RowKey key(std::size_t number) const = 0;
  virtual std::span<const float> vector(std::size_t number) const = 0;
  virtual double norm(std::size_t number) const = 0;
  virtual CodeScale code(std::size_t number, std::span<std::int8_t> codes) const = 0;
  virtual CodeScale nibbles(std::size_t number, std::span<std::uint8_t> nibbles) const {
    return encode_nibbles(vector(number), nibbles);
  }
  /// A graph over some of the rows, to go on from.
  virtual std::optional<graph::BaseGraph> base(const graph::BuildOptions&) const { return std::nullopt; }
};

class NewRows final : public DenseRows {
 public:
  NewRows(std::uint32_t dimension, std::span<const RowKey> keys, std::span<const float> values)
      : dimension_(dimension), keys_(keys), values_(values) {}

  std::size_t size() const override { return keys_.size(); }
  RowKey key(std::size_t number) const override { return keys_[number]; }
  std::span<const float> vector(std::size_t number) const override {
    return values_.subspan(number * dimension_, dimension_);
  }
  double norm(std::size_t number) const override { return kernel::norm(vector(number)); }
  CodeScale code(std::size_t number, std::span<std::int8_t> codes) const override {
    return encode(vector(number), codes);
  }

 private:
  std::size_t dimension_;
  std::span<const RowKey> keys_;
  std::span<const float> values_;
};

/// What a merge must know of a part's damage, so that no wrong byte gets a new checksum.
struct Damage {
  DeadRows lost;
  DeadRows underived;  ///< Norm and codes are to be derived again.
  bool any = false;
};

class MergedRows final : public DenseRows {
 public:
  MergedRows(std::span<const DenseView> parts, const StopToken& stop) : parts_(parts), plan_(plan_merge(parts)) {
    for (const DenseView& part : parts) damage_.push_back(find_damage(*part.part, stop));
    for (const PlannedRow& row : plan_)
      if (damage_[row.part].lost.contains(row.row))
        throw Error(Errc::corrupt_store, "merge segments: live rows are damaged; verify the store, then recover it");
  }

  std::size_t size() const override { return plan_.size(); }
  RowKey key(std::size_t number) const override {
    const DensePart& part = *parts_[plan_[number].part].part;
    const std::uint32_t row = plan_[number].row;
    return {plan_[number].node, part.source(row), part.content(row)};
  }
  std::span<const float> vector(std::size_t number) const override {
    return parts_[plan_[number].part].part->vector(plan_[number].row);
  }
  double norm(std::size_t number) const override {
    const PlannedRow& row = plan_[number];
    if (damage_[row.part].underived.contains(row.row)) return kernel::norm(vector(number));
    return parts_[row.part].part->norm(row.row);
  }
  CodeScale code(std::size_t number, std::span<std::int8_t> codes) const override {
    const PlannedRow& row = plan_[number];
    if (damage_[row.part].underived.contains(row.row)) return encode(vector(number), codes);
    const DensePart& part = *parts_[row.part].part;
    std::ranges::copy(part.codes(row.row), codes.begin());
    return part.code_scale(row.row);
  }

  CodeScale nibbles(std::size_t number, std::span<std::uint8_t> nibbles) const override {
    const PlannedRow& row = plan_[number];
    const DensePart& part = *parts_[row.part].part;
    if (!part.has_nibbles() || damage_[row.part].underived.contains(row.row))
      return encode_nibbles(vector(number), nibbles);
    std::ranges::copy(part.nibbles_from(row.row).first(nibbles.size()), nibbles.begin());
    return part.all_nibble_scales()[row.row];
  }

  std::optional<graph::BaseGraph> base(const graph::BuildOptions& options) const override {
    std::size_t best = parts_.size();
    for (std::size_t p = 0; p < parts_.size(); ++p)
      if (can_be_base(p, options) && (best == parts_.size() || parts_[p].part->rows() > parts_[best].part->rows()))
        best = p;
    if (best == parts_.size()) return std::nullopt;
    const graph::Graph* graph = parts_[best].part->graph();
    graph::BaseGraph base{graph, std::vector<std::uint32_t>(graph->nodes(), graph::kNone)};
    for (std::uint32_t row = 0; row < plan_.size(); ++row)
      if (plan_[row].part == best) base.rows[plan_[row].row] = row;
    return base;
  }

 private:
  bool can_be_base(std::size_t p, const graph::BuildOptions& options) const {
    const DenseView& view = parts_[p];
    return view.part->graph() != nullptr && !damage_[p].any && graph::BaseGraph::fits(*view.part->graph(), options) &&
           view.dead.count() <= view.part->rows() / kMostDeadOfBase;
  }

  static Damage find_damage(const DensePart& part, const StopToken& stop) {
    Damage damage;
    for (const Finding& finding : part.container().damaged_sections(stop)) {
      damage.any = true;
      const bool derived = finding.loss == Finding::Loss::nothing;
      DeadRows& rows = derived ? damage.underived : damage.lost;
      rows = rows.with(finding.rows);
    }
    return damage;
  }

  std::span<const DenseView> parts_;
  std::vector<PlannedRow> plan_;
  std::vector<Damage> damage_;
};

class DenseWriter {
 public:
  DenseWriter(Generation generation, std::uint32_t dimension, const DenseRows& rows, ImageSink& to,
              const DenseForm& form, const Parallel* parallel, const StopToken& stop)
      : rows_(rows),
        dimension_(dimension),
        form_(form),
        parallel_(parallel),
        stop_(stop),
        poll_(stop),
        writer_(to, {Kind::dense, generation, rows.size(), dimension}, sections(rows.size(), dimension, form)) {}

  void write() {
    write_column(SectionId::nodes, [&](std::size_t n) { return rows_.key(n).node; });
    write_column(SectionId::sources, [&](std::size_t n) { return rows_.key(n).source; });
    write_column(SectionId::contents, [&](std::size_t n) { return rows_.key(n).content; });
    write_content_order();
    write_column(SectionId::norms, [&](std::size_t n) { return rows_.norm(n); });
    write_codes();
    if (form_.wants_graph(rows_.size())) write_graph();
    if (form_.bits) write_bits();
    if (form_.wants_nibbles(rows_.size(), dimension_)) write_nibbles();
    writer_.begin(SectionId::vectors, sizeof(float));
    for (std::size_t n = 0; n < rows_.size(); ++n) {
      poll_.spend(dimension_);
      writer_.append(rows_.vector(n));
    }
    writer_.end();
    writer_.finish();
  }

 private:
  static std::size_t sections(std::size_t rows, std::size_t dimension, const DenseForm& form) {
    return kSections + (form.wants_graph(rows) ? kGraphSections : 0) + (form.bits ? 1 : 0) +
           (form.wants_nibbles(rows, dimension) ? kNibbleSections : 0);
  }

  struct ContentKey {
    std::uint64_t prefix = 0;
    std::uint32_t row = 0;
  };

  template <class Value>
  void write_column(SectionId section, Value value) {
    writer_.begin(section, sizeof(value(0)));
    for (std::size_t n = 0; n < rows_.size(); ++n) {
      poll_.spend(20);
      writer_.append_value(value(n));
    }
    writer_.end();
  }

  void write_content_order() {
    std::vector<ContentKey> order(rows_.size());
    for (std::uint32_t row = 0; row < order.size(); ++row) {
      poll_.spend(20);
      order[row] = {std::hash<Hash128>()(rows_.key(row).content), row};
    }
    std::sort(order.begin(), order.end(), [&](const ContentKey& a, const ContentKey& b) {
      if (a.prefix != b.prefix) return a.prefix < b.prefix;
      return std::pair(rows_.key(a.row).content, a.row) < std::pair(rows_.key(b.row).content, b.row);
    });
    write_column(SectionId::content_order, [&](std::size_t n) { return order[n].row; });
  }

  void write_codes() {
    std::vector<CodeScale> scales(rows_.size());
    std::vector<std::int8_t> codes(rows_.size() > 0 ? dimension_ : 0);
    const bool keeps = form_.wants_graph(rows_.size());
    if (keeps) all_codes_.reserve(rows_.size() * dimension_);
    writer_.begin(SectionId::codes, sizeof(std::int8_t));
    for (std::size_t n = 0; n < rows_.size(); ++n) {
      poll_.spend(dimension_);
      scales[n] = rows_.code(n, codes);
      writer_.append(std::span<const std::int8_t>(codes));
      if (!keeps) continue;
      all_codes_.insert(all_codes_.end(), codes.begin(), codes.end());
      factors_.push_back(graph::code_factor(form_.graph->metric, scales[n].scale, rows_.norm(n)));
    }
    writer_.end();
    write_column(SectionId::code_scales, [&](std::size_t n) { return scales[n]; });
  }

  void write_graph() {
    const graph::CodeRows rows{all_codes_.data(), dimension_, factors_};
    std::optional<graph::BaseGraph> base;
    if (!form_.from_scratch) base = rows_.base(*form_.graph);
    const graph::ExactDistance exact = [this](std::uint32_t from, std::uint32_t to) {
      return -VectorScorer(rows_.vector(from), form_.graph->metric).score(rows_.vector(to), rows_.norm(to));
    };
    const graph::BuiltGraph built = graph::build(rows, *form_.graph, exact, parallel_, stop_, base ? &*base : nullptr);
    write_array(SectionId::graph_header, std::span(&built.header, 1));
    write_array(SectionId::graph_links, std::span(built.links));
    if (!built.upper.empty()) write_array(SectionId::graph_upper, std::span(built.upper));
    write_array(SectionId::graph_factors, std::span(factors_));
    if (built.copies.empty()) return;
    write_array(SectionId::graph_originals, std::span(built.originals));
    write_array(SectionId::graph_copies, std::span(built.copies));
  }

  void write_bits() {
    writer_.begin(SectionId::bits, sizeof(std::uint64_t));
    for (std::size_t n = 0; n < rows_.size(); ++n) {
      poll_.spend(dimension_);
      const std::vector<std::uint64_t> bits = sign_bits(rows_.vector(n));
      writer_.append(std::span<const std::uint64_t>(bits));
    }
    writer_.end();
  }

  void write_nibbles() {
    std::vector<CodeScale> scales(rows_.size());
    std::vector<std::uint8_t> nibbles(kernel::nibble_bytes(dimension_));
    writer_.begin(SectionId::nibbles, sizeof(std::uint8_t));
    for (std::size_t n = 0; n < rows_.size(); ++n) {
      poll_.spend(4 * dimension_);
      scales[n] = rows_.nibbles(n, nibbles);
      writer_.append(std::span<const std::uint8_t>(nibbles));
    }
    writer_.end();
    write_array(SectionId::nibble_scales, std::span(scales));
  }

  template <class T>
  void write_array(SectionId section, std::span<const T> values) {
    writer_.begin(section, sizeof(T));
    writer_.append(values);
    writer_.end();
  }
  template <class T>
  void write_array(SectionId section, std::span<T> values) {
    write_array(section, std::span<const T>(values));
  }

  const DenseRows& rows_;
  std::size_t dimension_;
  const DenseForm& form_;
  const Parallel* parallel_;
  const StopToken& stop_;
  kernel::StopPoll poll_;
  ContainerWriter writer_;
  std::vector<std::int8_t> all_codes_;  ///< For a graph.
  std::vector<graph::CodeFactor> factors_;
};

}  // namespace

std::string build_dense(Generation generation, std::uint32_t dimension, std::span<const RowKey> rows,
                        std::span<const float> values, const DenseForm& form) {
  if (dimension == 0 || values.size() != rows.size() * dimension)
    throw Error(Errc::internal, "build a segment: the vectors are not as many as the rows");
  const StopToken never;
  StringSink image;
  DenseWriter(generation, dimension, NewRows(dimension, rows, values), image, form, nullptr, never).write();
  return std::move(image).take();
}

void merge_dense(Generation generation, std::span<const DenseView> parts, ImageSink& to, const StopToken& stop,
                 const DenseForm& form, const Parallel* parallel) {
  if (parts.empty()) throw Error(Errc::internal, "merge segments: there are none");
  const std::uint32_t dimension = parts.front().part->dimension();
  for (const DenseView& part : parts)
    if (part.part->dimension() != dimension)
      throw Error(Errc::dimension_mismatch, "merge segments: one has dimension " + std::to_string(dimension) +
                                                ", another " + std::to_string(part.part->dimension()));
  const MergedRows rows(parts, stop);
  const std::uint64_t links = form.wants_graph(rows.size()) ? (2 * form.graph->m + 4) * sizeof(std::uint32_t) : 0;
  const std::uint64_t bits = form.bits ? dimension / 8 + 8 : 0;
  const std::uint64_t nibbles = form.wants_nibbles(rows.size(), dimension) ? dimension / 2 + 9 : 0;
  to.expect(rows.size() * (5 * std::uint64_t{dimension} + links + 64 + bits + nibbles) + 65'536);
  DenseWriter(generation, dimension, rows, to, form, parallel, stop).write();
}

}  // namespace ragstone::segment
