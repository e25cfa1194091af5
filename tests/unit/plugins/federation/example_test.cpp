// SPDX-License-Identifier: Apache-2.0
//! The worked example of the plugin's README, byte for byte: a change of the format can't go unnoticed.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "plugins/consensus/federation/chain.hpp"
#include "tests/support/federation_chain.hpp"

using namespace synod::testing;

TEST_CASE("the README's worked example is what the plugin makes") {
    std::ifstream file(SYNOD_SOURCE_DIR "/plugins/consensus/federation/README.md");
    std::stringstream readme;
    readme << file.rdbuf();
    FederationChain c(4, R"(,"genesis_time_ms":200000)");
    synod_state* state = c.fork(c.genesis);
    const ByteVector block = c.extend(state, 1, {{'h', 'i'}});
    const std::vector<std::pair<std::string, synod::federation::ByteView>> parts = {
        {"genesis hash", c.genesis->head().hash},
        {"state root", c.genesis->rooted->root},
        {"prefix", synod::federation::ByteView(block).first(119)},
        {"author signature", synod::federation::ByteView(block).subspan(119, 64)},
        {"certificate and body", synod::federation::ByteView(block).subspan(183)},
        {"hash", state->head().hash}};
    for (const auto& [name, bytes] : parts) {
        const std::string hex = synod::federation::to_hex(bytes);
        INFO(name << " " << hex);
        CHECK(readme.str().find("| " + name + " | `" + hex + "` |") != std::string::npos);
    }
    c.release(state);
}
