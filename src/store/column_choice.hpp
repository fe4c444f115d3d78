#pragma once

#include <ragstone/store/snapshot.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace ragstone {

/// Chooses which columns of its key a search ranks together: those of one embedder or analyser.
class ColumnChoice {
 public:
  /// Both keep references to `search`.
  explicit ColumnChoice(const VectorSearch& search);
  explicit ColumnChoice(const TermSearch& search);

  /// Whether a column of the key, which so many sources have, takes part. `dimension`: 0 for a sparse one. Errors:
  /// Errc::dimension_mismatch.
  bool takes(const std::string& signature, std::uint32_t dimension, std::uint64_t sources);
  /// To be called after all columns. Errors: Errc::embedder_mismatch if there are some, and none takes part.
  void check() const;
  /// Adds to a plan what was left out.
  void tell(std::string& plan) const;

 private:
  struct Words {
    const char* search;
    const char* rows;
    const char* maker;
  };
  static const Words kVectorWords;
  static const Words kTermWords;

  const Words& words_;
  const std::string& key_;
  const std::string& signature_;
  const std::size_t dimension_;  // of the query; 0: sparse
  bool any_ = false;
  std::uint64_t left_out_ = 0;  // sources
  std::string other_;           // the signature of some column that was left out
};

}  // namespace ragstone
