#pragma once

#include <ragstone/model/embedder.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace ragstone::bench {

/// Stands for a model server: each call for stored texts takes the same time, whatever it holds, a call for a question
/// none, and a text has the same unit vector always. The vectors mean nothing.
/// `calls`, if it is not null, counts those for stored texts.
std::shared_ptr<Embedder> fixed_embedder(std::uint32_t dimension, std::chrono::milliseconds latency,
                                         std::shared_ptr<std::atomic<std::size_t>> calls = nullptr);

/// Fills a row with the unit vector that belongs to a seed.
void fill_unit_vector(std::uint64_t seed, std::span<float> row);

}  // namespace ragstone::bench
