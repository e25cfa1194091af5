// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Plugin tables of any size become full-size tables without null functions, once, at load. Main
//! thread. A larger table than the host knows is accepted and its known part read.

#include <synod/abi.h>

#include <algorithm>
#include <cstring>

#include "core/host/registry.hpp"

namespace synod::host {

//! What stands in for an absent function: a status one answers UNSUPPORTED, others a zero value.
template <typename>
struct Absent;
template <typename R, typename... Args>
struct Absent<R (*)(Args...)> {
    static R answer(Args...) {
        if constexpr (std::is_same_v<R, synod_status>) {
            return SYNOD_E_UNSUPPORTED;
        } else if constexpr (!std::is_void_v<R>) {
            return R{};
        }
    }
};

template <typename... Fn>
void fill_absent(Fn&... functions) {
    ((functions = functions != nullptr ? functions : &Absent<Fn>::answer), ...);
}

void complete_table(synod_plugin_api& table);
void complete_table(synod_consensus_api& table);
void complete_table(synod_validation_api& table);
void complete_table(synod_scoring_api& table);
void complete_table(synod_checkpoint_api& table);
void complete_table(synod_optimizer_api& table);

template <typename Api>
void normalise(const void* raw, Api& out) {
    std::uint32_t size = 0;
    std::memcpy(&size, raw, sizeof size);
    std::memcpy(&out, raw, std::min<std::size_t>(size, sizeof out));
    out.size = sizeof out;
    complete_table(out);
}

//! Checks an entry (check_entry) and every descriptor that it lists, and copies all that they say; it is
//! the only code that reads a library's data. Errors: plugin.abi, plugin.bad_descriptor.
Result<std::vector<Plugin>> read_entry(const synod_entry* entry, const std::string& file);

}  // namespace synod::host
