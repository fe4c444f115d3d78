#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/base/ids.hpp>
#include <ragstone/model/chat_model.hpp>
#include <ragstone/model/embedder.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace ragstone {

/// What a cache keeps: told apart so that each kind is looked up and counted alone.
enum class CacheKind : std::uint8_t { embedding = 1, chat = 2 };

class CacheEntry {
 public:
  CacheEntry() = default;
  CacheEntry(Hash128 entry_key, std::string entry_value) : key(entry_key), value(std::move(entry_value)) {}

  Hash128 key;
  std::string value;  ///< Bytes.
};

class CacheStats {
 public:
  CacheStats() = default;

  std::uint64_t hits = 0;  ///< Since the cache was opened.
  std::uint64_t misses = 0;
  std::uint64_t evicted = 0;
  std::uint64_t entries = 0;  ///< Now.
  std::uint64_t bytes = 0;    ///< Of the entries' values, now.
};

/// Keeps answers of models by key, the least recently used going first when there are too many. It may lose anything at
/// any time, and never gives a value that was not put in under that key.
///
/// Any number of calls at once. Errors: those of the medium.
class Cache {
 public:
  virtual ~Cache() = default;

  /// A value, or none, for each key, in order.
  Task<std::vector<std::optional<std::string>>> get(CacheKind kind, std::vector<Hash128> keys,
                                                    CallContext context = {});
  /// Keeps the entries, all or none of them, for `time_to_live` (none: for good). They are there when this completes.
  Task<void> put(CacheKind kind, std::vector<CacheEntry> entries,
                 std::optional<std::chrono::seconds> time_to_live = std::nullopt, CallContext context = {});
  Task<CacheStats> stats(CallContext context = {});

 private:
  virtual Task<std::vector<std::optional<std::string>>> do_get(CacheKind kind, std::vector<Hash128> keys,
                                                               CallContext context) = 0;
  virtual Task<void> do_put(CacheKind kind, std::vector<CacheEntry> entries,
                            std::optional<std::chrono::seconds> time_to_live, CallContext context) = 0;
  virtual Task<CacheStats> do_stats(CallContext context) = 0;
};

class CacheOptions {
 public:
  CacheOptions() = default;

  std::uint64_t max_bytes = std::uint64_t{256} << 20;  ///< Of the values; a value that is larger alone is not kept.
};

/// A cache that ends with the process.
std::shared_ptr<Cache> memory_cache(CacheOptions options = {});

/// An embedder that asks `inner` only for texts that `cache` does not have. Keys are made of the embedder's identity,
/// the role, the tenant and the text; equal texts that several calls miss at the same time are sent once. What a call
/// of `inner` gave is in the cache before anything else is done with it. Each batch emits a cache run with its `hits`
/// and `misses`; a cache that fails is told in that run's error, and counts as a miss.
///
/// It takes the place of `inner` everywhere; DocumentOptions::embedders is where to put it. Errors:
/// Errc::invalid_argument for null.
std::shared_ptr<Embedder> cached_embedder(std::shared_ptr<Embedder> inner, std::shared_ptr<Cache> cache,
                                          std::string tenant = {});

class ChatCacheOptions {
 public:
  ChatCacheOptions() = default;

  std::optional<std::chrono::seconds> time_to_live = std::chrono::hours(24 * 7);  ///< None: for good.
  std::string tenant;                                                             ///< Part of every key.
};

/// A model that gives a reply it has given before to an equal request: equal in its messages (or its cache_key) and all
/// its options, to models of the same ChatModel::identity(). Only whole replies are kept (FinishReason::stop), never
/// errors. Equal requests at the same time are one call of `inner`; if the one who makes it gives up, another takes
/// over. A reply that is streamed comes at its model's pace, not its reader's, so that no call waits for another's
/// reader; what is unread meanwhile is kept. A reply from the cache can be streamed, and has the usage 0. Each call
/// emits a cache run as cached_embedder() does. Errors: Errc::invalid_argument for null.
std::shared_ptr<ChatModel> cached_chat_model(std::shared_ptr<ChatModel> inner, std::shared_ptr<Cache> cache,
                                             ChatCacheOptions options = {});

static_assert(!std::is_aggregate_v<CacheEntry> && !std::is_aggregate_v<CacheStats> &&
              !std::is_aggregate_v<CacheOptions> && !std::is_aggregate_v<ChatCacheOptions>);

}  // namespace ragstone
