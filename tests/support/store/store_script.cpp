#include "support/store/store_script.hpp"

#include <ragstone/index/vector_index.hpp>

#include <stdexcept>
#include <string>
#include <utility>

namespace ragstone::test {

namespace {

VectorIndexOptions graph_options() {
  VectorIndexOptions options;
  options.index_type = IndexType::hnsw;
  options.metric_type = Metric::l2;
  options.m = 4;
  options.ef_construction = 8;
  return options;
}

}  // namespace

bool is_of_medium(const Error& error) { return error.errc() == Errc::io_error || error.errc() == Errc::storage_full; }

StoreScript::StoreScript(StoreHistory& history, std::uint64_t seed, Generation from, Open open, bool in_doubt)
    : history_(history), random_(seed), open_(std::move(open)), acknowledged_(from), in_doubt_(in_doubt) {}

void StoreScript::guarded(const std::function<void()>& step) {
  if (!on_failure) {
    step();
    return;
  }
  try {
    step();
  } catch (const Error& error) {
    on_failure(error);
  }
}

void StoreScript::open() {
  if (engine_) return;
  engine_ = open_();
  const Generation found = engine_->snapshot()->generation();
  if (found != acknowledged_ && !(in_doubt_ && found == acknowledged_ + 1))
    throw std::logic_error("opened generation " + std::to_string(found) + " instead of " +
                           std::to_string(acknowledged_));
  acknowledged_ = found;
  in_doubt_ = false;
  if (with_graphs) engine_->declare_vector_indexes({{RandomCommits::kKey, graph_options()}});
}

void StoreScript::commit_next() {
  const std::vector<Commit>& commits = history_.commits_after(acknowledged_);
  for (std::size_t i = 0; i + 1 < commits.size(); ++i) {
    try {
      engine_->commit(commits[i]);
    } catch (const Error& error) {
      if (is_of_medium(error)) throw;
      continue;
    }
    throw std::logic_error("a commit after generation " + std::to_string(acknowledged_) + " should be refused");
  }
  in_doubt_ = true;
  const Generation generation = engine_->commit(commits.back()).generation;
  if (generation != acknowledged_ + 1)
    throw std::logic_error("committed generation " + std::to_string(generation) + " after " +
                           std::to_string(acknowledged_));
  acknowledged_ = generation;
  in_doubt_ = false;
  if (on_acknowledged) on_acknowledged(generation);
}

void StoreScript::declare_fields() {
  std::vector<FieldDeclaration> fields;
  if (random_() % 2 == 0) fields.push_back({"lang", FieldKind::text});
  if (random_() % 2 == 0) fields.push_back({"year", FieldKind::integer});
  engine_->declare_fields(std::move(fields));
}

void StoreScript::declare_vector_index() {
  VectorIndexOptions options;
  options.metric_type = random_() % 2 == 0 ? Metric::l2 : Metric::cosine;
  options.index_type = random_() % 2 == 0 ? IndexType::bin_flat : IndexType::flat;
  engine_->declare_vector_indexes({{RandomCommits::kKey, options}});
}

void StoreScript::read() {
  if (!on_read) return;
  on_read(*engine_->snapshot(), acknowledged_);
  if (pinned_) on_read(*pinned_, pinned_generation_);
}

void StoreScript::step() {
  open();
  const std::uint64_t kind = random_() % 100;
  if (kind < 65) {
    commit_next();
  } else if (kind < 80) {
    engine_->maintain();
  } else if (kind < 85) {
    read();
  } else if (kind < 88) {
    if (on_backup) on_backup(*engine_, acknowledged_);
  } else if (kind < 92) {
    pinned_ = engine_->snapshot();
    pinned_generation_ = acknowledged_;
  } else if (kind < 94) {
    pinned_.reset();
  } else if (kind < 95) {
    declare_fields();
  } else if (kind < 96) {
    declare_vector_index();
  } else {
    close();
  }
}

void StoreScript::run(std::size_t steps) {
  for (; steps > 0; --steps) guarded([this] { step(); });
}

void StoreScript::commit() {
  guarded([this] {
    open();
    commit_next();
  });
}

void StoreScript::maintain() {
  guarded([this] {
    open();
    while (engine_->maintain()) {
    }
  });
}

void StoreScript::close() {
  pinned_.reset();
  const std::shared_ptr<StoreEngine> closing = std::exchange(engine_, nullptr);
  if (closing) guarded([&] { closing->close(); });
}

}  // namespace ragstone::test
