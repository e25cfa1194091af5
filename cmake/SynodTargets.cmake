# SPDX-License-Identifier: Apache-2.0
# One function a kind of target, so that a folder's CMakeLists.txt is a line or two.

# synod_unity(TARGET file...): where unity builds are on, the files of one folder are compiled together, twelve at a time.
# By folder and not over all of them, so that a new file meets the names of its neighbours and of nobody else.
function(synod_unity target)
  foreach(file ${ARGN})
    get_filename_component(folder "${file}" DIRECTORY)
    file(RELATIVE_PATH folder "${PROJECT_SOURCE_DIR}" "${folder}")
    string(MAKE_C_IDENTIFIER "${folder}" folder)
    list(APPEND in_${folder} "${file}")
    list(LENGTH in_${folder} count)
    math(EXPR group "(${count} - 1) / 12")
    set_source_files_properties("${file}" PROPERTIES UNITY_GROUP "${folder}_${group}")
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD_MODE GROUP)
endfunction()

# synod_room(NAME [LINK lib...] [APART file...]): static library synod_NAME from every .cpp in the folder. Files that are
# APART use a name that a neighbour has for something else, so each is compiled by itself.
function(synod_room name)
  cmake_parse_arguments(ARG "" "" "LINK;APART" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  if(sources)
    add_library(synod_${name} STATIC ${sources})
    target_include_directories(synod_${name} PUBLIC "${PROJECT_SOURCE_DIR}")
    target_link_libraries(synod_${name} PUBLIC synod_sdk ${ARG_LINK})
    synod_unity(synod_${name} ${sources})
    set_source_files_properties(${ARG_APART} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  else()
    add_library(synod_${name} INTERFACE)
    target_include_directories(synod_${name} INTERFACE "${PROJECT_SOURCE_DIR}")
    target_link_libraries(synod_${name} INTERFACE synod_sdk ${ARG_LINK})
  endif()
endfunction()

# synod_test(NAME LABELS phase [LINK lib...] [ENV k=v...] [LANE n] [APART]): doctest binary test_NAME from every .cpp in the folder
# (main is tests/support/main.cpp); one ctest entry, of exactly one of the six phases (tests/phases.cmake). Reads vectors in place when their folder exists.
# LANE: its processes wait for slots most of the time, so it runs beside the tests that compute, but never beside another
# test of its lane; lanes start first, then what has the longest time-out.
# APART: its files use the same names for different things, so each is compiled by itself.
function(synod_test name)
  cmake_parse_arguments(ARG "APART" "TIMEOUT;LANE" "LINK;LABELS;ENV;SOURCES" ${ARGN})
  if(ARG_SOURCES)
    set(sources ${ARG_SOURCES})
  else()
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  endif()
  if(NOT sources)
    return()
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(SYNOD_SANITIZE)
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 10")
  endif()
  if(NOT TARGET synod_test_main)  # doctest's own code, compiled once for all
    add_library(synod_test_main STATIC "${PROJECT_SOURCE_DIR}/tests/support/main.cpp")
    target_link_libraries(synod_test_main PUBLIC doctest::doctest)
  endif()
  add_executable(test_${name} ${sources})
  target_link_libraries(test_${name} PRIVATE synod_test_main ${ARG_LINK})
  if(ARG_APART)
    set_target_properties(test_${name} PROPERTIES UNITY_BUILD OFF)
  endif()
  target_compile_options(test_${name} PRIVATE $<$<CONFIG:Debug>:-O0>)  # quicker to build; what is tested keeps -O1
  target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_compile_definitions(test_${name} PRIVATE
    SYNOD_VECTORS_DIR="${SYNOD_VECTORS_DIR}" SYNOD_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
    SYNOD_BINARY_DIR="${CMAKE_BINARY_DIR}")
  add_test(NAME ${name} COMMAND test_${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}" ENVIRONMENT "${ARG_ENV}"
    COST ${ARG_TIMEOUT})
  if(ARG_LANE)
    set_tests_properties(${name} PROPERTIES RESOURCE_LOCK lane_${ARG_LANE} COST 1000000)
  endif()
endfunction()
