#pragma once

namespace ragstone {

/// How much of the work that commits leave for later is done.
enum class Upkeep {
  due,   ///< What more commits would only add to.
  idle,  ///< Also what pays where nothing is committed for a while: vectors that no graph spans yet join one sooner.
};

}  // namespace ragstone
