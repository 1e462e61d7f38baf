# Compiler settings and the functions with which a folder says what it holds and how it is tested.
# SPDX-License-Identifier: BSD-3-Clause
#
#   smclab_folder_sources(<out> [EXCLUDE file…])        every *.c here that is not a *_test.c
#   smclab_library(<target> [CORE] SOURCES … LINKS …)   a static library of this house
#   smclab_unit_test(<name> SOURCES … LINKS … [TIMEOUT s] [NIGHTLY])   a Check program, a test called <name>
#   smclab_test(<name> COMMAND … [LABELS …] [TIMEOUT s] [NIGHTLY])
#   smclab_folder_tests(LINKS … [ASAN file…] [NIGHTLY file…] [TIMEOUT s])
#                                                       one test for each *_test.c, *_test.py, *_test.sh here
#   smclab_subfolders()                                 every folder below this one that has a CMakeLists.txt
#   smclab_fuzz_target(<name> SOURCES … LINKS …)        libFuzzer program, or a program that replays files
#   smclab_install_data(<subdir> [FILES …] [DIRECTORIES …])   to <datadir>/smclab/<subdir>
#
# CORE marks what may use nothing but C11; everything else may also use POSIX and GNU functions.
# A test is called <last folder>.<file without _test>: traces/reader_test.c is `traces.reader`,
# traces/oracle_test.py is `traces.oracle.py`.
# The label `asan` marks what `./lab test` also runs with the sanitizers: every unit test, every replay
# of a fuzz corpus, and the scripts named after ASAN. NIGHTLY: registered only with -DSMCLAB_NIGHTLY=ON.
# Every test finds the sources, the build and the program in its environment:
# SMCLAB_SOURCE_DIR, SMCLAB_BUILD_DIR, SMCLAB (the path of the program `smclab`).
# A tool that a test needs and does not find makes the test fail; nothing is left out silently, and
# a script that skips a case of its own (Python's unittest) fails as well.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON) # libsmc is also a shared library
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Debug)
  set(CMAKE_C_FLAGS_DEBUG "-O1 -g")
endif()

set(smclab_warnings -Wall -Wextra $<$<COMPILE_LANGUAGE:C>:-Wshadow> -Wvla -Wpointer-arith -Wcast-qual -Wformat=2 -Wundef
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>)
if(SMCLAB_WERROR)
  list(APPEND smclab_warnings -Werror)
endif()
if(SMCLAB_SANITIZE)
  add_compile_options(-fsanitize=${SMCLAB_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  string(REPLACE "fuzzer-no-link," "" smclab_link_sanitizers "${SMCLAB_SANITIZE}")
  add_link_options(-fsanitize=${smclab_link_sanitizers})
endif()
if(SMCLAB_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()
if(SMCLAB_LTO AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # GCC can write objects that hold machine code as well, so that the installed libsmc.a stays
  # usable by any compiler; Clang 14 cannot, hence GCC only.
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
  add_compile_options(-ffat-lto-objects)
endif()
if(NOT CMAKE_C_COMPILER_LAUNCHER)
  find_program(SMCLAB_CCACHE ccache)
  if(SMCLAB_CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${SMCLAB_CCACHE})
  endif()
endif()

# Debian's own interpreter comes first: python3-scapy and python3-jsonschema are installed for it.
find_program(SMCLAB_PYTHON python3 HINTS /usr/bin)
find_program(SMCLAB_BASH bash)

set(smclab_test_environment
    "SMCLAB_SOURCE_DIR=${PROJECT_SOURCE_DIR}"
    "SMCLAB_BUILD_DIR=${PROJECT_BINARY_DIR}"
    "SMCLAB=${PROJECT_BINARY_DIR}/bin/smclab"
    "PYTHONDONTWRITEBYTECODE=1"
    "CK_DEFAULT_TIMEOUT=120" # ctest's own timeout is the one that counts: a busy machine is no failure
    "ASAN_OPTIONS=detect_stack_use_after_return=1"
    "UBSAN_OPTIONS=print_stacktrace=1")

function(smclab_settings target core)
  target_compile_options(${target} PRIVATE ${smclab_warnings})
  if(NOT core)
    # Empty, so that a source file may define it again.
    target_compile_definitions(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:_GNU_SOURCE=>)
  endif()
  target_compile_definitions(${target} PRIVATE SMCLAB_VERSION="${PROJECT_VERSION}")
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/protocol
                             ${PROJECT_SOURCE_DIR}/protocol/include)
endfunction()

function(smclab_folder_sources out)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "EXCLUDE")
  file(GLOB sources RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS *.c)
  list(FILTER sources EXCLUDE REGEX "_test\\.c$")
  if(arg_EXCLUDE)
    list(REMOVE_ITEM sources ${arg_EXCLUDE})
  endif()
  set(${out} ${sources} PARENT_SCOPE)
endfunction()

function(smclab_library target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "CORE" "" "SOURCES;LINKS")
  if(NOT arg_SOURCES)
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ${arg_LINKS})
    return()
  endif()
  add_library(${target} STATIC ${arg_SOURCES})
  target_link_libraries(${target} PUBLIC ${arg_LINKS})
  smclab_settings(${target} ${arg_CORE})
endfunction()

function(smclab_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NIGHTLY" "TIMEOUT" "COMMAND;LABELS")
  if(NOT BUILD_TESTING OR (arg_NIGHTLY AND NOT SMCLAB_NIGHTLY))
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_test(NAME ${name} COMMAND ${arg_COMMAND})
  set_tests_properties(${name} PROPERTIES ENVIRONMENT "${smclab_test_environment}"
                       TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}"
                       FAIL_REGULAR_EXPRESSION "OK \\(skipped=")
endfunction()

function(smclab_unit_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NIGHTLY" "TIMEOUT" "SOURCES;LINKS;LABELS")
  if(NOT BUILD_TESTING)
    return()
  endif()
  if(NOT TARGET PkgConfig::CHECK)
    find_package(PkgConfig REQUIRED)
    pkg_check_modules(CHECK REQUIRED IMPORTED_TARGET GLOBAL check)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINKS} PkgConfig::CHECK)
  smclab_settings(${name} OFF)
  target_compile_definitions(${name} PRIVATE SMCLAB_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(arg_NIGHTLY)
    set(nightly NIGHTLY)
  endif()
  smclab_test(${name} COMMAND ${name} TIMEOUT ${arg_TIMEOUT} LABELS unit asan ${arg_LABELS} ${nightly})
endfunction()

function(smclab_folder_tests)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "TIMEOUT" "LINKS;ASAN;NIGHTLY")
  cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME folder)
  file(GLOB tests RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS *_test.c *_test.py *_test.sh)
  foreach(file IN LISTS tests)
    string(REGEX REPLACE "_test\\.[a-z]+$" "" stem ${file})
    set(more TIMEOUT ${arg_TIMEOUT})
    if(file IN_LIST arg_NIGHTLY)
      list(APPEND more NIGHTLY)
    endif()
    list(APPEND more LABELS script)
    if(file IN_LIST arg_ASAN)
      list(APPEND more asan)
    endif()
    set(path ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    if(file MATCHES "\\.c$")
      list(REMOVE_ITEM more LABELS script asan)
      smclab_unit_test(${folder}.${stem} SOURCES ${file} LINKS ${arg_LINKS} ${more})
    elseif(file MATCHES "\\.py$")
      smclab_test(${folder}.${stem}.py COMMAND ${SMCLAB_PYTHON} ${path} ${more})
    else()
      smclab_test(${folder}.${stem}.sh COMMAND ${SMCLAB_BASH} ${path} ${more})
    endif()
  endforeach()
endfunction()

function(smclab_subfolders)
  file(GLOB folders RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS */CMakeLists.txt)
  foreach(file IN LISTS folders)
    cmake_path(GET file PARENT_PATH folder)
    add_subdirectory(${folder})
  endforeach()
endfunction()

function(smclab_fuzz_target name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINKS})
  smclab_settings(${name} OFF)
  if(SMCLAB_LIBFUZZER)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/fuzz/replay_main.c)
  endif()
endfunction()

function(smclab_install_data subdir)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "FILES;DIRECTORIES")
  set(destination ${CMAKE_INSTALL_DATADIR}/smclab/${subdir})
  if(arg_FILES)
    install(FILES ${arg_FILES} DESTINATION ${destination})
  endif()
  if(arg_DIRECTORIES)
    install(DIRECTORY ${arg_DIRECTORIES} DESTINATION ${destination})
  endif()
endfunction()

# Writes <build>/targets.txt, what cmake/floors_test.py reads: a line a target, fields divided by tabs:
# name, folder, libraries (own and passed on), sources. Called when all folders are known.
function(smclab_write_targets)
  set(lines)
  smclab_collect_targets(${PROJECT_SOURCE_DIR} lines)
  file(WRITE ${PROJECT_BINARY_DIR}/targets.txt "${lines}")
endfunction()

function(smclab_collect_targets folder out)
  set(lines "${${out}}")
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    set(line "${target}")
    get_target_property(place ${target} SOURCE_DIR)
    cmake_path(RELATIVE_PATH place BASE_DIRECTORY ${PROJECT_SOURCE_DIR})
    string(APPEND line "\t${place}")
    foreach(property LINK_LIBRARIES INTERFACE_LINK_LIBRARIES SOURCES)
      get_target_property(value ${target} ${property})
      if(NOT value)
        set(value "")
      endif()
      string(APPEND line "\t${value}")
    endforeach()
    string(APPEND lines "${line}\n")
  endforeach()
  get_property(below DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(next IN LISTS below)
    smclab_collect_targets(${next} lines)
  endforeach()
  set(${out} "${lines}" PARENT_SCOPE)
endfunction()
