// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/plugins/federation_auxpow/support.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <sodium.h>

#include <fstream>
#include <sstream>

namespace synod::federation::test {
namespace {

void sha256d(void*, const synod_bytes* spans, uint64_t n, uint8_t* out) {
    for (uint64_t i = 0; i < n; ++i) {
        uint8_t once[32];
        crypto_hash_sha256(once, spans[i].p, spans[i].n);
        crypto_hash_sha256(out + 32 * i, once, sizeof(once));
    }
}

std::string read_file(const std::string& name) {
    std::ifstream in(std::string(SYNOD_VECTORS_DIR) + "/" + name, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

void fill(RealProof& out, ByteView header_and_proof) {
    Reader in(header_and_proof);
    const BlockHeader header = read_block_header(in);
    REQUIRE(in.ok());
    REQUIRE(header.hash(sodium_hasher()) == out.hash);
    out.bits = header.bits;
    out.chain_id = header.chain_id();
    const ByteView proof = header_and_proof.subspan(kBlockHeaderBytes);
    out.proof.assign(proof.begin(), proof.end());
}

} // namespace

Hasher sodium_hasher() { return {&sha256d, nullptr}; }

std::vector<RealProof> real_proofs() {
    const std::string text = read_file("real-auxpow.json");
    if (text.empty()) {
        return {};
    }
    boost::json::value root = boost::json::parse(text);
    const auto& rows =
        root.is_array() ? root.as_array() : root.as_object().begin()->value().as_array();
    std::vector<RealProof> out;
    for (const auto& row : rows) {
        const auto& o = row.as_object();
        RealProof one;
        one.name =
            std::string(o.at("chain").as_string()) + " " + std::string(o.at("hash").as_string());
        one.sha256d = o.at("pow").as_string() == "sha256d";
        one.hash = from_display_hex(std::string(o.at("hash").as_string())).value();
        const Bytes bytes = from_hex(std::string(o.at("hex").as_string())).value();
        fill(one, ByteView(bytes).first(static_cast<size_t>(o.at("header_len").as_int64())));
        REQUIRE(one.chain_id == o.at("chain_id").as_int64());
        out.push_back(std::move(one));
    }
    return out;
}

std::vector<RealProof> regtest_proofs() {
    std::istringstream lines(read_file("namecoin-regtest-auxpow.hex"));
    std::vector<RealProof> out;
    std::string height, hash, hex;
    while (lines >> height >> hash >> hex) {
        RealProof one;
        one.name = "regtest " + height;
        one.hash = from_display_hex(hash).value();
        fill(one, from_hex(hex).value());
        out.push_back(std::move(one));
    }
    return out;
}

} // namespace synod::federation::test
