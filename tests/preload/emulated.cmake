# Under qemu-user: what the emulator does otherwise than a kernel. A pattern of tests' names and a reason each; the
# test is skipped by name.
list(APPEND PRELOAD_SKIPPED
  "^helps\\.not_in_a_vfork_child\\..*$"
  "qemu-user makes a fork of vfork"
  "^helps\\.(prefix_is_the_same|memory_is_the_kernels)\\..*$"
  "the emulator's own memory is counted with the program's, and changes"
  "^helps\\.threads_and_handlers\\..*$"
  "emulated, a snapshot takes so long that others wait for it for more than a second")
list(APPEND PRELOAD_SKIPPED
  "^reserves\\.(heap|heap_in_parts|main_stack|thread_stack|stack_of_the_program)$"
  "the program's first touch of a page is the emulator's too, which has faults of its own"
  "^reserves\\.small_thread_stacks$"
  "the smallest stack of a thread is larger on these processors")
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "arm")
  list(APPEND PRELOAD_SKIPPED
    "^alloc\\..*$"
    "qemu-user for 32-bit ARM has no mlock2, which locks what exists at the start, and tells of a heap that it does not have"
    "^reserves\\.many_arenas$"
    "emulated, a thread gets no heap of its own"
    "^boot_heap\\..*$"
    "the library that this test puts beside ours does not run on 32-bit ARM, by itself neither"
    "^helps\\.fixed_addresses$"
    "on 32-bit ARM the linker gives weak functions of a program with fixed addresses no entry for the loader")
endif()
