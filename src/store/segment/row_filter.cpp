#include "kernel/stop_poll.hpp"
#include "store/segment/part.hpp"

namespace ragstone::segment {

Selection RowFilter::select(std::span<const NodeId> nodes, std::span<const SourceNumber> sources,
                            const StopToken& stop) const {
  kernel::StopPoll poll(stop);
  RowBitmap allowed(nodes.size());
  for (std::size_t row = 0; row < nodes.size(); ++row) {
    poll.spend(50);
    if (allows(nodes[row], sources[row])) allowed.insert(row);
  }
  return std::make_shared<const SelectedRows>(std::move(allowed));
}

}  // namespace ragstone::segment
