# SPDX-License-Identifier: Apache-2.0
# Compiler settings that every target shares. Sanitizers are a cache string, so that each is one preset.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/plugins")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

set(SYNOD_SANITIZE "" CACHE STRING "address, undefined, thread, fuzzer, or a comma-separated list of them")

# The presets compile several sources of a target as one: most of a small file's time goes into the headers that it
# shares with its neighbours. -DCMAKE_UNITY_BUILD=OFF compiles each alone, and so proves its includes.
set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)  # of what has no groups (synod_unity)

find_program(SYNOD_CCACHE ccache)
if(SYNOD_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER "${SYNOD_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${SYNOD_CCACHE}")
endif()
find_program(SYNOD_MOLD mold)
if(SYNOD_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(
  -Wall -Wextra -Wshadow -Wno-missing-field-initializers
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> $<$<COMPILE_LANGUAGE:CXX>:-Woverloaded-virtual>
  # GCC's thread sanitizer can't see fences; Asio uses them correctly.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<COMPILE_LANGUAGE:CXX>>:-Wno-tsan>)

if(SYNOD_SANITIZE)
  if(SYNOD_SANITIZE MATCHES "fuzzer")
    string(REPLACE "fuzzer" "fuzzer-no-link" _compile "${SYNOD_SANITIZE}")
    string(REGEX REPLACE ",?fuzzer" "" _link "${SYNOD_SANITIZE}")
  else()
    set(_compile "${SYNOD_SANITIZE}")
    set(_link "${SYNOD_SANITIZE}")
  endif()
  add_compile_options(-fsanitize=${_compile} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${_link})
endif()
