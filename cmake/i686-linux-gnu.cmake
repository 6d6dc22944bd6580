# For 32-bit x86, with Debian's cross compiler (gcc-i686-linux-gnu). A 64-bit x86 runs its programs by itself, with the
# loader and the libraries beside the compiler:
#
#     cmake -S . -B build/i386 -DCMAKE_TOOLCHAIN_FILE=cmake/i686-linux-gnu.cmake
set(CMAKE_SYSTEM_PROCESSOR i686)
set(triplet i686-linux-gnu)
set(multiarch i386-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake)
