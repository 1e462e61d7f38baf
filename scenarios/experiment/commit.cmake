# Writes a header with the commit of the sources (cmake -DSOURCE= -DOUTPUT= -P commit.cmake).
# SPDX-License-Identifier: BSD-3-Clause
find_program(git git)
set(commit "unknown")
if(git)
  execute_process(COMMAND ${git} -C ${SOURCE} rev-parse --short=12 HEAD OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE
                  RESULT_VARIABLE bad ERROR_QUIET)
  if(bad EQUAL 0)
    set(commit "${found}")
    execute_process(COMMAND ${git} -C ${SOURCE} diff --quiet HEAD -- protocol devices sim scenarios smclab RESULT_VARIABLE changed
                    OUTPUT_QUIET ERROR_QUIET)
    if(NOT changed EQUAL 0)
      string(APPEND commit " with changes")
    endif()
  endif()
endif()
set(text "#define EXPERIMENT_COMMIT \"${commit}\"\n")
set(old "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT old STREQUAL text)
  file(WRITE ${OUTPUT} "${text}")
endif()
