// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "core/app/commands/commands.hpp"

namespace synod::app {

int complain(const Error& error) {
    std::fprintf(stderr, "synod: %s\n", error.text().c_str());
    return error.code.starts_with("config.") || error.code.starts_with("genesis.") ? kUsage : kFailed;
}

}  // namespace synod::app
