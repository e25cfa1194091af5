// SPDX-License-Identifier: Apache-2.0
//! A plugin that breaks the contract: its create lets a C++ exception out.
#include <synod/scoring.h>

#include <stdexcept>

namespace {

synod_status create(const synod_host*, synod_bytes, synod_instance**, synod_error*) {
    throw std::runtime_error("thrown across the boundary");
}

constexpr synod_plugin_api kApi{sizeof(synod_plugin_api), 0, &create};
constexpr const char* kNone[] = {nullptr};
constexpr synod_descriptor kDescriptor{sizeof(synod_descriptor), 0, 0, 0, "test.throwing", "throwing", "1.0", "", "", "",
                                       SYNOD_KIND_SCORING, kNone, kNone, kNone, "{}", &kApi};
constexpr const synod_descriptor* kPlugins[] = {&kDescriptor};

}  // namespace

extern "C" {
extern __attribute__((visibility("default"))) const synod_entry synod_entry_v1;
constinit const synod_entry synod_entry_v1 = {{'S', 'Y', 'N', 'O', 'D', 'P', 'L', 'G'}, sizeof(synod_entry),
                                              SYNOD_ABI_MAJOR, 0, 0, "by hand", kPlugins, 1};
}
