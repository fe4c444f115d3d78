#pragma once

namespace ragstone {

/// Which threads do a job: queries go to `foreground`; ingest, sealing and merging to `background`, so that however
/// much of those there is, a query never waits behind them.
enum class Lane {
  foreground,
  background,
  writer,  ///< Commits: one thread that mostly waits for the medium, while the next sources are prepared.
};

}  // namespace ragstone
