# Finds ns-3 (Debian's libns3-dev) for the second engine, sim/ns3 and smclab-ns3. Sets SMCLAB_NS3; nothing else changes without it.
# SPDX-License-Identifier: BSD-3-Clause
#
#   smclab_uses_ns3(<target>)   its C++ sources may include ns-3's headers, and it links ns-3
#
# ns-3 3.37 compiles as C++17 only. Its own CMake package is not used: Debian's ends the configuration with an error where a program
# is missing that is in none of the packages it depends on.

option(SMCLAB_WITH_NS3 "Build smclab-ns3 if ns-3 is installed (the program is then under the GPL-2, as ns-3 is)" ON)
set(SMCLAB_NS3_ROOT "" CACHE PATH "Another ns-3 than the machine's: a folder with lib and include, as sim/ns3/mpi/build.sh makes")
option(SMCLAB_NS3_MPI "That ns-3 has MPI: also build sim/ns3/mpi/ranks" OFF)
set(SMCLAB_NS3 OFF)
if(SMCLAB_WITH_NS3 AND NOT SMCLAB_LIBFUZZER)
  set(smclab_ns3_found ON)
  set(smclab_ns3_libraries)
  set(smclab_ns3_place)
  if(SMCLAB_NS3_ROOT)
    set(smclab_ns3_place PATHS ${SMCLAB_NS3_ROOT}/include ${SMCLAB_NS3_ROOT}/lib NO_DEFAULT_PATH)
  endif()
  set(smclab_ns3_names traffic-control network stats core) # a library before what it needs
  if(SMCLAB_NS3_MPI)
    list(PREPEND smclab_ns3_names mpi)
  endif()
  find_path(SMCLAB_NS3_INCLUDE ns3/queue-disc.h ${smclab_ns3_place})
  foreach(name IN LISTS smclab_ns3_names)
    find_library(SMCLAB_NS3_LIBRARY_${name} NAMES ns3.37-${name} ns3-${name} ns3.37-${name}-release ${smclab_ns3_place})
    list(APPEND smclab_ns3_libraries ${SMCLAB_NS3_LIBRARY_${name}})
    if(NOT SMCLAB_NS3_LIBRARY_${name})
      set(smclab_ns3_found OFF)
    endif()
  endforeach()
  if(SMCLAB_NS3_INCLUDE AND smclab_ns3_found)
    if(CMAKE_C_COMPILER_ID MATCHES "Clang" AND NOT CMAKE_CXX_COMPILER)
      # One sanitizer runtime for both languages.
      string(REGEX REPLACE "clang(-[0-9]+)?$" "clang++\\1" CMAKE_CXX_COMPILER "${CMAKE_C_COMPILER}")
    endif()
    include(CheckLanguage)
    check_language(CXX)
    if(CMAKE_CXX_COMPILER)
      enable_language(CXX)
      set(SMCLAB_NS3 ON)
    endif()
  endif()
endif()
if(SMCLAB_NS3)
  message(STATUS "ns-3: ${SMCLAB_NS3_INCLUDE}/ns3")
else()
  message(STATUS "ns-3: not found, or no C++ compiler: --target ns3 will not be there")
endif()

if(SMCLAB_NS3 AND NOT CMAKE_CXX_COMPILER_LAUNCHER AND SMCLAB_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SMCLAB_CCACHE})
endif()

function(smclab_uses_ns3 target)
  set_target_properties(${target} PROPERTIES CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
  target_include_directories(${target} SYSTEM PUBLIC ${SMCLAB_NS3_INCLUDE})
  target_link_libraries(${target} PUBLIC ${smclab_ns3_libraries})
  if(SMCLAB_NS3_MPI)
    find_package(MPI REQUIRED COMPONENTS CXX)
    target_compile_definitions(${target} PUBLIC SMCLAB_NS3_MPI NS3_MPI)
    target_link_libraries(${target} PUBLIC MPI::MPI_CXX)
  endif()
endfunction()
