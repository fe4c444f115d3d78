#pragma once

/// This process's resident memory, as Linux counts it.
namespace ragstone::bench {

double resident_mib();
/// The most since the last reset_peak().
double peak_mib();
void reset_peak();

}  // namespace ragstone::bench
