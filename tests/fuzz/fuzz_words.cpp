#include "fuzz/targets.hpp"
#include "store/segment/image_sink.hpp"
#include "store/segment/index_folder.hpp"
#include "unit/store/segment_probe.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/index/linear_index.hpp>
#include <ragstone/index/trie_index.hpp>

#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace ragstone::test {
namespace {

constexpr std::size_t kHits = 5;

/// `choice`: the first byte of an input.
std::shared_ptr<Index> make_index(char choice) {
  WordIndexOptions options;
  options.weight_field = "weight";
  return (choice & 2) == 0 ? trie_index(options) : linear_index(options);
}

template <class Call>
void expect_corrupt_at_worst(Call call) {
  try {
    call();
  } catch (const Error& error) {
    if (error.errc() != Errc::corrupt_store && error.errc() != Errc::unsupported &&
        error.errc() != Errc::embedder_mismatch)
      throw std::logic_error(std::string("not an error of damaged bytes: ") + error.what());
  }
}

void ask(const Index& index) {
  for (const char* mode : {"exact", "prefix", "edits", "frequency"})
    for (const char* word : {"apple", "app", "", "苹果", "aple"})
      expect_corrupt_at_worst([&] {
        IndexQuery query;
        query.text = word;
        query.top_k = kHits;
        const bool by_frequency = std::string_view(mode) == "frequency";
        query.parameters.set("mode", by_frequency ? "prefix" : mode);
        if (by_frequency) query.parameters.set("by", mode);
        const auto hits = index.query(query, {});
        if (hits.size() > kHits) throw std::logic_error("more hits than were asked for");
        for (const ScoredNode& hit : hits)
          if (!std::isfinite(hit.score)) throw std::logic_error("a score is not finite");
      });
}

}  // namespace

std::string fuzz_words_sample(unsigned seed) {
  const char choice = static_cast<char>(seed & 3);
  const auto index = make_index(choice);
  IndexUpdate update;
  update.to = 3;
  NodeId id = 1;
  for (const char* word :
       {"apple", "apply", "apple", "苹果", "苹果树", "b", "a longer word than fifteen bytes", "apt"}) {
    Node& node = update.upserts.emplace_back();
    node.id = id++;
    node.text = word;
    node.metadata.set("weight", static_cast<double>(id));
  }
  for (int i = 0; i < 20; ++i) {
    Node& node = update.upserts.emplace_back();
    node.id = id++;
    node.text = "word" + std::to_string(i);
  }
  index->update(update, {});
  segment::StringSink sink(8);
  segment::write_index(sink, *index, {});
  return choice + std::move(sink).take();
}

void fuzz_words(std::string_view bytes) {
  if (bytes.empty()) return;
  std::string image(bytes.substr(1));
  if ((bytes[0] & 1) == 0) image = segment::with_right_checksums(std::move(image));
  expect_corrupt_at_worst([&] {
    const auto index = make_index(bytes[0]);
    index->load(segment::open_index(segment::heap_image(image), index->form()));
    ask(*index);
    MemoryIndexImage copy(1);
    index->save(copy, {});
  });
}

}  // namespace ragstone::test
