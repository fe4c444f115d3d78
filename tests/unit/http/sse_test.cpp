#include <ragstone/base/error.hpp>
#include <ragstone/http/sse.hpp>

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

using Events = std::vector<std::pair<std::string, std::string>>;

void drain(SseParser& parser, Events& events) {
  SseEvent event;
  while (parser.next(event)) events.emplace_back(event.type, event.data);
}

Events parse(const std::vector<std::string_view>& pieces) {
  SseParser parser;
  Events events;
  for (const auto piece : pieces) {
    parser.push(piece);
    drain(parser, events);
  }
  return events;
}

class RecordedStream {
 public:
  std::string bytes;
  Events events;
};

/// N7: what servers were seen to send.
std::vector<RecordedStream> recorded() {
  return {
      {"data: {\"a\":\"你好\"}\n\ndata: [DONE]\n\n", {{"", "{\"a\":\"你好\"}"}, {"", "[DONE]"}}},
      {"data:no space\r\n\r\ndata:  two spaces\r\n\r\n", {{"", "no space"}, {"", " two spaces"}}},
      {": ping\n\ndata: x\r\rdata: y\n\r\n", {{"", "x"}, {"", "y"}}},
      {"event: error\ndata: one\ndata: two\ndata\nid: 7\nretry: 10\n\n", {{"error", "one\ntwo\n"}}},
      {"\xEF\xBB\xBF"
       "data: after a mark\n\nevent: dropped\n\ndata: b\n\n",
       {{"", "after a mark"}, {"", "b"}}},
      {"data: complete\n\ndata: cut off", {{"", "complete"}}},
      {"data:\n\n\n\nunknown: field\n\ndata: \xE4\xBD\n\n", {{"", ""}, {"", "\xE4\xBD"}}},
  };
}

TEST(SseParser, ReadsWhatServersSend) {
  for (const RecordedStream& stream : recorded()) EXPECT_EQ(parse({stream.bytes}), stream.events) << stream.bytes;
}

// N7
TEST(SseParser, GivesTheSameEventsForAllSplitsAtTwoBytes) {
  for (const RecordedStream& stream : recorded()) {
    const std::string_view bytes = stream.bytes;
    for (std::size_t i = 0; i <= bytes.size(); ++i)
      for (std::size_t j = i; j <= bytes.size(); ++j)
        ASSERT_EQ(parse({bytes.substr(0, i), bytes.substr(i, j - i), bytes.substr(j)}), stream.events)
            << bytes << " at " << i << " and " << j;
  }
}

TEST(SseParser, GivesTheSameEventsByteByByte) {
  for (const RecordedStream& stream : recorded()) {
    std::vector<std::string_view> pieces;
    for (std::size_t i = 0; i < stream.bytes.size(); ++i) pieces.push_back(std::string_view(stream.bytes).substr(i, 1));
    EXPECT_EQ(parse(pieces), stream.events) << stream.bytes;
  }
}

// N7
TEST(SseParser, BoundsLinesAndEvents) {
  SseLimits limits;
  limits.max_line_bytes = 10;
  limits.max_event_bytes = 20;
  SseEvent event;
  SseParser lines(limits);
  lines.push("data: 12345");
  EXPECT_THROW(lines.next(event), Error);
  SseParser events(limits);
  events.push("data:12345\ndata:12345\ndata:12345\ndata:12345\n");
  EXPECT_THROW(events.next(event), Error);
}

}  // namespace
}  // namespace ragstone
