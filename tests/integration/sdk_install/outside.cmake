# SPDX-License-Identifier: Apache-2.0
# Plays the plugin author: has an installed SDK and a folder of sources, and nothing of the node's tree.
function(step what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE rc OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT rc EQUAL 0)
    message(FATAL_ERROR "${what} failed (${rc}):\n${text}")
  endif()
  message(STATUS "${what}: ok")
endfunction()

# A sanitized loader wants a sanitized plugin.
if(SANITIZE)
  set(flags "-DCMAKE_CXX_FLAGS=-fsanitize=${SANITIZE}")
endif()

function(build_outside name kind)
  set(folder "${WORK}/${name}")
  step("configure ${name}" "${CMAKE_COMMAND}" -S "${folder}" -B "${folder}/build" -G "${GENERATOR}"
    "-DCMAKE_PREFIX_PATH=${WORK}/prefix" "-DCMAKE_CXX_COMPILER=${CXX}" "-DCMAKE_C_COMPILER=${CC}" ${flags})
  # Nothing of the node's tree may be on the command line.
  file(GLOB_RECURSE commands "${folder}/build/*.ninja" "${folder}/build/*.make")
  foreach(file ${commands})
    file(READ "${file}" text)
    if(text MATCHES "${SOURCE}/(sdk|core|plugins)")
      message(FATAL_ERROR "${file} refers to the node's tree")
    endif()
  endforeach()
  step("build ${name}" "${CMAKE_COMMAND}" --build "${folder}/build")
  step("load ${name}" "${LOADER}" "${folder}/build/plugins/synod-${kind}-${name}.so")
endfunction()

file(REMOVE_RECURSE "${WORK}")
step("install the SDK" "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/prefix" --component sdk)
file(GLOB installed RELATIVE "${WORK}/prefix" "${WORK}/prefix/*")
if(NOT installed STREQUAL "include;lib;share")
  message(FATAL_ERROR "the component sdk installs something else: ${installed}")
endif()

file(COPY "${SOURCE}/plugins/scoring/weighted" DESTINATION "${WORK}")
build_outside(weighted scoring)

# The README's plugin with the README's CMake file, letter by letter.
file(READ "${WORK}/prefix/share/doc/synod-sdk/README.md" readme)
foreach(block "cpp;nearest.cpp" "cmake;CMakeLists.txt")
  list(GET block 0 language)
  list(GET block 1 file)
  string(FIND "${readme}" "```${language}\n" from)
  string(LENGTH "```${language}\n" skip)
  math(EXPR from "${from} + ${skip}")
  string(SUBSTRING "${readme}" ${from} -1 rest)
  string(FIND "${rest}" "```" length)
  string(SUBSTRING "${rest}" 0 ${length} text)
  file(WRITE "${WORK}/nearest/${file}" "${text}")
endforeach()
build_outside(nearest scoring)

# And the loader does refuse what is no plugin.
execute_process(COMMAND "${LOADER}" "${LOADER}" RESULT_VARIABLE rc OUTPUT_QUIET ERROR_QUIET)
if(rc EQUAL 0)
  message(FATAL_ERROR "the loader took its own executable for a plugin")
endif()
