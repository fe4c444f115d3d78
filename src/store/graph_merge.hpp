#pragma once

#include "store/segment/dense_part.hpp"
#include <ragstone/store/upkeep.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace ragstone {

/// A part of a column of vectors.
struct PartShape {
  std::size_t rows = 0;  ///< Live ones.
  bool has_graph = false;
};

/// Which of the parts should become one so that few rows are scanned and few graphs walked; all false: none.
///
/// Rows without a graph get one once they are as many as `form` asks of a part. What has gathered beside the largest
/// graph joins it, once it is a quarter of it, or a sixteenth where the store is idle: rows are inserted once, and
/// copied about four times or sixteen times.
std::vector<bool> choose_for_graph(std::span<const PartShape> parts, const segment::DenseForm& form, Upkeep upkeep);

}  // namespace ragstone
