// SPDX-License-Identifier: Apache-2.0
//! `synod auxpow check` on a proof of a real chain, and on the same with one bit changed.
#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "tests/integration/chain/program.hpp"

using namespace synod::testing;

TEST_CASE("a real proof holds and a flipped bit is named") {
    const auto text = read_file(std::string(SYNOD_VECTORS_DIR) + "/real-auxpow.json");
    if (text.empty()) {
        MESSAGE("skipped: no vectors in " SYNOD_VECTORS_DIR);
        return;
    }
    constexpr std::size_t kHeaderHex = 160;
    int checked = 0;
    const auto vectors = boost::json::parse(text);
    for (const auto& item : vectors.as_array()) {
        const auto& v = item.as_object();
        if (v.at("pow").as_string() == "scrypt" || v.at("kind").as_string() == "block") {
            continue;
        }
        const std::string hex(v.at("hex").as_string());
        auto proof = hex.substr(kHeaderHex, 2 * v.at("header_len").to_number<std::size_t>() - kHeaderHex);
        const auto arguments = "auxpow check --chain-id " +
                               std::to_string(v.at("chain_id").to_number<int>()) + " --bits " +
                               std::string(v.at("bits").as_string()) + " --hash " +
                               std::string(v.at("hash").as_string()) + " ";
        CHECK(run(arguments + proof).code == 0);
        proof[proof.size() - 1] = proof.back() == '0' ? '1' : '0';  // the parent's nonce
        const auto ran = run(arguments + proof);
        CHECK(ran.code == 1);
        CHECK(ran.output.find("refused: auxpow.target") != std::string::npos);
        ++checked;
        break;
    }
    CHECK(checked == 1);
    CHECK(run("auxpow check --chain-id 1 --hash 00 zz").code == 2);
}
