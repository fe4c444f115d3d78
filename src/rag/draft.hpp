#pragma once

#include "rag/document_core.hpp"
#include "rag/ingest_plan.hpp"
#include "rag/prepare.hpp"
#include <ragstone/async/task.hpp>
#include <ragstone/store/commit.hpp>

#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace ragstone {

/// One source on its way into the store.
struct Draft {
  IngestItem item;
  bool read = false;  ///< `write` holds the record and the text.
  SourceWrite write;
  bool unchanged = false;          ///< A file that was written again with the content that is stored.
  bool restamped = false;          ///< See ReadItem.
  std::optional<Hash128> content;  ///< Once it is read.
  std::uint64_t text_bytes = 0;
  std::optional<StageError> failure;

  bool wants_groups() const noexcept { return read && !unchanged && !failure; }
};

using Drafts = std::vector<Draft>;

/// What embedding took.
struct EmbedCounts {
  std::size_t embedded = 0;
  std::size_t reused = 0;
};

/// Vectors by the key of their column and the content of their text.
struct VectorsByContent {
  template <class Vector>
  using ByKey = std::map<std::string, std::unordered_map<Hash128, Vector>>;

  ByKey<std::vector<float>> dense;
  ByKey<SparseVector> sparse;
};

/// Why embedders refuse whatever they are asked, by the keys of their columns: a wrong key or model, say.
using EmbedderErrors = std::map<std::string, std::exception_ptr>;

/// Adds the vectors of drafts that are going to be cut again, since they have been paid for.
void keep_vectors(const Drafts& drafts, VectorsByContent& kept);

/// Fills the embedders' columns of all drafts that want them: with vectors from `kept` (which may be null) or the store
/// for texts that are known there, with new ones for the rest. A text that its embedder refuses fails the sources that
/// hold it and no other. Embedders in `refusing` are not asked; those that turn out to belong there are added. Counts
/// nothing for texts in `kept`. Throws only when cancelled, past the context's deadline, or when the store fails.
Task<EmbedCounts> embed_drafts(std::shared_ptr<DocumentCore> core, std::shared_ptr<const IngestPlan> plan,
                               std::shared_ptr<Drafts> drafts, std::shared_ptr<const VectorsByContent> kept,
                               std::shared_ptr<EmbedderErrors> refusing, CallContext context);

/// Whether an operation that failed with `error` must end, instead of going on with its other sources: it was
/// cancelled, or is past its deadline.
bool ends_operation(const std::exception_ptr& error, const CallContext& context);

}  // namespace ragstone
