#pragma once

#include <string>
#include <string_view>

namespace ragstone {

/// Whether something in a folder is a file or folder of a persistent store there, or of one that is being made. Opens
/// nothing: when a process closes a file of a database that it has open in SQLite, it loses its locks on that.
bool is_of_store(const std::string& folder, std::string_view name);
bool is_of_store(const std::string& path);

}  // namespace ragstone
