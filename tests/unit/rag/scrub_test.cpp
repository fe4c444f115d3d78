#include "rag_fixture.hpp"

#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>

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

}  // namespace
}  // namespace ragstone::test
