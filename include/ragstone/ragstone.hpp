#pragma once

/// Everything an application needs, in one include.
#include <ragstone/base/error.hpp>
#include <ragstone/base/metadata.hpp>
#include <ragstone/base/node.hpp>
#include <ragstone/base/source.hpp>
