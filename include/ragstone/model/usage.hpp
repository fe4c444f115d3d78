#pragma once

#include <ragstone/base/metadata.hpp>

#include <cstdint>
#include <optional>
#include <type_traits>

namespace ragstone {

/// Where the counts of a Usage are from.
enum class UsageSource { missing, provider, estimated };

const char* name_of(UsageSource source) noexcept;

/// Token counts of a model's call as its provider reports them: what chat, embed and rerank runs all report. Absent is
/// not zero. Cached input is part of input, reasoning part of output.
class Usage {
 public:
  Usage() = default;

  std::optional<std::uint64_t> input;
  std::optional<std::uint64_t> output;
  std::optional<std::uint64_t> cache_read;
  std::optional<std::uint64_t> cache_write;
  std::optional<std::uint64_t> reasoning;
  std::optional<std::uint64_t> total;     ///< As reported; some servers report nothing else.
  std::optional<std::uint64_t> searches;  ///< Not tokens: what reranking is billed by at some providers.

  /// Counted by CallContext::token_counter(), because the provider reported nothing.
  bool estimated = false;
  /// Of several calls, some of which told less than the others: the counts are at least so high.
  bool partial = false;

  UsageSource source() const noexcept;
  /// Nothing was reported.
  bool empty() const noexcept { return *this == Usage(); }

  friend bool operator==(const Usage&, const Usage&) = default;
};

/// Usage of two calls together: the sums of what is known. `partial` if one tells input, output, total or searches and
/// the other does not.
Usage operator+(const Usage& a, const Usage& b);

/// Sets what is known as `input_tokens`, `output_tokens`, `cache_read_tokens`, `cache_write_tokens`,
/// `reasoning_tokens`, `total_tokens` and `searches`: the attributes of a run's `end` event.
/// An estimate is marked by `usage_source` = "estimated", a part by `usage_partial` = true.
void set_usage(Metadata& attributes, const Usage& usage);
/// What set_usage() has set.
Usage usage_of(const Metadata& attributes);

static_assert(!std::is_aggregate_v<Usage>);

}  // namespace ragstone
