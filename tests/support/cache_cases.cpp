#include "support/cache_cases.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

std::vector<CacheEntry> entry(const std::string& key, std::string value) {
  std::vector<CacheEntry> entries;
  entries.emplace_back(hash128(key), std::move(value));
  return entries;
}

}  // namespace

void expect_cache_keeps(Runtime& runtime, Cache& cache) {
  const auto get = [&](CacheKind kind, const std::string& key) {
    return runtime.run(cache.get(kind, std::vector<Hash128>(1, hash128(key)))).at(0);
  };
  EXPECT_EQ(get(CacheKind::chat, "a"), std::nullopt);
  std::vector<CacheEntry> entries = entry("a", std::string("\0\xE5\x80\xBC\xFF", 5));
  entries.emplace_back(hash128("b"), "");
  runtime.run(cache.put(CacheKind::chat, entries));
  EXPECT_EQ(get(CacheKind::chat, "a"), std::string("\0\xE5\x80\xBC\xFF", 5));
  EXPECT_EQ(get(CacheKind::chat, "b"), "");
  EXPECT_EQ(get(CacheKind::embedding, "a"), std::nullopt);
  runtime.run(cache.put(CacheKind::chat, entry("a", "new")));
  EXPECT_EQ(get(CacheKind::chat, "a"), "new");
  std::vector<Hash128> keys;
  for (const char* key : {"b", "none", "a"}) keys.push_back(hash128(key));
  EXPECT_EQ(runtime.run(cache.get(CacheKind::chat, keys)),
            (std::vector<std::optional<std::string>>{"", std::nullopt, "new"}));
  const CacheStats stats = runtime.run(cache.stats());
  EXPECT_EQ(stats.entries, 2u);
  EXPECT_EQ(stats.bytes, 3u);
  EXPECT_EQ(stats.hits, 5u);
  EXPECT_EQ(stats.misses, 3u);
}

void expect_cache_forgets(Runtime& runtime, const std::function<std::shared_ptr<Cache>(CacheOptions)>& make) {
  CacheOptions options;
  options.max_bytes = 1000;
  const std::shared_ptr<Cache> cache = make(options);
  const auto has = [&](const std::string& key) {
    return runtime.run(cache->get(CacheKind::chat, std::vector<Hash128>(1, hash128(key)))).at(0).has_value();
  };
  const auto put = [&](const std::string& key, std::size_t size, std::optional<std::chrono::seconds> time = {}) {
    runtime.run(cache->put(CacheKind::chat, entry(key, std::string(size, 'x')), time));
  };
  put("old", 400);
  put("used", 400);
  EXPECT_TRUE(has("used"));
  EXPECT_TRUE(has("old"));
  put("new", 400);
  EXPECT_FALSE(has("used")) << "old was looked up after it";
  EXPECT_TRUE(has("old"));
  EXPECT_TRUE(has("new"));
  put("too large", 1001);
  EXPECT_FALSE(has("too large"));
  EXPECT_TRUE(has("new")) << "nothing made room for what cannot be kept";
  put("expired", 10, std::chrono::seconds(0));
  EXPECT_FALSE(has("expired"));
  put("lasting", 10, std::chrono::hours(1));
  EXPECT_TRUE(has("lasting"));
  const CacheStats stats = runtime.run(cache->stats());
  EXPECT_LE(stats.bytes, 1000u);
  EXPECT_GE(stats.evicted, 1u);
}

}  // namespace ragstone::test
