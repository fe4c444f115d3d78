#include "support/rounds.hpp"
#include "unit/async/bed.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/async/stream.hpp>

#include <random>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

using namespace std::chrono_literals;

class Stream : public EveryPlace {};
RAGSTONE_EVERY_PLACE(Stream);

/// An item that counts as alive until somebody drops it.
class Item {
 public:
  Item(int number, Live live) : number_(number), live_(std::move(live)) {}
  int number() const { return number_; }

 private:
  int number_;
  Live live_;
};

using Items = AsyncStream<Item>;
using Producer = StreamProducer<Item>;

Task<int> produce(Producer producer, int count, Live live) {
  int pushed = 0;
  for (; pushed < count; ++pushed) {
    Item item(pushed, live);
    co_await producer.push(std::move(item));
  }
  producer.finish();
  co_return pushed;
}

Task<std::vector<int>> read_all(Items items) {
  std::vector<int> numbers;
  while (true) {
    const auto item = co_await items.next();
    if (!item) break;
    numbers.push_back(item->number());
  }
  const auto after_the_end = co_await items.next();
  EXPECT_FALSE(after_the_end.has_value());
  co_return numbers;
}

Task<int> read_some(Items items, int count) {
  int read = 0;
  for (; read < count; ++read) {
    const auto item = co_await items.next();
    if (!item) break;
    EXPECT_EQ(item->number(), read);
  }
  co_return read;
}

TEST_P(Stream, DeliversEverythingInOrder) {
  Bed bed(GetParam());
  Items items(3);
  auto producing = bed.start(produce(items.producer(), 500, bed.live()));
  const auto numbers = bed.run(read_all(std::move(items)));
  EXPECT_EQ(producing.get(), 500);
  ASSERT_EQ(numbers.size(), 500u);
  for (int i = 0; i < 500; ++i) EXPECT_EQ(numbers[static_cast<std::size_t>(i)], i);
}

TEST_P(Stream, KeepsBufferedItemsAfterTheProducersEnd) {
  Bed bed(GetParam());
  Items items(10);
  EXPECT_EQ(bed.run(produce(items.producer(), 10, bed.live())), 10);
  EXPECT_EQ(bed.run(read_all(std::move(items))).size(), 10u);
}

TEST_P(Stream, HoldsBackAQuickProducer) {
  Bed bed(GetParam());
  Items items(2);
  const Producer producer = items.producer();
  EXPECT_TRUE(producer.try_push(Item(0, bed.live())));
  EXPECT_TRUE(producer.try_push(Item(1, bed.live())));
  EXPECT_FALSE(producer.try_push(Item(2, bed.live())));
  auto producing = bed.start(produce(producer, 1, bed.live()));
  bed.run(yield(3));
  EXPECT_EQ(bed.run(read_some(std::move(items), 2)), 2);
}

TEST_P(Stream, DroppedReaderEndsAWaitingPush) {
  Bed bed(GetParam());
  Items items(1);
  auto producing = bed.start(produce(items.producer(), 100, bed.live()));
  EXPECT_EQ(bed.run(read_some(std::move(items), 10)), 10);
  EXPECT_TRUE(is_aborted([&] { producing.get(); }));
}

Task<void> break_off(Producer producer, Live live) {
  Item item(0, live);
  co_await producer.push(std::move(item));
  producer.fail(std::make_exception_ptr(std::out_of_range("the server hung up")));
  producer.finish();
}

TEST_P(Stream, ReportsAFailureAfterTheItemsBeforeIt) {
  Bed bed(GetParam());
  Items items(1);
  auto producing = bed.start(break_off(items.producer(), bed.live()));
  EXPECT_THROW(bed.run(read_some(std::move(items), 5)), std::out_of_range);
  producing.get();
}

TEST_P(Stream, FailsWhenTheLastProducerGoesWithoutEndingIt) {
  Bed bed(GetParam());
  Items items(1);
  EXPECT_TRUE(items.producer().try_push(Item(0, bed.live())));
  EXPECT_EQ(code_of([&] { bed.run(read_some(std::move(items), 5)); }), Errc::closed);
}

TEST_P(Stream, RefusesItemsAfterItsEnd) {
  Bed bed(GetParam());
  Items items(1);
  const Producer producer = items.producer();
  producer.finish();
  EXPECT_FALSE(producer.try_push(Item(0, bed.live())));
  EXPECT_EQ(code_of([&] { bed.run(produce(producer, 1, bed.live())); }), Errc::closed);
  EXPECT_EQ(code_of([&] { bed.run(produce(Producer(), 1, bed.live())); }), Errc::closed);
}

Task<int> next_within(Items& items, CallContext::Clock::duration timeout) {
  CallContext context;
  context = context.with_timeout(timeout);
  const auto item = co_await items.next(context);
  co_return item ? item->number() : -1;
}

TEST_P(Stream, DeadlineOfAReadLosesNoItem) {
  Bed bed(GetParam());
  Items items(1);
  const Producer producer = items.producer();
  EXPECT_EQ(code_of([&] { bed.run(next_within(items, 1ms)); }), Errc::timeout);
  EXPECT_TRUE(producer.try_push(Item(9, bed.live())));
  EXPECT_EQ(bed.run(next_within(items, 1h)), 9);
  producer.finish();
  EXPECT_EQ(bed.run(next_within(items, 1h)), -1);
}

TEST_P(Stream, EmptyStreamHasEnded) {
  Bed bed(GetParam());
  EXPECT_TRUE(bed.run(read_all(Items())).empty());
  EXPECT_EQ(code_of([] { Items items(0); }), Errc::invalid_argument);
  EXPECT_EQ(code_of([] { Items().producer(); }), Errc::closed);
}

TEST_P(Stream, ClosingDropsUnreadItems) {
  Bed bed(GetParam());
  Items items(4);
  const Producer producer = items.producer();
  EXPECT_TRUE(producer.try_push(Item(0, bed.live())));
  EXPECT_FALSE(producer.abandoned());
  items.close();
  EXPECT_TRUE(producer.abandoned());
  EXPECT_EQ(bed.alive(), 0u);
  EXPECT_FALSE(producer.try_push(Item(1, bed.live())));
}

// Every item whose push returned is read exactly once and in order, unless the reader went away.
TEST_P(Stream, RacesLoseNothing) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Bed bed(GetParam());
  for (std::size_t round = 0; round < rounds(60); ++round) {
    Items items(1 + random() % 4);
    const int count = static_cast<int>(random() % 60);
    auto producing = bed.start(produce(items.producer(), count, bed.live()));
    const int wanted = static_cast<int>(random() % 80);
    auto reading = bed.start(read_some(std::move(items), wanted));
    const bool cancels_producer = random() % 4 == 0;
    const bool cancels_reader = random() % 4 == 0;
    if (random() % 2 == 0) bed.run(yield(static_cast<int>(random() % 20)));
    if (cancels_producer) producing.cancel();
    if (cancels_reader) reading.cancel();
    try {
      const int read = reading.get();
      EXPECT_EQ(read, std::min(count, wanted));
    } catch (...) {
      const auto error = std::current_exception();
      EXPECT_TRUE((cancels_reader && is_cancelled(error)) || (cancels_producer && errc_of(error) == Errc::closed))
          << message_of(error);
    }
    try {
      EXPECT_EQ(producing.get(), count);
    } catch (...) {
      EXPECT_TRUE(is_cancelled(std::current_exception()));
    }
  }
}

Task<void> push_range(Producer producer, int begin, int end, Live live) {
  for (int i = begin; i < end; ++i) {
    Item item(i, live);
    co_await producer.push(std::move(item));
  }
}

Task<void> push_from_many(Producer producer, Live live) {
  std::vector<Task<void>> tasks;
  for (int i = 0; i < 10; ++i) tasks.push_back(push_range(producer, 10 * i, 10 * i + 10, live));
  co_await gather(std::move(tasks));
  producer.finish();
}

TEST_P(Stream, TakesItemsFromManyProducers) {
  Bed bed(GetParam());
  Items items(2);
  auto producing = bed.start(push_from_many(items.producer(), bed.live()));
  auto numbers = bed.run(read_all(std::move(items)));
  producing.get();
  std::ranges::sort(numbers);
  ASSERT_EQ(numbers.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(numbers[static_cast<std::size_t>(i)], i);
}

TEST(StreamItems, ThatAreGivenBackAreFilledAgain) {
  AsyncStream<std::string> stream(2);
  const StreamProducer<std::string> producer = stream.producer();
  EXPECT_FALSE(producer.spare());
  for (int i = 0; i < 5; ++i) stream.recycle(std::string(100, 'x'));
  std::size_t spares = 0;
  while (const auto spare = producer.spare()) spares += spare->capacity() >= 100 ? 1 : 0;
  EXPECT_EQ(spares, 2u) << "no more than may wait";
  EXPECT_FALSE(StreamProducer<std::string>().spare());
  AsyncStream<std::string>().recycle("lost");
}

}  // namespace
}  // namespace ragstone::test
