# Debian and what comes from it. The files' names all begin with autolock_, so that one pattern takes
# them: apt install ./autolock_*.deb
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(AUTOLOCK_ZSH_FUNCTIONS zsh/vendor-completions)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${release})
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(whole "${PROJECT_VERSION}-${release}")

find_program(DPKG dpkg)
if(DPKG)
  execute_process(COMMAND ${DPKG} --print-architecture OUTPUT_VARIABLE architecture
    OUTPUT_STRIP_TRAILING_WHITESPACE)
else()
  set(architecture ${CMAKE_SYSTEM_PROCESSOR})
endif()

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libautolock)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libautolock-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libautolock (= ${whole})")
set(CPACK_DEBIAN_COMMAND_PACKAGE_NAME autolock)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_COMMAND_PACKAGE_DEPENDS "libautolock (= ${whole})")

foreach(component library development command)
  string(TOUPPER ${component} part)
  set(package ${CPACK_DEBIAN_${part}_PACKAGE_NAME})
  if(component STREQUAL command)
    set(CPACK_DEBIAN_${part}_FILE_NAME autolock_${whole}_${architecture}.deb)
  else()
    set(CPACK_DEBIAN_${part}_FILE_NAME autolock_${whole}_${architecture}.${package}.deb)
  endif()
  # What Debian wants to find of each package.
  install(FILES ${CMAKE_CURRENT_LIST_DIR}/../debian/copyright
    DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${package} COMPONENT ${component})
  install(FILES ${PROJECT_BINARY_DIR}/changelog.Debian.gz
    DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${package} COMPONENT ${component})
  if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/../debian/${package}.lintian-overrides)
    install(FILES ${CMAKE_CURRENT_LIST_DIR}/../debian/${package}.lintian-overrides
      DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/lintian/overrides RENAME ${package}
      COMPONENT ${component})
  endif()
endforeach()
execute_process(COMMAND gzip -9nc ${CMAKE_CURRENT_LIST_DIR}/../debian/changelog
  OUTPUT_FILE ${PROJECT_BINARY_DIR}/changelog.Debian.gz COMMAND_ERROR_IS_FATAL ANY)

# Beside the same library of another architecture, for 32-bit programs say. CMake has a field for that
# from 3.31 on; before, it goes in behind another one.
if(CMAKE_VERSION VERSION_LESS 3.31)
  set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION "libs\nMulti-Arch: same")
  set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION "libdevel\nMulti-Arch: same")
else()
  set(CPACK_DEBIAN_LIBRARY_PACKAGE_MULTIARCH same)
  set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_MULTIARCH same)
endif()
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/compress-manuals.cmake)
