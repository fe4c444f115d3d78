#include "rag/draft.hpp"
#include <ragstone/async/offload.hpp>
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace ragstone {
namespace {

/// The texts that one embedder's column needs, each once.
struct ColumnTexts {
  PlannedColumn column;
  std::vector<Hash128> contents;
  std::vector<std::string_view> texts;  ///< In the drafts.
  std::vector<std::vector<float>> vectors;
  std::vector<std::optional<SparseVector>> sparse;  ///< In place of these, of a sparse embedder.
  std::vector<std::exception_ptr> errors;
  bool embeds = false;  ///< The embedder has given vectors.
  std::unordered_map<Hash128, std::size_t> position;
};

using Columns = std::vector<ColumnTexts>;

const GroupRows* rows_of(const Draft& draft, const std::string& group) {
  for (const GroupRows& rows : draft.write.groups)
    if (rows.group == group) return &rows;
  return nullptr;
}

void collect(const PlannedGroup& group, const PlannedColumn& column, const Drafts& drafts, ColumnTexts& into) {
  into.column = column;
  for (const Draft& draft : drafts) {
    if (!draft.wants_groups()) continue;
    const GroupRows* rows = rows_of(draft, group.name);
    if (rows == nullptr) continue;
    for (const NodeRow& row : rows->rows) {
      if (!into.position.try_emplace(row.content, into.contents.size()).second) continue;
      into.contents.push_back(row.content);
      into.texts.push_back(row_text(row, draft.write.text));
    }
  }
}

template <class Vector, class Place>
void fill_from(const VectorsByContent::ByKey<Vector>& kept, const ColumnTexts& texts, std::vector<Place>& places) {
  places.resize(texts.contents.size());
  const auto known = kept.find(texts.column.key);
  if (known == kept.end()) return;
  for (std::size_t i = 0; i < texts.contents.size(); ++i)
    if (const auto found = known->second.find(texts.contents[i]); found != known->second.end())
      places[i] = found->second;
}

void fill_from(const VectorsByContent& kept, ColumnTexts& texts) {
  fill_from(kept.dense, texts, texts.vectors);
  fill_from(kept.sparse, texts, texts.sparse);
  texts.errors.resize(texts.contents.size());
}

Columns collect_all(const IngestPlan& plan, const Drafts& drafts, const VectorsByContent* kept, const StopToken& stop) {
  Columns columns;
  for (const PlannedGroup& group : plan.groups) {
    for (const PlannedColumn& column : group.columns) {
      if (column.is_bm25()) continue;
      throw_if_stopped(stop);
      auto place = std::find_if(columns.begin(), columns.end(),
                                [&](const ColumnTexts& known) { return known.column.key == column.key; });
      if (place == columns.end()) place = columns.emplace(columns.end());
      collect(group, column, drafts, *place);
    }
  }
  const VectorsByContent none;
  for (ColumnTexts& texts : columns) fill_from(kept ? *kept : none, texts);
  return columns;
}

DenseRows dense_rows(const ColumnTexts& texts, const GroupRows& rows) {
  DenseRows dense;
  dense.key = texts.column.key;
  dense.signature = texts.column.signature;
  dense.dimension = texts.column.embedder->identity().dimension;
  dense.values.reserve(rows.rows.size() * dense.dimension);
  for (const NodeRow& row : rows.rows) {
    const std::vector<float>& vector = texts.vectors[texts.position.at(row.content)];
    dense.values.insert(dense.values.end(), vector.begin(), vector.end());
  }
  return dense;
}

SparseRows sparse_rows(const ColumnTexts& texts, const GroupRows& rows) {
  SparseRows sparse;
  sparse.key = texts.column.key;
  sparse.signature = texts.column.signature;
  for (const NodeRow& row : rows.rows) {
    const SparseVector& vector = *texts.sparse[texts.position.at(row.content)];
    sparse.rows.append(vector);
    sparse.lengths.push_back(static_cast<std::uint32_t>(vector.size()));
  }
  return sparse;
}

/// Puts the vectors in place, or the failure of a text into its source.
void distribute(const IngestPlan& plan, const Columns& columns, Drafts& drafts) {
  for (Draft& draft : drafts) {
    if (!draft.wants_groups()) continue;
    for (GroupRows& rows : draft.write.groups) {
      const PlannedGroup* planned = plan.find(rows.group);
      for (const PlannedColumn& column : planned->columns) {
        if (column.is_bm25()) continue;
        const auto& texts = *std::find_if(columns.begin(), columns.end(),
                                          [&](const ColumnTexts& known) { return known.column.key == column.key; });
        for (const NodeRow& row : rows.rows) {
          const std::exception_ptr& error = texts.errors[texts.position.at(row.content)];
          if (error && !draft.failure) draft.failure = StageError{Stage::embed, error};
        }
        if (draft.failure) break;
        if (column.embedder) {
          rows.dense.push_back(dense_rows(texts, rows));
        } else {
          rows.sparse.push_back(sparse_rows(texts, rows));
        }
      }
    }
  }
}

SparseVector vector_of(const SparseVectors& rows, std::size_t row) {
  SparseVector vector;
  for (const SparseVectors::Element& element : rows[row])
    vector.push_back({std::string(rows.terms()[element.term]), element.weight});
  return vector;
}

std::vector<std::size_t> places_without_vector(const ColumnTexts& texts) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < texts.vectors.size(); ++i)
    if (texts.vectors[i].empty() && !texts.sparse[i]) places.push_back(i);
  return places;
}

/// Takes the vectors that the store has for the texts at these places.
Task<void> take_stored(Store& store, ColumnTexts& texts, std::span<const std::size_t> places, CallContext context) {
  if (places.empty()) co_return;
  std::vector<Hash128> contents;
  contents.reserve(places.size());
  for (const std::size_t place : places) contents.push_back(texts.contents[place]);
  if (texts.column.sparse_embedder) {
    std::vector<std::optional<SparseVector>> stored =
        co_await store.sparse_vectors(texts.column.key, texts.column.signature, std::move(contents), context);
    for (std::size_t i = 0; i < places.size(); ++i) texts.sparse[places[i]] = std::move(stored[i]);
    co_return;
  }
  std::vector<std::vector<float>> stored =
      co_await store.vectors(texts.column.key, texts.column.signature, std::move(contents), context);
  for (std::size_t i = 0; i < places.size(); ++i) texts.vectors[places[i]] = std::move(stored[i]);
}

Task<void> embed_places(ColumnTexts& texts, std::span<const std::size_t> places, CallContext context) {
  std::vector<std::string> batch;
  batch.reserve(places.size());
  for (const std::size_t place : places) batch.emplace_back(texts.texts[place]);
  if (texts.column.sparse_embedder) {
    SparseBatch given =
        co_await texts.column.sparse_embedder->embed(std::move(batch), EmbedRole::document, std::move(context));
    for (std::size_t i = 0; i < places.size(); ++i) texts.sparse[places[i]] = std::move(given.rows[i]);
    co_return;
  }
  const Embeddings given =
      co_await texts.column.embedder->embed(std::move(batch), EmbedRole::document, std::move(context));
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::span<const float> row = given.row(i);
    texts.vectors[places[i]].assign(row.begin(), row.end());
  }
}

using Places = std::span<const std::size_t>;

void fail(ColumnTexts& texts, Places places, const std::exception_ptr& error) {
  for (const std::size_t place : places) texts.errors[place] = error;
}

/// Embeds the texts at these places; null, or why they failed. Throws what ends the operation.
Task<std::exception_ptr> try_embed(ColumnTexts& texts, Places places, std::chrono::milliseconds timeout,
                                   CallContext context) {
  std::exception_ptr error;
  try {
    co_await embed_places(texts, places, context.with_call_timeout(timeout));
  } catch (...) {
    error = std::current_exception();
  }
  if (error && ends_operation(error, context)) std::rethrow_exception(error);
  fail(texts, places, error);
  texts.embeds = texts.embeds || !error;
  co_return error;
}

/// Whether it may be a text that is refused, and not all that the embedder is asked.
bool may_be_one_text(const std::exception_ptr& error) {
  const Errc code = errc_of(error);
  return code == Errc::rejected || code == Errc::limit_exceeded || code == Errc::invalid_argument ||
         code == Errc::internal;
}

/// Whether the embedder would refuse any other text as well, now and in a while.
bool concerns_all_texts(const std::exception_ptr& error) {
  const Errc code = errc_of(error);
  return code == Errc::unauthorized || code == Errc::not_found || code == Errc::dimension_mismatch ||
         code == Errc::unsupported;
}

/// Those of at least two texts in two.
std::vector<Places> halves_of(const std::vector<Places>& parts) {
  std::vector<Places> halves;
  for (const Places part : parts) {
    if (part.size() < 2) continue;
    halves.push_back(part.first(part.size() / 2));
    halves.push_back(part.subspan(part.size() / 2));
  }
  return halves;
}

/// Finds the texts of a failed slice that the embedder refuses, so that they fail no others: by halves, the larger
/// parts first. Null, or an error that no text is the reason of: nothing was embedded, in whatever part of the slice.
Task<std::exception_ptr> embed_by_halves(ColumnTexts& texts, Places slice, std::chrono::milliseconds timeout,
                                         CallContext context) {
  constexpr std::size_t kEnoughParts = 8;
  std::vector<Places> failed(1, slice);
  while (!failed.empty()) {
    const std::vector<Places> parts = halves_of(std::exchange(failed, {}));
    std::exception_ptr error;
    for (const Places part : parts) {
      error = co_await try_embed(texts, part, timeout, context);
      if (error && !may_be_one_text(error)) co_return error;
      if (error) failed.push_back(part);
    }
    if (!texts.embeds && parts.size() >= kEnoughParts) co_return error;
  }
  co_return nullptr;
}

/// What fails for a reason that no text is of fails the texts that are left, too, and is returned.
Task<std::exception_ptr> embed_missing(ColumnTexts& texts, Places missing, std::chrono::milliseconds timeout,
                                       CallContext context) {
  const std::size_t slice_size = texts.column.max_batch() * texts.column.max_concurrency();
  while (!missing.empty()) {
    const Places slice = missing.first(std::min(slice_size, missing.size()));
    missing = missing.subspan(slice.size());
    std::exception_ptr error = co_await try_embed(texts, slice, timeout, context);
    if (error && may_be_one_text(error)) error = co_await embed_by_halves(texts, slice, timeout, context);
    if (!error) continue;
    fail(texts, missing, error);
    co_return error;
  }
  co_return nullptr;
}

Task<void> embed_unless_refused(ColumnTexts& texts, Places missing, EmbedderErrors& refusing,
                                std::chrono::milliseconds timeout, CallContext context) {
  const std::string& key = texts.column.key;
  if (const auto known = refusing.find(key); known != refusing.end()) {
    fail(texts, missing, known->second);
    co_return;
  }
  const std::exception_ptr error = co_await embed_missing(texts, missing, timeout, context);
  if (error && concerns_all_texts(error)) refusing.emplace(key, error);
}

}  // namespace

bool ends_operation(const std::exception_ptr& error, const CallContext& context) {
  if (is_cancelled(error)) return true;
  const Errc code = errc_of(error);
  return code == Errc::timeout && context.deadline() && CallContext::Clock::now() >= *context.deadline();
}

void keep_vectors(const Drafts& drafts, VectorsByContent& kept) {
  for (const Draft& draft : drafts) {
    if (!draft.wants_groups()) continue;
    for (const GroupRows& rows : draft.write.groups) {
      for (const DenseRows& dense : rows.dense)
        for (std::size_t i = 0; i < rows.rows.size(); ++i) {
          const auto begin = dense.values.begin() + static_cast<std::ptrdiff_t>(i * dense.dimension);
          kept.dense[dense.key].try_emplace(rows.rows[i].content, begin, begin + dense.dimension);
        }
      for (const SparseRows& sparse : rows.sparse) {
        if (sparse.key == kBm25Key) continue;
        for (std::size_t i = 0; i < rows.rows.size(); ++i)
          kept.sparse[sparse.key].try_emplace(rows.rows[i].content, vector_of(sparse.rows, i));
      }
    }
  }
}

Task<EmbedCounts> embed_drafts(std::shared_ptr<DocumentCore> core, std::shared_ptr<const IngestPlan> plan,
                               std::shared_ptr<Drafts> drafts, std::shared_ptr<const VectorsByContent> kept,
                               std::shared_ptr<EmbedderErrors> refusing, CallContext context) {
  EmbedCounts counts;
  Work<Columns> collecting;
  collecting.set([plan, drafts, kept](const StopToken& stop) { return collect_all(*plan, *drafts, kept.get(), stop); });
  auto columns = std::make_shared<Columns>();
  *columns = co_await offload(core->pool, Lane::background, std::move(collecting), context);
  if (columns->empty()) co_return counts;

  for (ColumnTexts& texts : *columns) {
    const std::vector<std::size_t> unknown = places_without_vector(texts);
    co_await take_stored(*core->store, texts, unknown, context);
    const std::vector<std::size_t> missing = places_without_vector(texts);
    counts.reused += unknown.size() - missing.size();
    counts.embedded += missing.size();
    co_await embed_unless_refused(texts, missing, *refusing, core->options.embed_timeout, context);
  }

  Work<void> distributing;
  distributing.set(
      [plan, drafts, columns = std::move(columns)](const StopToken&) { distribute(*plan, *columns, *drafts); });
  co_await offload(core->pool, Lane::background, std::move(distributing), context);
  co_return counts;
}

}  // namespace ragstone
