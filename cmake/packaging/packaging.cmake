# Packages: AUTOLOCK_PACKAGE says for whom, since a package's folders are known when it is built.
# cmake/packaging/make.sh builds all of them.
#
#     library       what is preloaded; nothing else is needed in a container
#     development   header, pkg-config and CMake
#     command       the command, its man pages and completion

set(CPACK_GENERATOR ${AUTOLOCK_PACKAGE})
set(CPACK_PACKAGE_NAME autolock)
set(CPACK_PACKAGE_VENDOR "The libautolock authors")
set(CPACK_PACKAGE_CONTACT "The libautolock authors <maintainers@libautolock.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_COMPONENTS_ALL library development command)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
  GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(release 1)

# Lines as long as both package managers want them.
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION
"libautolock.so is preloaded into an unmodified program (LD_PRELOAD). It locks
the program's memory in RAM before main, keeps what is allocated later locked,
and reports at the end what the kernel really locked. Environment variables
say what is locked.")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
"The header for programs that tell the library when their warm-up is over, or
ask for its figures, and what pkg-config and CMake find it by. Nothing has to
be linked.")
set(CPACK_COMPONENT_COMMAND_DESCRIPTION
"Runs programs under libautolock.so, as if the command were not there; says
before that what would be locked and why; and makes a run a test that fails
when memory is not locked.")

if(AUTOLOCK_PACKAGE STREQUAL DEB)
  include(${CMAKE_CURRENT_LIST_DIR}/deb.cmake)
elseif(AUTOLOCK_PACKAGE STREQUAL RPM)
  include(${CMAKE_CURRENT_LIST_DIR}/rpm.cmake)
elseif(AUTOLOCK_PACKAGE STREQUAL TGZ)
  include(${CMAKE_CURRENT_LIST_DIR}/tgz.cmake)
else()
  message(FATAL_ERROR "AUTOLOCK_PACKAGE is ${AUTOLOCK_PACKAGE}: it must be DEB, RPM or TGZ")
endif()
include(CPack)
