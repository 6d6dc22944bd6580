# Manuals are compressed, without a time in them.
file(GLOB_RECURSE manuals ${CPACK_TEMPORARY_DIRECTORY}/*)
list(FILTER manuals INCLUDE REGEX "/man/man[1-9]/[^/]*\\.[1-9]$")
foreach(manual ${manuals})
  execute_process(COMMAND gzip -9n ${manual} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
