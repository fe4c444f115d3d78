#include "support/errors.hpp"
#include "support/store/conformance.hpp"
#include "support/store/samples.hpp"
#include <ragstone/base/error.hpp>

#include <utility>

namespace ragstone::test {
namespace {

TEST_P(StoreConformance, AnEmptyStoreAnswersEverythingWithNothing) {
  const auto empty = snapshot();
  EXPECT_EQ(empty->generation(), 0u);
  EXPECT_TRUE(empty->groups().empty());
  EXPECT_TRUE(empty->sources({}).empty());
  EXPECT_EQ(empty->text("a.txt"), std::nullopt);
  EXPECT_TRUE(nodes("line").empty());
  const std::vector<TermWeight> terms = {{"river", 1}};
  EXPECT_TRUE(empty->search_terms("line", kBm25Key, terms, {}, {}, 5).empty());
  const std::vector<float> query = {1, 2};
  EXPECT_TRUE(empty->search_vectors("line", "e", query, Metric::cosine, {}, 5).empty());
  EXPECT_TRUE(empty->changes("line", 0)->upserts.empty());
}

TEST_P(StoreConformance, EachCommitAddsOneGenerationEvenAnEmptyOne) {
  EXPECT_EQ(put(sample_lines("a", "one\n")).generation, 1u);
  EXPECT_EQ(engine().commit({}).generation, 2u);
  EXPECT_EQ(remove("unknown").generation, 3u);
  EXPECT_EQ(snapshot()->generation(), 3u);
}

TEST_P(StoreConformance, NodesKeepTheirIdsWhenTextIsInsertedBeforeThem) {
  put(sample_lines("a", "alpha beta\n石头记\n"));
  const std::vector<Node> before = nodes("line");
  const CommitResult result = put(sample_lines("a", "inserted\nalpha beta\n石头记\n"));
  const std::vector<Node> after = nodes("line");
  ASSERT_EQ(before.size(), 2u);
  ASSERT_EQ(after.size(), 3u);
  EXPECT_EQ(after[0].id, before[0].id);
  EXPECT_EQ(after[1].id, before[1].id);
  EXPECT_EQ(after[0].span, (Span{9, 19}));
  EXPECT_EQ(after[1].text, "石头记");
  EXPECT_EQ(after[2].text, "inserted");
  EXPECT_GT(after[2].id, before[1].id);
  ASSERT_EQ(result.changes.size(), 2u);
  EXPECT_EQ(result.changes[0].group, "line");
  EXPECT_EQ(result.changes[0].upserts, std::vector<NodeId>{after[2].id});
  EXPECT_TRUE(result.changes[0].removed.empty());
}

TEST_P(StoreConformance, AnIdIsNeverUsedAgain) {
  put(sample_lines("a", "one\ntwo\n"));
  const NodeId highest = nodes("line").back().id;
  remove("a");
  reopen();
  put(sample_lines("a", "one\ntwo\n"));
  for (const Node& node : nodes("line")) EXPECT_GT(node.id, highest);
}

TEST_P(StoreConformance, NewMetadataOfASourceIsAnUpsertOfItsNodes) {
  put(sample_lines("a", "one\n", {{"lang", std::string("en")}}));
  const NodeId id = nodes("line")[0].id;
  EXPECT_TRUE(put(sample_lines("a", "one\n", {{"lang", std::string("en")}})).changes.empty());
  const CommitResult result = put(sample_lines("a", "one\n", {{"lang", std::string("fr")}}));
  ASSERT_EQ(result.changes.size(), 2u);
  EXPECT_EQ(result.changes[0].upserts, std::vector<NodeId>{id});

  SourceWrite hidden = sample_lines("a", "one\n", {{"lang", std::string("de")}});
  hidden.groups[1].rows[0].metadata.set("lang", "fr");
  const CommitResult same = put(std::move(hidden));
  ASSERT_EQ(same.changes.size(), 1u) << "the line still shows the same metadata";
  EXPECT_EQ(same.changes[0].group, kRootGroup);
}

TEST_P(StoreConformance, OtherContentUnderTheSameUidIsAnUpsert) {
  put(sample_lines("a", "one\n"));
  const Node before = nodes("line")[0];
  SourceWrite other = sample_lines("a", "two\n");
  other.groups[1].rows[0].uid = before.uid;
  const CommitResult result = put(std::move(other));
  EXPECT_EQ(nodes("line")[0].id, before.id);
  EXPECT_EQ(nodes("line")[0].text, "two");
  ASSERT_EQ(result.changes.size(), 2u);
  EXPECT_EQ(result.changes[0].upserts, std::vector<NodeId>{before.id});
}

TEST_P(StoreConformance, ANodesOwnMetadataLiesOverThatOfItsSource) {
  SourceWrite write = sample_lines("a", "one\ntwo\n", {{"lang", std::string("en")}, {"year", std::int64_t{2001}}});
  write.groups[1].rows[1].metadata.set("lang", "中文");
  put(std::move(write));
  const std::vector<Node> lines = nodes("line");
  EXPECT_EQ(lines[0].metadata.text("lang"), "en");
  EXPECT_EQ(lines[1].metadata.text("lang"), "中文");
  EXPECT_EQ(lines[1].metadata.size(), 2u);

  NodeQuery query;
  query.group = "line";
  query.filter = Filter::parse("lang == \"中文\" and year == 2001");
  ASSERT_EQ(snapshot()->nodes(query).size(), 1u);
  EXPECT_EQ(snapshot()->nodes(query)[0].text, "two");
}

TEST_P(StoreConformance, AFailureKeepsWhatWasStoredUntilTheNextSuccess) {
  put(sample_lines("a", "kept\n"));
  SourceFailure failure;
  failure.source = "a";
  failure.stage = Stage::embed;
  failure.reason = "no answer";
  Commit commit;
  commit.failures.push_back(failure);
  engine().commit(commit);
  engine().commit(commit);
  reopen();

  SourceRecord record = snapshot()->sources({}).at(0);
  EXPECT_EQ(record.state, SourceState::failed);
  EXPECT_EQ(record.stage, Stage::embed);
  EXPECT_EQ(record.reason, "no answer");
  EXPECT_EQ(record.attempts, 2u);
  EXPECT_EQ(record.generation, 1u);
  EXPECT_EQ(nodes("line").at(0).text, "kept");

  put(sample_lines("a", "kept\n"));
  record = snapshot()->sources({}).at(0);
  EXPECT_EQ(record.state, SourceState::ready);
  EXPECT_EQ(record.reason, "");
  EXPECT_EQ(record.attempts, 0u);
}

TEST_P(StoreConformance, AFailureOfAnUnknownSourceIsRememberedWithoutText) {
  SourceFailure failure;
  failure.source = "不可读.txt";
  failure.stage = Stage::load;
  failure.reason = "permission denied";
  failure.stamp = FileStamp{10, 20};
  Commit commit;
  commit.failures.push_back(failure);
  engine().commit(commit);

  SourceQuery query;
  query.failed_only = true;
  const SourceRecord record = snapshot()->sources(query).at(0);
  EXPECT_EQ(record.id, "不可读.txt");
  EXPECT_EQ(record.generation, 0u);
  EXPECT_EQ(record.stamp, (FileStamp{10, 20}));
  EXPECT_EQ(snapshot()->text("不可读.txt"), std::nullopt);
  PendingQuery pending;
  pending.group = "line";
  EXPECT_TRUE(snapshot()->pending(pending).empty());

  GroupWrite write;
  write.source = "不可读.txt";
  EXPECT_EQ(put(std::move(write)).skipped, std::vector<std::string>{"不可读.txt"});
}

TEST_P(StoreConformance, ASnapshotStaysAsItIsWhileCommitsGoOn) {
  put(sample_lines("a", "first text\n"));
  const auto pinned = snapshot();
  put(sample_lines("a", "second text\n"));
  remove("a");
  EXPECT_EQ(pinned->generation(), 1u);
  EXPECT_EQ(pinned->text("a"), "first text\n");
  const std::vector<TermWeight> terms = {{"first", 1}};
  EXPECT_EQ(pinned->search_terms("line", kBm25Key, terms, {}, {}, 5).size(), 1u);
  EXPECT_TRUE(snapshot()->search_terms("line", kBm25Key, terms, {}, {}, 5).empty());
}

TEST_P(StoreConformance, GroupsAndColumnsCanBeAddedLater) {
  const SourceWrite write = sample_lines("a", "red apple\n绿 茶\n");
  put(write);
  GroupWrite later;
  later.source = "a";
  later.content = write.record.content;
  later.groups.push_back(sample_group("a", write.text, "word", write.groups[1], word_spans(write.text)));
  GroupRows columns;
  columns.group = "line";
  columns.signature = write.groups[1].signature;
  columns.dense.push_back(sample_vectors("e", "two", {{1, 0}, {0, 1}}, 2));
  later.columns.push_back(std::move(columns));
  const CommitResult result = put(std::move(later));
  EXPECT_TRUE(result.skipped.empty());
  ASSERT_EQ(result.changes.size(), 1u);
  EXPECT_EQ(result.changes[0].group, "word");

  const std::vector<Node> words = nodes("word");
  ASSERT_EQ(words.size(), 4u);
  EXPECT_EQ(words[3].text, "茶");
  EXPECT_EQ(words[3].parent, nodes("line")[1].id);
  const std::vector<float> query = {0, 1};
  const auto hits = snapshot()->search_vectors("line", "e", query, Metric::cosine, {}, 1);
  EXPECT_EQ(hits.at(0).id, nodes("line")[1].id);
  const std::vector<TermWeight> terms = {{"appl", 1}};
  EXPECT_EQ(snapshot()->search_terms("line", kBm25Key, terms, {}, {}, 5).size(), 1u) << "other columns stay";
}

TEST_P(StoreConformance, AGroupWriteThatComesTooLateIsSkippedWhole) {
  const SourceWrite write = sample_lines("a", "one\n");
  put(write);
  const auto words = [&](const Hash128& content) {
    GroupWrite late;
    late.source = "a";
    late.content = content;
    late.groups.push_back(sample_group("a", write.text, "word", write.groups[1], word_spans(write.text)));
    return late;
  };
  EXPECT_EQ(put(words(hash128("old"))).skipped, std::vector<std::string>{"a"});

  GroupWrite other_signature = words(write.record.content);
  GroupRows& columns = other_signature.columns.emplace_back();
  columns.group = "line";
  columns.signature = "another chunker";
  columns.dense.push_back(sample_vectors("e", "two", {{1, 0}}, 2));
  EXPECT_EQ(put(std::move(other_signature)).skipped, std::vector<std::string>{"a"});

  GroupWrite no_parent = words(write.record.content);
  no_parent.groups[0].parent = "absent";
  EXPECT_EQ(put(std::move(no_parent)).skipped, std::vector<std::string>{"a"});
  EXPECT_TRUE(nodes("word").empty());
}

TEST_P(StoreConformance, ARemovalIsSkippedForContentThatWasWrittenSince) {
  put(sample_lines("a", "one\n"));
  const Generation seen = put(sample_lines("书", "石头\n")).generation;
  put(sample_lines("a", "one\n"));
  SourceTouch touch;
  touch.source = "书";
  Commit touching;
  touching.touches.push_back(touch);
  engine().commit(touching);

  const CommitResult late = remove("a", seen);
  EXPECT_EQ(late.skipped, std::vector<std::string>{"a"}) << "the same content, but of a later commit";
  EXPECT_TRUE(late.removed.empty());
  EXPECT_TRUE(late.changes.empty());
  EXPECT_EQ(snapshot()->text("a"), "one\n");
  EXPECT_EQ(remove("书", seen).removed, std::vector<std::string>{"书"}) << "a touch writes no content";
  const CommitResult unknown = remove("unknown", seen);
  EXPECT_TRUE(unknown.skipped.empty());
  EXPECT_TRUE(unknown.removed.empty());
  EXPECT_EQ(remove("a", late.generation).removed, std::vector<std::string>{"a"});
  EXPECT_TRUE(nodes("line").empty());
}

TEST_P(StoreConformance, ReplacingAParentGroupAsksForItsChildrenInTheSameWrite) {
  SourceWrite write = sample_lines("a", "one two\nthree\n");
  write.groups.push_back(sample_group("a", write.text, "word", write.groups[1], word_spans(write.text)));
  put(write);
  GroupWrite again;
  again.source = "a";
  again.content = write.record.content;
  again.groups.push_back(sample_group("a", write.text, "line", write.groups[0], line_spans(write.text), "other lines"));
  EXPECT_EQ(error_of([&] { put(again); }).errc(), Errc::invalid_argument);
  EXPECT_EQ(nodes("line").size(), 2u);

  again.groups.push_back(sample_group("a", write.text, "word", again.groups[0], word_spans(write.text)));
  const CommitResult result = put(again);
  EXPECT_EQ(result.changes.size(), 1u) << "the words keep their ids";
  EXPECT_EQ(nodes("word")[0].parent, nodes("line")[0].id);
}

TEST_P(StoreConformance, ASourceWithoutNodesInAGroupIsNotPending) {
  put(sample_lines("empty.txt", ""));
  put(sample_source("fresh.txt", "text"));
  PendingQuery pending;
  pending.group = "line";
  pending.signature = "spans/1";
  EXPECT_EQ(snapshot()->pending(pending), std::vector<std::string>{"fresh.txt"});
  EXPECT_EQ(snapshot()->text("empty.txt"), "");
}

TEST_P(StoreConformance, TouchingASourceChangesItsStampOnly) {
  put(sample_lines("a", "one\n"));
  SourceTouch touch;
  touch.source = "a";
  touch.stamp = FileStamp{4, 99};
  SourceTouch unknown;
  unknown.source = "b";
  Commit commit;
  commit.touches = {touch, unknown};
  EXPECT_TRUE(engine().commit(commit).changes.empty());
  ASSERT_EQ(snapshot()->sources({}).size(), 1u);
  EXPECT_EQ(snapshot()->sources({})[0].stamp, touch.stamp);
  EXPECT_EQ(snapshot()->sources({})[0].generation, 1u);
}

TEST_P(StoreConformance, AStoppedCommitChangesNothing) {
  std::stop_source stop;
  stop.request_stop();
  Commit commit;
  commit.sources.push_back(sample_lines("a", "one\n"));
  EXPECT_THROW(engine().commit(commit, stop.get_token()), boost::system::system_error);
  EXPECT_EQ(snapshot()->generation(), 0u);
}

TEST_P(StoreConformance, AClosedEngineRefusesCommitsAndStillReads) {
  put(sample_lines("a", "one\n"));
  const auto pinned = snapshot();
  engine().close();
  engine().close();
  EXPECT_EQ(error_of([&] { put(sample_lines("b", "two\n")); }).errc(), Errc::closed);
  EXPECT_EQ(pinned->text("a"), "one\n");
}

}  // namespace
}  // namespace ragstone::test
