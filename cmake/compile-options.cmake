# Flags that every target of the project shares.

add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
  -Wvla)
if(AUTOLOCK_WERROR)
  add_compile_options(-Werror)
endif()

# Whoever builds it, and where: the same bytes.
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}=. -ffile-prefix-map=${PROJECT_BINARY_DIR}=build)

if(AUTOLOCK_SANITIZE)
  # The preload library itself is not sanitized (a sanitizer's runtime must be the first library of
  # a process); the folders below the hooks are, together with the unit tests that link them.
  add_compile_options(-fsanitize=${AUTOLOCK_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${AUTOLOCK_SANITIZE})
endif()
