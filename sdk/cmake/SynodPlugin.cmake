# SPDX-License-Identifier: Apache-2.0
# One function that turns a few source files into a plugin library with the flags that the contract asks for.
include_guard(GLOBAL)
include(GNUInstallDirs)

set(SYNOD_PLUGIN_MAP "${CMAKE_CURRENT_LIST_DIR}/synod.map" CACHE INTERNAL "exports of a plugin library")

# Private helper: what shared and static variants have in common.
function(_synod_plugin_common target)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_link_libraries(${target} PRIVATE Synod::sdk ${ARG_LINK})
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  set_target_properties(${target} PROPERTIES
    POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
  # Unique symbols would keep the code mapped and share state between two loads. Clang has no such option.
  target_compile_options(${target} PRIVATE -Wall -Wextra
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<COMPILE_LANGUAGE:CXX>>:-fno-gnu-unique>)
endfunction()

# synod_add_plugin(NAME KIND kind SOURCES file... [LINK lib...])
#   target synod_plugin_<kind>_<name>         synod-<kind>-<name>.so, exports synod_entry_v1 alone;
#   target synod_plugin_<kind>_<name>_static  the same sources for a build without dlopen; built only when linked;
#                                             its entry is synod_entry_v1_<kind>_<name>.
# Dashes in a name become underscores in targets and symbols.
function(synod_add_plugin name)
  cmake_parse_arguments(ARG "" "KIND" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_KIND OR NOT ARG_SOURCES)
    message(FATAL_ERROR "synod_add_plugin(${name}): KIND and SOURCES are needed")
  endif()
  string(MAKE_C_IDENTIFIER "${ARG_KIND}_${name}" ident)
  set(target synod_plugin_${ident})

  add_library(${target} MODULE ${ARG_SOURCES})
  _synod_plugin_common(${target} LINK ${ARG_LINK})
  set_target_properties(${target} PROPERTIES
    PREFIX "" SUFFIX ".so" OUTPUT_NAME "synod-${ARG_KIND}-${name}"
    LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/plugins" LINK_DEPENDS "${SYNOD_PLUGIN_MAP}")
  target_compile_options(${target} PRIVATE -fno-plt)
  target_link_options(${target} PRIVATE
    -Wl,-z,now,-z,relro -Wl,--build-id=sha1 -Wl,--exclude-libs,ALL "-Wl,--version-script=${SYNOD_PLUGIN_MAP}")
  # Sanitizer run-times live in the executable, so their symbols stay undefined here.
  if(NOT SYNOD_SANITIZE AND NOT "${CMAKE_CXX_FLAGS} ${CMAKE_SHARED_LINKER_FLAGS}" MATCHES "-fsanitize")
    target_link_options(${target} PRIVATE -Wl,-z,defs)
  endif()
  install(TARGETS ${target} LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/synod/plugins" COMPONENT plugins)

  add_library(${target}_static STATIC EXCLUDE_FROM_ALL ${ARG_SOURCES})
  _synod_plugin_common(${target}_static LINK ${ARG_LINK})
  target_compile_definitions(${target}_static PRIVATE SYNOD_STATIC_NAME=${ident})
endfunction()
