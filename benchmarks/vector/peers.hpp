#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

/// Other libraries in this process, compiled as their users would for this machine (-O3 -march=native).
namespace ragstone::bench {

class VectorPeer {
 public:
  virtual ~VectorPeer() = default;

  /// Rows [n x dimension]; their numbers are what searches give.
  virtual void build(std::span<const float> rows, std::size_t threads) = 0;
  virtual void set_ef(std::size_t ef) = 0;
  virtual std::vector<std::uint32_t> search(std::span<const float> query, std::size_t k) const = 0;
  /// Only rows whose bit is set. A graph takes its ef nearest rows and drops those that do not match.
  virtual std::vector<std::uint32_t> search(std::span<const float> query, std::size_t k,
                                            std::span<const std::uint64_t> allowed) const;
  /// To a file and from it, if the library can.
  virtual void save(const std::filesystem::path& file) const;
  virtual void load(const std::filesystem::path& file);
};

std::unique_ptr<VectorPeer> hnswlib_graph(std::size_t dimension, bool l2);
std::unique_ptr<VectorPeer> faiss_graph(std::size_t dimension, bool l2);
std::unique_ptr<VectorPeer> hnswlib_scan(std::size_t dimension, bool l2);
std::unique_ptr<VectorPeer> faiss_scan(std::size_t dimension, bool l2);

/// Adds up all bytes; what a scan cannot be faster than.
std::uint64_t read_all(std::span<const float> values);

}  // namespace ragstone::bench
