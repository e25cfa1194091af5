# SPDX-License-Identifier: Apache-2.0
# What the validation backends share, compiled once: the SHA-256 kernels, the hash columns of a batch, and the memory
# for keys. A backend includes this file and links synod_validation_common.
include_guard(GLOBAL)
# Only the headers: Debian's target also asks for xtl's library, which doesn't exist.
find_package(xsimd REQUIRED)

set(common_sources columns.cpp isa.cpp merkle.cpp sha256d.cpp kernel_portable.cpp)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  list(APPEND common_sources kernel_sse2.cpp kernel_avx2.cpp kernel_avx512.cpp kernel_shani.cpp)
endif()
list(TRANSFORM common_sources PREPEND "${CMAKE_CURRENT_LIST_DIR}/")
add_library(synod_validation_common STATIC EXCLUDE_FROM_ALL ${common_sources})

# The kernels are useless without optimisation, in debug builds too. Each has its own instruction set. A check of every
# temporary's scope takes the address sanitizer's build minutes for thousands of registers, and they have no address.
function(synod_kernel_options kernel)
  set_source_files_properties("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/kernel_${kernel}.cpp" PROPERTIES
    COMPILE_OPTIONS "-O2;-fno-sanitize-address-use-after-scope;${ARGN}")
endfunction()
synod_kernel_options(portable)
synod_kernel_options(sse2 -msse2)
synod_kernel_options(avx2 -mavx2 -mfma)
synod_kernel_options(shani -msse4.1 -msha)
# GCC 12 takes the undefined pass-through operands of its own AVX-512 headers for uninitialised variables.
synod_kernel_options(avx512 -mavx512f -mavx512cd -mavx512dq -mavx512bw -mavx512vl
  -Wno-maybe-uninitialized -Wno-uninitialized)

target_compile_features(synod_validation_common PRIVATE cxx_std_20)
# Two backends in one static program share this archive; in a library nothing of it is exported.
set_target_properties(synod_validation_common PROPERTIES POSITION_INDEPENDENT_CODE ON
  CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
target_compile_options(synod_validation_common PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
target_include_directories(synod_validation_common PUBLIC "${CMAKE_CURRENT_LIST_DIR}/.."
  PRIVATE ${xsimd_INCLUDE_DIRS})
target_link_libraries(synod_validation_common PUBLIC Synod::sdk)
