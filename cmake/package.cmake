# What programs find the header and the library by: autolock.pc and find_package(autolock). Both
# look from where they lie, so that an installed tree may be moved.
#
# The library is preloaded by its path, never linked. So there are no flags for the linker: what is
# told is where it is.

include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/autolock)

# autolock.pc lies in pkgconfig/ beside the library.
set(pc_libdir "\${pcfiledir}/..")
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  set(pc_prefix ${CMAKE_INSTALL_PREFIX})
else()
  file(RELATIVE_PATH pc_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  string(REGEX REPLACE "/$" "" pc_prefix "\${pcfiledir}/${pc_prefix}")
endif()
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(pc_includedir ${CMAKE_INSTALL_INCLUDEDIR})
else()
  set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/autolock.pc.in ${PROJECT_BINARY_DIR}/autolock.pc @ONLY)

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/autolock-config.cmake.in
  ${PROJECT_BINARY_DIR}/autolock-config.cmake
  INSTALL_DESTINATION ${package_dir}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/autolock-config-version.cmake
  COMPATIBILITY SameMajorVersion)

install(FILES ${PROJECT_BINARY_DIR}/autolock.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT development)
install(FILES ${PROJECT_BINARY_DIR}/autolock-config.cmake
  ${PROJECT_BINARY_DIR}/autolock-config-version.cmake DESTINATION ${package_dir}
  COMPONENT development)
