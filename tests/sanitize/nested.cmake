# SPDX-License-Identifier: Apache-2.0
# Builds the targets of TESTS (a|b|c) with SANITIZE in BUILD and runs them; fails with the first step that does.
cmake_policy(VERSION 3.25)
string(REPLACE "|" ";" targets "${TESTS}")
list(TRANSFORM targets REPLACE "^(unit|property)_" "test_\\1_")
execute_process(COMMAND ${CMAKE_COMMAND} -S "${SOURCE}" -B "${BUILD}" -G Ninja -DCMAKE_BUILD_TYPE=Debug
    "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g1" "-DCMAKE_C_FLAGS_DEBUG=-O1 -g1" -DCMAKE_UNITY_BUILD=ON
    "-DSYNOD_SANITIZE=${SANITIZE}" "-DSYNOD_VECTORS_DIR=${VECTORS}"
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build "${BUILD}" --parallel 1 --target ${targets} COMMAND_ERROR_IS_FATAL ANY)
set(ENV{ASAN_OPTIONS} "detect_stack_use_after_return=1:strict_string_checks=1")
set(ENV{UBSAN_OPTIONS} "print_stacktrace=1")
set(ENV{TSAN_OPTIONS} "halt_on_error=1:second_deadlock_stack=1")
execute_process(COMMAND ${CTEST} --test-dir "${BUILD}" --output-on-failure --no-tests=error -R "^(${TESTS})$"
  COMMAND_ERROR_IS_FATAL ANY)
