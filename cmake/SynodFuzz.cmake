# SPDX-License-Identifier: Apache-2.0
# synod_fuzz(NAME SOURCES file... [LINK lib...] [CORPUS folder] [MUTATIONS n]): with clang and "fuzzer" in
# SYNOD_SANITIZE a libFuzzer binary fuzz_NAME, built by fuzz_targets; otherwise one that replays the corpus and a fixed number of mutations of
# each input, run as a property test.
function(synod_fuzz name)
  cmake_parse_arguments(ARG "" "CORPUS;MUTATIONS" "SOURCES;LINK" ${ARGN})
  add_executable(fuzz_${name} ${ARG_SOURCES})
  target_include_directories(fuzz_${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(fuzz_${name} PRIVATE ${ARG_LINK})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND SYNOD_SANITIZE MATCHES "fuzzer")
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    if(NOT TARGET fuzz_targets)
      add_custom_target(fuzz_targets)
    endif()
    add_dependencies(fuzz_targets fuzz_${name})
    file(WRITE "${CMAKE_BINARY_DIR}/fuzz-targets/${name}" "${ARG_CORPUS}\n")  # tools/fuzz reads it
    return()
  endif()
  if(NOT TARGET synod_fuzz_driver)  # compiled once for all
    add_library(synod_fuzz_driver STATIC "${PROJECT_SOURCE_DIR}/tests/fuzz/support/driver.cpp")
    target_include_directories(synod_fuzz_driver PRIVATE "${PROJECT_SOURCE_DIR}")
  endif()
  target_link_libraries(fuzz_${name} PRIVATE synod_fuzz_driver)
  add_test(NAME fuzz_${name} COMMAND fuzz_${name} ${ARG_CORPUS} ${ARG_MUTATIONS})
  set_tests_properties(fuzz_${name} PROPERTIES TIMEOUT 300 LABELS property)
endfunction()
