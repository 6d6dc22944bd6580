# For another system of the same processor, whose root (with libc's headers) is in a folder:
#
#     cmake -S . -B build/there -DCMAKE_TOOLCHAIN_FILE=cmake/other-root.cmake -DAUTOLOCK_ROOT=/there \
#         -DAUTOLOCK_LIBRARY=…
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${CMAKE_HOST_SYSTEM_PROCESSOR})
set(CMAKE_C_COMPILER gcc)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES AUTOLOCK_ROOT)
set(CMAKE_SYSROOT ${AUTOLOCK_ROOT})
# Debian's compiler looks for libraries beside itself first.
foreach(kind EXE SHARED MODULE)
  foreach(place lib usr/lib)
    string(APPEND CMAKE_${kind}_LINKER_FLAGS_INIT
      " -B${AUTOLOCK_ROOT}/${place}/${CMAKE_HOST_SYSTEM_PROCESSOR}-linux-gnu/ -L${AUTOLOCK_ROOT}/${place}/${CMAKE_HOST_SYSTEM_PROCESSOR}-linux-gnu")
  endforeach()
endforeach()
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_CROSSCOMPILING_EMULATOR sh ${CMAKE_CURRENT_LIST_DIR}/../tests/support/inside.sh ${AUTOLOCK_ROOT})
