#pragma once

#include "store/segment/part.hpp"
#include <ragstone/base/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone::segment {

// helper A: ImageSink (where an image is written: a string, or a file through FileSystem's OutputFile), Container (the
// parsed header and section table of an Image; typed, bounds-checked access to sections; verify()), container writer.

}  // namespace ragstone::segment
