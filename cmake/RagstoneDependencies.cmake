# What Ragstone's targets link. src/README.md says why each library is there. The installed package config
# includes this file too, so that a static Ragstone finds the same libraries at its user's.
include(CMakeFindDependencyMacro)
if(POLICY CMP0074)
  cmake_policy(SET CMP0074 NEW)
endif()

find_dependency(Threads)
find_dependency(Boost 1.81)
find_dependency(ICU COMPONENTS uc i18n data)
find_dependency(OpenSSL COMPONENTS Crypto)
find_dependency(spdlog)
find_dependency(Stemmer)
find_dependency(md4c)
find_dependency(xxHash)
