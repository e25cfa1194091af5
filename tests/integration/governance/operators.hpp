// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Governance as operators do it: a file that three authorities sign, and one submits. One thread.

#include "tests/support/federation.hpp"
#include "tests/support/slowdown.hpp"

namespace synod::testing {

//! Blocks from now to an event's height: the chain's own notice of 16, and time to sign a few.
inline constexpr std::uint64_t kNotice = 16 + 10 * kSlowdown;

//! `what` is the kind and its options; `node` proposes and takes the event; authorities 1, 3 and 0 sign.
inline void govern(const fs::path& folder, Federation& federation, std::size_t node, std::uint64_t at,
                   const std::vector<std::string>& what) {
    const auto file = (folder / (what[0] + ".json")).string();
    const auto manifest = federation[node].manifest().string();
    std::vector<std::string> propose{"governance", "propose", manifest};
    propose.insert(propose.end(), what.begin(), what.end());
    propose.insert(propose.end(), {"--at", std::to_string(at), "--out", file, "--reason", "for the test"});
    const auto run = [&](std::vector<std::string> arguments) {
        const auto ran = run_to_end(folder, std::move(arguments));
        INFO(ran.output);
        INFO(federation[node].log());
        REQUIRE(ran.code == 0);
    };
    run(propose);
    for (const std::uint32_t authority : {1, 3, 0}) {
        run({"governance", "sign", file, "--key", federation.key(authority).string()});
    }
    run({"governance", "submit", manifest, file});
}

}  // namespace synod::testing
