#include "store/sqlite/metadata_filter.hpp"
#include "store/sqlite/snapshot.hpp"
#include "support/rounds.hpp"
#include "support/store/random_filters.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::sqlite {
namespace {

using test::RandomFilters;

std::vector<FieldDeclaration> all_fields() {
  std::vector<FieldDeclaration> fields;
  for (const std::string& name : RandomFilters::names()) fields.emplace_back(name, FieldKind::text);
  return fields;
}

class SqliteFields : public testing::Test {
 protected:
  void open() { engine_ = sqlite_engine(folder_.path() / "kb", options_); }

  void put(const std::string& id, RandomFilters& random) {
    Commit commit;
    SourceWrite write = test::sample_lines(id, "river\nstone\n", random.metadata());
    if (random.below(3) == 0) write.groups[1].rows[0].metadata = random.metadata();
    commit.sources.push_back(std::move(write));
    engine_->commit(std::move(commit));
  }

  void settle() {
    while (engine_->maintain()) {
    }
  }

  std::shared_ptr<const SqliteSnapshot> snapshot() const {
    return std::dynamic_pointer_cast<const SqliteSnapshot>(engine_->snapshot());
  }

  /// Whether filters over all that is declared need no look at the metadata.
  bool selects_quickly(const char* filter) const {
    const auto at = snapshot();
    FilterCache cache(1 << 20);
    const Filter parsed = Filter::parse(filter);
    return MetadataFilter(*at->state(), at->readers(), cache, "line", parsed).selects_quickly();
  }

  test::TemporaryFolder folder_;
  SqliteOptions options_;
  std::shared_ptr<StoreEngine> engine_;
};

/// Compares select() and allows() for every live row with the evaluator.
void expect_selected(const SqliteSnapshot& at, FilterCache& cache, const Filter& filter) {
  std::map<NodeId, bool> expected;
  NodeQuery query;
  query.group = "line";
  for (const Node& node : at.nodes(query)) expected[node.id] = filter.matches(node.metadata);
  const MetadataFilter rows(*at.state(), at.readers(), cache, "line", filter);
  std::size_t live = 0;
  for (const auto& [number, column] : at.state()->columns)
    for (const Part& part : column->parts) {
      const auto* sparse = std::get_if<std::shared_ptr<const segment::SparsePart>>(&part.data);
      if (sparse == nullptr) continue;
      const Selection selected = rows.select((*sparse)->nodes(), (*sparse)->sources(), {});
      for (std::uint32_t row = 0; row < part.rows(); ++row) {
        if (part.dead.contains(row)) continue;
        ++live;
        const NodeId node = (*sparse)->node(row);
        ASSERT_EQ(selected->contains(row), expected.at(node)) << filter.to_string();
        ASSERT_EQ(rows.allows(node, (*sparse)->source(row)), expected.at(node)) << filter.to_string();
      }
    }
  ASSERT_EQ(live, expected.size());
}

TEST_F(SqliteFields, SelectionsAreWhatTheEvaluatorSaysAlsoAtOlderStates) {  // S2
  options_.seal_rows = 20;
  for (std::size_t seed = 0; seed < test::rounds(6); ++seed) {
    RandomFilters random(static_cast<unsigned>(seed));
    std::filesystem::remove_all(folder_.path() / "kb");
    open();
    engine_->declare_fields(random.below(2) == 0 ? all_fields() : std::vector{all_fields().front()});
    FilterCache cache(1 << 20);
    std::vector<Filter> filters;
    for (int i = 0; i < 5; ++i) filters.push_back(random.filter(2));
    std::erase_if(filters, [](const Filter& filter) { return filter.empty(); });
    std::vector<std::shared_ptr<const SqliteSnapshot>> states;
    for (int round = 0; round < 30; ++round) {
      for (int i = 0; i < 4; ++i) put("s" + std::to_string(random.below(25)), random);
      if (random.below(3) == 0) settle();
      states.push_back(snapshot());
      for (std::size_t i = states.size(); i-- > 0;)
        ASSERT_NO_FATAL_FAILURE(expect_selected(*states[i], cache, filters[random.below(filters.size())]));
      if (states.size() > 3) states.erase(states.begin());
    }
  }
}

TEST_F(SqliteFields, ADeclarationTakesEffectByARebuildAndIsRemembered) {
  RandomFilters random(1);
  open();
  for (int i = 0; i < 600; ++i) put("s" + std::to_string(i), random);
  EXPECT_FALSE(selects_quickly("year > 3"));
  engine_->declare_fields({{"year", FieldKind::integer}});
  EXPECT_FALSE(selects_quickly("year > 3")) << "nothing is rebuilt yet";
  ASSERT_TRUE(engine_->maintain());
  engine_.reset();
  open();
  settle();
  EXPECT_TRUE(selects_quickly("year > 3")) << "a rebuild goes on where it ended";
  EXPECT_FALSE(selects_quickly("lang == 'en'"));
  EXPECT_FALSE(selects_quickly("lang == 'en' and year > 3"));
  put("new", random);
  EXPECT_TRUE(selects_quickly("year > 3"));
  EXPECT_TRUE(engine_->verify().ok());

  engine_->declare_fields({{"lang", FieldKind::text}, {"year", FieldKind::integer}});
  EXPECT_TRUE(selects_quickly("year > 3")) << "the columns of the declaration before serve meanwhile";
  settle();
  EXPECT_TRUE(selects_quickly("lang == 'en' and year > 3"));
  engine_->declare_fields({});
  settle();
  EXPECT_FALSE(selects_quickly("year > 3"));
  EXPECT_TRUE(engine_->verify().ok());
  for (const auto& [number, definition] : snapshot()->state()->catalog.columns()) EXPECT_FALSE(definition.is_fields());
}

TEST_F(SqliteFields, ARebuildReachesSourcesThatAreNotInTheTablesYet) {
  RandomFilters random(3);
  open();
  for (int i = 0; i < 5; ++i) put("s" + std::to_string(i), random);
  ASSERT_EQ(snapshot()->state()->fresh->size(), 5u);
  engine_->declare_fields(all_fields());
  put("later", random);
  ASSERT_TRUE(engine_->maintain());
  for (const bool reopened : {false, true}) {
    if (reopened) {
      engine_.reset();  // As a crash does.
      open();
    }
    EXPECT_EQ(snapshot()->sources({}).size(), 6u);
    EXPECT_TRUE(selects_quickly("year > 3"));
    FilterCache cache(1 << 20);
    for (const char* filter : {"year > 3", "not (year > 3)", "lang == 'en' or exists `作者`"})
      ASSERT_NO_FATAL_FAILURE(expect_selected(*snapshot(), cache, Filter::parse(filter)));
    EXPECT_TRUE(engine_->verify().ok());
  }
}

TEST_F(SqliteFields, ReadersBackupsAndRecoveredStoresHaveThem) {
  RandomFilters random(2);
  open();
  engine_->declare_fields(all_fields());
  for (int i = 0; i < 30; ++i) put("s" + std::to_string(i), random);
  engine_->backup(folder_.path() / "copy");
  engine_->close();
  recover_store(folder_.path() / "kb", folder_.path() / "recovered");
  for (const char* name : {"kb", "copy", "recovered"}) {
    for (const StoreAccess access : {StoreAccess::read_only, StoreAccess::read_write}) {
      options_.access = access;
      engine_ = sqlite_engine(folder_.path() / name, options_);
      EXPECT_EQ(snapshot()->state()->fields->declared.size(), all_fields().size()) << name;
      engine_->declare_fields(all_fields());
      // What was recovered has no postings yet.
      if (std::string(name) != "recovered") {
        EXPECT_TRUE(selects_quickly("year > 3")) << name;
        FilterCache cache(1 << 20);
        ASSERT_NO_FATAL_FAILURE(expect_selected(*snapshot(), cache, Filter::parse("year > 3 or exists `作者`")));
      }
      engine_->close();
    }
  }
}

}  // namespace
}  // namespace ragstone::sqlite
