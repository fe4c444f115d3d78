#pragma once

#include <ragstone/async/runtime.hpp>
#include <ragstone/model/cache.hpp>

#include <functional>
#include <memory>

namespace ragstone::test {

/// What every Cache does: values come back under their kind and key, and only there.
void expect_cache_keeps(Runtime& runtime, Cache& cache);

/// And it forgets the least recently used entries, and those whose time is over.
void expect_cache_forgets(Runtime& runtime, const std::function<std::shared_ptr<Cache>(CacheOptions)>& make);

}  // namespace ragstone::test
