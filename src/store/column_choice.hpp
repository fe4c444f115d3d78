#pragma once

#include <ragstone/store/snapshot.hpp>

#include <cstdint>
#include <string>

namespace ragstone {

/// Chooses which dense columns of its key a search ranks together: those of one embedder.
class ColumnChoice {
 public:
  /// Keeps a reference to `search`.
  explicit ColumnChoice(const VectorSearch& search) : search_(search) {}

  /// Whether a column of the key, which so many sources have, takes part. Errors: Errc::dimension_mismatch.
  bool takes(const std::string& signature, std::uint32_t dimension, std::uint64_t sources);
  /// To be called after all columns. Errors: Errc::embedder_mismatch if there are some, and none takes part.
  void check() const;
  /// Adds to a plan what was left out.
  void tell(std::string& plan) const;

 private:
  const VectorSearch& search_;
  bool any_ = false;
  std::uint64_t left_out_ = 0;  // sources
  std::string other_;           // the signature of some column that was left out
};

}  // namespace ragstone
