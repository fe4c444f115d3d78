#pragma once

#include <ragstone/base/stop.hpp>
#include <ragstone/index/index.hpp>
#include <ragstone/store/verify.hpp>

#include <memory>
#include <string>
#include <vector>

namespace ragstone {

/// Where a store keeps what registered indexes save; one saved state for each name. Thread-safe for different names.
class IndexFiles {
 public:
  virtual ~IndexFiles() = default;

  /// Null if nothing is saved under the name. Errors: Errc::corrupt_store for damage, Errc::embedder_mismatch for an
  /// index of another form; Errc::unsupported for a file of a newer version; the medium's own.
  virtual std::shared_ptr<const IndexImage> open(const std::string& name, const std::string& form) = 0;

  /// Saves an index in place of what was saved under the name, and opens that. If it throws, what was saved before is
  /// still there. A store that is only read saves in memory.
  virtual std::shared_ptr<const IndexImage> save(const std::string& name, const Index& index,
                                                 const StopToken& stop) = 0;

  /// Compares all that is saved with its checksums.
  virtual std::vector<StoreFinding> verify(const StopToken& stop) const = 0;
};

}  // namespace ragstone
