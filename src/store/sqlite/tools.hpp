#pragma once

#include "store/sqlite/engine.hpp"
#include <ragstone/base/stop.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <filesystem>

/// The functions of sqlite_tools.hpp over other layers.
namespace ragstone::sqlite {

RecoveryReport recover_store(const std::filesystem::path& damaged, const std::filesystem::path& target,
                             const EngineHooks& hooks, const StopToken& stop);
void export_store(const std::filesystem::path& store, const std::filesystem::path& archive, const EngineHooks& hooks,
                  const StopToken& stop);
void import_store(const std::filesystem::path& archive, const std::filesystem::path& store, const EngineHooks& hooks,
                  const StopToken& stop);

}  // namespace ragstone::sqlite
