#pragma once

#include "support/temporary_folder.hpp"
#include "support/test_embedders.hpp"
#include <ragstone/ragstone.hpp>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {

/// A Runtime, and short forms for what most tests of Document and Retriever do.
class RagTest : public testing::Test {
 protected:
  Document open(DocumentOptions options = {}) { return runtime.run(Document::open(runtime, std::move(options))); }

  Document open_folder(const TemporaryFolder& folder, std::shared_ptr<Embedder> embedder = nullptr) {
    DocumentOptions options;
    options.dataset = folder.path();
    if (embedder) options.embedders["test"] = std::move(embedder);
    return open(std::move(options));
  }

  SyncReport sync(Document document, SyncOptions options = {}) { return runtime.run(document.sync(options)); }

  std::vector<Hit> retrieve(const Document& document, const std::string& query, RetrieverOptions options = {}) {
    return runtime.run(Retriever(document, std::move(options)).retrieve(query));
  }

  std::vector<Node> nodes(Document document, const std::string& group) {
    NodeQuery query;
    query.group = group;
    return runtime.run(document.nodes(query));
  }

  /// Each chunk is the source's text at its span.
  void expect_spans_true(Document document, const std::string& group) {
    for (const Node& node : nodes(document, group)) {
      const std::string text = runtime.run(document.text(node.source));
      ASSERT_LE(node.span.end, text.size());
      if (node.is_span) {
        EXPECT_EQ(node.text, node.span.of(text)) << node.source;
      }
    }
  }

  static std::set<Uid> uids(const std::vector<Node>& nodes) {
    std::set<Uid> all;
    for (const Node& node : nodes) all.insert(node.uid);
    return all;
  }

  /// The code with which an operation fails.
  template <class Operation>
  static Errc code_of(Operation operation) {
    try {
      operation();
    } catch (const Error& error) {
      EXPECT_STRNE(error.what(), "");
      return error.errc();
    }
    ADD_FAILURE() << "no error was thrown";
    return Errc::internal;
  }

  Runtime runtime;
};

}  // namespace ragstone::test
