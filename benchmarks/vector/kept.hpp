#pragma once

#include "support/temporary_folder.hpp"
#include "vector/measure.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace ragstone::bench {

/// What takes long to make: generated sets and graphs. They stay in a folder for the next run if one is given; nobody
/// looks whether the code that made them has changed meanwhile.
class Kept {
 public:
  explicit Kept(const char* folder);

  /// What `make` gives, or gave in a run before.
  VectorSet set(const std::string& name, const std::function<VectorSet()>& make) const;

  /// Graphs over a set, as they are read from their files: hnswlib's, faiss's and ours.
  std::unique_ptr<VectorPeer> hnswlib(const VectorSet& set) const;
  std::unique_ptr<VectorPeer> faiss(const VectorSet& set) const;
  segment::DenseView graph(const VectorSet& set, bool mapped) const;

 private:
  using MakePeer = std::unique_ptr<VectorPeer>(std::size_t dimension, bool l2);
  std::unique_ptr<VectorPeer> peer(const VectorSet& set, MakePeer* make, const std::string& ending) const;
  std::filesystem::path file(const std::string& name) const { return folder_ / name; }

  std::optional<test::TemporaryFolder> temporary_;
  std::filesystem::path folder_;
};

}  // namespace ragstone::bench
