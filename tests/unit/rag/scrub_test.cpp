#include "rag_fixture.hpp"
#include "store/segment/container.hpp"
#include "store/segment/file_system.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <span>
#include <string>

namespace ragstone::test {
namespace {

/// Waits for the end of the first run whose name ends in "scrub".
class ScrubWatch final : public Observer {
 public:
  Event first() { return ended_.get_future().get(); }

 private:
  void on_event(const Event& event) override {
    if (!event.name().ends_with("scrub") || event.phase() == EventPhase::start) return;
    std::call_once(told_, [&] { ended_.set_value(event); });
  }

  std::once_flag told_;
  std::promise<Event> ended_;
};

class ScrubTest : public RagTest {
 protected:
  DocumentOptions options(std::chrono::milliseconds interval) const {
    DocumentOptions options;
    options.store = sqlite_store(folder.path() / "kb");
    options.scrub_interval = interval;
    return options;
  }

  Event first_scrub() {
    const auto watch = std::make_shared<ScrubWatch>();
    const CallContext context = CallContext().with_observer(watch);
    Document document = runtime.run(Document::open(runtime, options(std::chrono::milliseconds(1)), context));
    const Event event = watch->first();
    runtime.run(document.close());
    return event;
  }

  TemporaryFolder folder;
};

TEST_F(ScrubTest, AGoodStoreIsFoundGoodAndADamagedOneIsReported) {
  {
    Document document = open(options(std::chrono::milliseconds(0)));
    runtime.run(document.add(Source("en", "Rotate the signing keys.")));
    runtime.run(document.add(Source("zh", "每九十天轮换一次签名密钥。")));
    retrieve(document, "密钥");
    runtime.run(document.close());
  }
  EXPECT_EQ(first_scrub().phase(), EventPhase::end);

  for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "kb" / "segments")) {
    std::fstream bytes(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(4096);
    bytes << std::string(std::filesystem::file_size(entry.path()) - 4096, 'x');
  }
  const Event event = first_scrub();
  EXPECT_EQ(event.phase(), EventPhase::error);
  EXPECT_EQ(errc_of(event.error()), Errc::corrupt_store);
}

/// Flips a bit near the end of the vectors of each segment that has some.
void damage_last_vectors(const std::filesystem::path& segments) {
  for (const auto& entry : std::filesystem::directory_iterator(segments)) {
    std::size_t at = 0;
    try {
      const auto image = segment::posix_file_system()->open(entry.path(), false);
      const segment::Container container(image, segment::Kind::dense);
      const std::string_view vectors = container.bytes(segment::SectionId::vectors);
      at = static_cast<std::size_t>(vectors.data() + vectors.size() - 3 -
                                    reinterpret_cast<const char*>(image->bytes().data()));
    } catch (const Error&) {
      continue;
    }
    std::fstream bytes(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekg(static_cast<std::streamoff>(at));
    const int byte = bytes.get();
    bytes.seekp(static_cast<std::streamoff>(at));
    bytes.put(static_cast<char>(byte ^ 1));
  }
}

/// A dataset of small files in a store whose vectors lost their last rows.
class LostVectorsTest : public ScrubTest {
 protected:
  static constexpr std::size_t kFiles = 600;
  static constexpr std::size_t kRowsPerBlock = (64 << 10) / (32 * sizeof(float));

  void SetUp() override {
    for (std::size_t i = 0; i < kFiles; ++i)
      std::filesystem::last_write_time(
          dataset.write(std::to_string(i) + ".txt", "Note number " + std::to_string(i) + " 笔记。"),
          std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
    by_vectors.top_k = kFiles;
    {
      Document document = open_again();
      sync(document);
      retrieve(document, "note", by_vectors);
      runtime.run(document.close());
    }
    damage_last_vectors(folder.path() / "kb" / "segments");
  }

  Document open_again(std::shared_ptr<Embedder> second = nullptr) {
    DocumentOptions with_dataset = options(std::chrono::milliseconds(0));
    with_dataset.dataset = dataset.path();
    with_dataset.embedders["test"] = embedder;
    if (second) with_dataset.embedders["second"] = std::move(second);
    return open(std::move(with_dataset));
  }

  /// Finds the damage; gives how many sources lost something.
  std::size_t find_damage(Document document) {
    const VerifyReport report = runtime.run(document.verify());
    if (report.ok()) return 0;
    return report.findings[0].sources.size();
  }

  void expect_sound(Document document) {
    for (const StoreFinding& finding : runtime.run(document.verify()).findings)
      ADD_FAILURE() << finding.object << ": " << finding.problem;
  }

  TemporaryFolder dataset;
  const std::shared_ptr<CountingEmbedder> embedder = std::make_shared<CountingEmbedder>();
  RetrieverOptions by_vectors;
};

TEST_F(LostVectorsTest, AreEmbeddedAgainByTheNextSyncAndNothingElse) {
  Document document = open_again();
  sync(document);
  retrieve(document, "note", by_vectors);
  const std::size_t before = embedder->texts();
  const std::size_t lost = find_damage(document);
  EXPECT_GT(lost, 0u);
  EXPECT_LE(lost, kRowsPerBlock);
  EXPECT_LT(lost, kFiles);
  sync(document);
  EXPECT_EQ(embedder->texts(), before + lost);
  expect_sound(document);
  sync(document);
  EXPECT_EQ(embedder->texts(), before + lost);
}

TEST_F(LostVectorsTest, OfAGroupThatNoQueryHasOpenedAreToldByThePlanAndMadeByTheSync) {
  const auto second = std::make_shared<CountingEmbedder>("second");
  Document document = open_again(second);
  EXPECT_TRUE(runtime.run(document.plan()).empty());
  const std::size_t lost = find_damage(document);
  ASSERT_GT(lost, 0u);
  const std::size_t before = embedder->texts();

  const SyncPlan plan = runtime.run(document.plan());
  EXPECT_FALSE(plan.empty());
  EXPECT_TRUE(plan.pending.empty());
  ASSERT_EQ(plan.lost.size(), 1u);
  EXPECT_EQ(plan.lost[0].group, kMediumChunk);
  EXPECT_EQ(plan.lost[0].key, "test");
  EXPECT_EQ(plan.lost[0].sources, lost);
  EXPECT_NEAR(static_cast<double>(plan.lost[0].embedding.texts), static_cast<double>(lost), 2) << "an estimate";
  EXPECT_GT(plan.lost[0].embedding.calls, 0u);
  EXPECT_EQ(embedder->texts(), before);

  const SyncReport report = sync(document);
  EXPECT_EQ(embedder->texts(), before + lost);
  EXPECT_EQ(report.texts_embedded, lost);
  EXPECT_EQ(second->texts(), 0u) << "what was never built is not lost";
  EXPECT_TRUE(runtime.run(document.plan()).empty());
  expect_sound(document);
}

TEST_F(LostVectorsTest, ThatAnEmbedderRefusesFailNoSync) {
  Document document = open_again();
  const std::size_t lost = find_damage(document);
  embedder->before = [](std::span<const std::string>) { throw Error(Errc::rejected, "not today"); };
  const SyncReport refused = sync(document);
  EXPECT_EQ(refused.failed, lost);
  EXPECT_EQ(refused.unchanged, kFiles);
  embedder->before = nullptr;
  EXPECT_FALSE(runtime.run(document.plan()).empty());
  EXPECT_EQ(sync(document).failed, 0u);
  expect_sound(document);
}

}  // namespace
}  // namespace ragstone::test
