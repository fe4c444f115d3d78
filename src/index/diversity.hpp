#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace ragstone {

/// Maximal marginal relevance (Carbonell and Goldstein 1998): first the most relevant item, then again and again the
/// one with the largest lambda * relevance - (1 - lambda) * (its largest similarity to a chosen one); among equals the
/// one that comes first. Gives the numbers of at most `k` items in the order of choice, with at most k * n similarities
/// of n items: only those to the latest choice are new.
std::vector<std::size_t> choose_diverse(std::span<const double> relevance, std::size_t k, double lambda,
                                        const std::function<double(std::size_t, std::size_t)>& similarity);

}  // namespace ragstone
