#include "vector/data_sets.hpp"

#include "support/data.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <random>
#include <stdexcept>

#include <zlib.h>

namespace ragstone::bench {
namespace {

std::string unpacked(const std::filesystem::path& file) {
  gzFile in = gzopen(file.c_str(), "rb");
  if (in == nullptr) throw std::runtime_error("cannot read " + file.string());
  std::string bytes;
  char buffer[1 << 16];
  for (int n = 0; (n = gzread(in, buffer, sizeof buffer)) > 0;) bytes.append(buffer, static_cast<std::size_t>(n));
  gzclose(in);
  return bytes;
}

/// Behind a header of 16 bytes, one byte a pixel.
std::vector<float> images(const std::filesystem::path& file, std::size_t most) {
  const std::string bytes = unpacked(file);
  std::vector<float> values;
  for (std::size_t i = 16; i < bytes.size() && values.size() < most * 784; ++i)
    values.push_back(static_cast<float>(static_cast<unsigned char>(bytes[i])));
  return values;
}

/// A dimension and that many floats, vector by vector.
std::vector<float> fvecs(const std::filesystem::path& file, std::size_t most) {
  const std::string bytes = unpacked(file);
  std::vector<float> values;
  for (std::size_t at = 0, n = 0; at + 4 <= bytes.size() && n < most; ++n) {
    std::int32_t dimension = 0;
    std::memcpy(&dimension, bytes.data() + at, sizeof dimension);
    const auto size = static_cast<std::size_t>(dimension);
    values.resize(values.size() + size);
    std::memcpy(&values[values.size() - size], bytes.data() + at + 4, size * sizeof(float));
    at += 4 + size * sizeof(float);
  }
  return values;
}

}  // namespace

std::optional<VectorSet> mnist_784(std::size_t queries) {
  const auto folder = test::find_data("ann/mnist-784");
  if (!folder) return std::nullopt;
  return VectorSet{"mnist-784", Metric::l2, 784, images(*folder / "train-images-idx3-ubyte.gz", 60'000),
                   images(*folder / "t10k-images-idx3-ubyte.gz", queries)};
}

std::optional<VectorSet> text_256(std::size_t queries) {
  const auto folder = test::find_data("ann/text-256");
  if (!folder) return std::nullopt;
  return VectorSet{"text-256", Metric::inner_product, 256, fvecs(*folder / "base.fvecs.gz", SIZE_MAX),
                   fvecs(*folder / "query.fvecs.gz", queries)};
}

VectorSet clustered_384(std::size_t rows, std::size_t queries) {
  constexpr std::size_t kDimension = 384, kClusters = 1000, kSpace = 128, kCentreSpace = 64, kRank = 20;
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  const auto fill = [&](std::size_t size, float scale) {
    std::vector<float> values(size);
    for (float& v : values) v = scale * normal(random);
    return values;
  };
  const std::vector<float> basis = fill(kSpace * kDimension, 1 / std::sqrt(384.0F));
  const std::vector<float> centres = fill(kClusters * kCentreSpace, 1);
  const std::vector<float> shapes = fill(kClusters * kRank * kSpace, 1 / std::sqrt(20.0F));
  std::vector<double> weights(kClusters);
  std::uniform_real_distribution<double> uniform(1e-6, 1);
  for (double& weight : weights) weight = std::pow(uniform(random), -1 / 1.5) - 0.8;
  std::discrete_distribution<std::size_t> cluster(weights.begin(), weights.end());
  const auto make = [&](std::size_t count) {
    std::vector<float> values(count * kDimension);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t c = cluster(random);
      std::vector<float> place(kSpace);
      for (std::size_t r = 0; r < kRank; ++r) {
        const float z = 0.55F * normal(random);
        for (std::size_t j = 0; j < kSpace; ++j) place[j] += z * shapes[(c * kRank + r) * kSpace + j];
      }
      for (std::size_t j = 0; j < kCentreSpace; ++j) place[j] += centres[c * kCentreSpace + j];
      float* to = &values[i * kDimension];
      for (std::size_t j = 0; j < kSpace; ++j)
        for (std::size_t d = 0; d < kDimension; ++d) to[d] += place[j] * basis[j * kDimension + d];
      double squares = 0;
      for (std::size_t d = 0; d < kDimension; ++d) {
        to[d] += 0.049F * normal(random);
        squares += double{to[d]} * to[d];
      }
      for (std::size_t d = 0; d < kDimension; ++d) to[d] = static_cast<float>(to[d] / std::sqrt(squares));
    }
    return values;
  };
  VectorSet set{"clustered-384-" + std::to_string(rows), Metric::inner_product, kDimension, make(rows), {}};
  set.queries = make(queries);
  return set;
}

}  // namespace ragstone::bench
