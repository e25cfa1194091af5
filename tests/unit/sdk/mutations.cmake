# SPDX-License-Identifier: Apache-2.0
# Compiles layout_v1.cpp against the headers (must pass) and against copies with one forbidden change each (must fail).
function(compile include result)
  execute_process(COMMAND "${CXX}" -std=c++20 -fsyntax-only "-I${include}" "${SOURCE}"
    RESULT_VARIABLE rc ERROR_VARIABLE text OUTPUT_QUIET)
  set(${result} ${rc} PARENT_SCOPE)
  set(errors "${text}" PARENT_SCOPE)
endfunction()

function(mutate what header from to expected)
  file(REMOVE_RECURSE "${WORK}")
  file(COPY "${INCLUDE}/" DESTINATION "${WORK}")
  file(READ "${WORK}/synod/${header}" text)
  string(REPLACE "${from}" "${to}" changed "${text}")
  if(changed STREQUAL text)
    message(FATAL_ERROR "${what}: '${from}' isn't in ${header} any more; adapt this test")
  endif()
  file(WRITE "${WORK}/synod/${header}" "${changed}")
  compile("${WORK}" rc)
  if(rc EQUAL 0)
    message(FATAL_ERROR "${what}: the layout test didn't notice")
  endif()
  if(NOT errors MATCHES "${expected}")
    message(FATAL_ERROR "${what}: refused, but not for '${expected}':\n${errors}")
  endif()
  message(STATUS "${what}: noticed")
endfunction()

compile("${INCLUDE}" rc)
if(NOT rc EQUAL 0)
  message(FATAL_ERROR "the layout of v1 has changed:\n${errors}")
endif()
mutate("a field in the middle" abi.h "uint64_t mono_ns;" "uint32_t extra; uint64_t mono_ns;" "synod_event")
mutate("a field at the end" optimizer.h "int64_t min, max, step, max_delta, value;"
  "int64_t min, max, step, max_delta, value, extra;" "synod_knob changed its size")
mutate("a field before the others" scoring.h "const uint32_t *columns;" "uint64_t n_first; const uint32_t *columns;"
  "synod_scoring_api")
mutate("a sign changed" abi.h "uint32_t subcode;" "int32_t subcode;" "synod_error::subcode changed")
mutate("a parameter retyped" scoring.h "uint32_t need, const int64_t *const *cols, uint64_t n_rows"
  "uint64_t need, const int64_t *const *cols, uint64_t n_rows" "synod_scoring_api::score changed")
mutate("a field renamed" validation.h "uint64_t deadline_ns;" "uint64_t deadline_us;" "deadline_ns")
mutate("the last function removed" consensus.h
  "synod_status (*carried)(synod_instance *, synod_bytes block, const synod_sink *certificate, synod_error *);" ""
  "synod_consensus_api changed its size")
mutate("two functions swapped" consensus.h "void (*release)(synod_instance *, synod_state *);"
  "synod_status (*swapped)(synod_instance *);" "release")
mutate("a view's field widened" consensus.h "uint64_t certified_slot;" "uint8_t certified_slot[16];" "certified_slot")
