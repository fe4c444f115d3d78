#pragma once

namespace ragstone {

/// Which threads do a job: queries go to `foreground`; ingest to `background`, so that however much of it there is, a
/// query never waits behind it.
enum class Lane {
  foreground,
  background,
  writer,  ///< Commits: one thread that mostly waits for the medium, while the next sources are prepared.
  upkeep,  ///< Sealing and merging: one thread, on which a graph may be built for minutes, while ingest goes on.
};

}  // namespace ragstone
