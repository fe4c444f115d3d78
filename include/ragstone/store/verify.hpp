#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace ragstone {

/// Something that verify() found wrong.
class StoreFinding {
 public:
  StoreFinding() = default;

  std::string object;                ///< "database", "source 12", "segments/part-7.seg".
  std::string problem;               ///< For people.
  std::vector<std::string> sources;  ///< Ids of the sources that are concerned, as far as they can be told.
};

/// What verify() looked at and found.
class VerifyReport {
 public:
  VerifyReport() = default;

  bool ok() const noexcept { return findings.empty(); }

  std::vector<StoreFinding> findings;
  /// "segments/part-7.seg.damaged": files that could not be opened as segments when the store was opened for writing.
  /// Nothing needs them any more; they are kept for whoever wants to look into them, until somebody deletes them.
  std::vector<std::string> set_aside;
  std::uint64_t sources = 0;
  std::uint64_t nodes = 0;
  std::uint64_t parts = 0;  ///< Segments and those that wait to become one.
};

static_assert(!std::is_aggregate_v<StoreFinding> && !std::is_aggregate_v<VerifyReport>);

}  // namespace ragstone
