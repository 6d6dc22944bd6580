# Fedora, openSUSE and what comes from them: /usr/lib64.
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
# A shared library is executable there.
set(AUTOLOCK_LIBRARY_PERMISSIONS PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
  GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_RPM_PACKAGE_RELOCATABLE OFF)
set(CPACK_RPM_PACKAGE_DESCRIPTION "${PROJECT_DESCRIPTION}")
set(CPACK_RPM_COMPONENT_INSTALL ON)
set(CPACK_RPM_PACKAGE_RELEASE ${release})
set(CPACK_RPM_PACKAGE_LICENSE MIT)
set(CPACK_RPM_PACKAGE_GROUP System/Libraries)
set(CPACK_RPM_COMPRESSION_TYPE xz)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_CHANGELOG_FILE ${CMAKE_CURRENT_LIST_DIR}/rpm-changelog)
set(CPACK_RPM_LIBRARY_PACKAGE_NAME libautolock)
set(CPACK_RPM_DEVELOPMENT_PACKAGE_NAME libautolock-devel)
set(CPACK_RPM_DEVELOPMENT_PACKAGE_GROUP Development/Libraries/C)
set(CPACK_RPM_DEVELOPMENT_PACKAGE_REQUIRES "libautolock = ${PROJECT_VERSION}-${release}")
set(CPACK_RPM_COMMAND_PACKAGE_NAME autolock)
set(CPACK_RPM_COMMAND_PACKAGE_REQUIRES "libautolock = ${PROJECT_VERSION}-${release}")
set(CPACK_RPM_DEVELOPMENT_PACKAGE_ARCHITECTURE ${CMAKE_SYSTEM_PROCESSOR})
# Nothing of who built it, where and when.
set(CPACK_RPM_SPEC_MORE_DEFINE "%define _buildhost localhost
%define use_source_date_epoch_as_buildtime 1
%define clamp_mtime_to_source_date_epoch 1
%define _build_id_links none")
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/compress-manuals.cmake)
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
  /usr/share/man /usr/share/man/man1 /usr/share/man/man7 /usr/lib64/pkgconfig /usr/lib64/cmake
  /usr/share/bash-completion /usr/share/bash-completion/completions /usr/share/zsh
  /usr/share/zsh/site-functions /usr/share/fish /usr/share/fish/vendor_completions.d
  /usr/share/licenses)
foreach(component library development command)
  string(TOUPPER ${component} part)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE
    DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/licenses/${CPACK_RPM_${part}_PACKAGE_NAME}
    COMPONENT ${component})
endforeach()
