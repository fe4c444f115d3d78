#include "kernel/simd.hpp"

#include "kernel/simd_tables.hpp"

#include <atomic>
#include <vector>

namespace ragstone::kernel {
namespace {

const std::vector<const Simd*>& tables() {
  static const std::vector<const Simd*> all = [] {
    std::vector<const Simd*> found = highway_tables();
    if (const Simd* vnni = vnni_table(*found.front())) found.insert(found.begin(), vnni);
    return found;
  }();
  return all;
}

std::atomic<const Simd*> chosen{nullptr};

}  // namespace

const Simd& simd() noexcept {
  const Simd* now = chosen.load(std::memory_order_acquire);
  if (now == nullptr) {
    now = tables().front();
    chosen.store(now, std::memory_order_release);
  }
  return *now;
}

std::span<const Simd* const> supported_simd() noexcept { return tables(); }

void force_simd(const Simd* table) noexcept { chosen.store(table, std::memory_order_release); }

}  // namespace ragstone::kernel
