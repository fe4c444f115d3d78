# What Ragstone's targets link; src/README.md says why each library is there. The installed package config includes
# this file too, because a static library needs the same libraries at its user's.
include(CMakeFindDependencyMacro)

# A macro: find_dependency returns from the file that calls it. Ragstone's own build stops at what is missing; a
# find_package(ragstone) that is not REQUIRED only reports it.
macro(ragstone_find_dependency)
  if(CMAKE_FIND_PACKAGE_NAME STREQUAL "ragstone")
    find_dependency(${ARGN})
  else()
    find_package(${ARGN} REQUIRED)
  endif()
endmacro()

ragstone_find_dependency(Threads)
ragstone_find_dependency(Boost 1.81)
ragstone_find_dependency(CURL 7.88)
ragstone_find_dependency(hwy)
ragstone_find_dependency(ICU COMPONENTS uc i18n data)
ragstone_find_dependency(OpenSSL COMPONENTS Crypto SSL)
ragstone_find_dependency(nlohmann_json 3.11)
ragstone_find_dependency(re2)
ragstone_find_dependency(simdjson)
ragstone_find_dependency(spdlog)
ragstone_find_dependency(SQLite3 3.40)
ragstone_find_dependency(Stemmer)
ragstone_find_dependency(md4c)
ragstone_find_dependency(xxHash)
