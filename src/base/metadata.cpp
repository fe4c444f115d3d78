#include <ragstone/base/metadata.hpp>

namespace ragstone {}
