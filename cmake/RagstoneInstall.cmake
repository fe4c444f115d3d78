# Installs the library, its headers, a relocatable CMake package and a pkg-config file.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ragstone)

install(
  TARGETS ragstone_core ragstone_http ragstone_sqlite ragstone
  EXPORT ragstoneTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(
  EXPORT ragstoneTargets
  NAMESPACE ragstone::
  DESTINATION ${package_dir})

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/ragstoneConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/ragstoneConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/ragstoneConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES ${PROJECT_BINARY_DIR}/ragstoneConfig.cmake
        ${PROJECT_BINARY_DIR}/ragstoneConfigVersion.cmake
        ${PROJECT_SOURCE_DIR}/cmake/RagstoneDependencies.cmake
        ${PROJECT_SOURCE_DIR}/cmake/FindStemmer.cmake
        ${PROJECT_SOURCE_DIR}/cmake/Findre2.cmake
        ${PROJECT_SOURCE_DIR}/cmake/FindxxHash.cmake
  DESTINATION ${package_dir})

# The .pc file finds the prefix from its own place, so that a moved installation stays usable.
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pkgconfig_to_prefix /prefix/${pkgconfig_dir} /prefix)
string(REGEX REPLACE "/$" "" pkgconfig_to_prefix "${pkgconfig_to_prefix}")
configure_file(${PROJECT_SOURCE_DIR}/cmake/ragstone.pc.in ${PROJECT_BINARY_DIR}/ragstone.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/ragstone.pc DESTINATION ${pkgconfig_dir})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
