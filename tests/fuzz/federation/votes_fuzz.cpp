// SPDX-License-Identifier: Apache-2.0
//! Gossip and claims from a peer: attestations, certificates, head proofs. Nothing that is accepted may hold without a
//! signature to check, and only bytes that no honest authority signed may fail.
#include "tests/fuzz/federation/world.hpp"

namespace {

using namespace synod::testing;

constexpr size_t kAttestationBytes = 115;

struct Asked {
    synod_refusal refusal{};
    Asked() { refusal.size = sizeof(refusal); }
};

void attestation(FuzzWorld& world, synod_bytes bytes) {
    FederationChain& chain = world.chain;
    Asked asked;
    synod_attestation out{};
    out.size = sizeof(out);
    chain.checks.clear();
    const synod_status status = chain.api->check_attestation(chain.self(), world.head, bytes, &out, chain.checks.writer(),
                                                             &asked.refusal, chain.driver.fresh());
    check_refusal(chain, status, asked.refusal);
    must(status == SYNOD_REFUSED || (status == SYNOD_OK && chain.checks.signatures.size() == 1));
    must(status != SYNOD_OK || out.author < kWorldAuthorities);
    (void)chain.checks.first_failure();
}

void certificate(FuzzWorld& world, synod_bytes bytes) {
    FederationChain& chain = world.chain;
    world.with_copy(world.head, [&](synod_state* state) {
        Asked asked;
        chain.checks.clear();
        const synod_status status = chain.api->accept_certificate(chain.self(), state, bytes, chain.checks.writer(),
                                                                  &asked.refusal, chain.driver.fresh());
        check_refusal(chain, status, asked.refusal);
        must(status == SYNOD_REFUSED || (status == SYNOD_OK && chain.checks.signatures.size() == chain.quorum));
        if (status == SYNOD_OK && chain.checks.first_failure() == 0) {
            const auto honest = chain.certificate(world.head);
            must(honest.size() == bytes.n);
        }
    });
}

void head_proof(FuzzWorld& world, synod_bytes bytes) {
    FederationChain& chain = world.chain;
    Asked asked;
    synod_header_view view{};
    chain.checks.clear();
    const synod_status status = chain.api->check_head(chain.self(), world.head, bytes, &view, chain.checks.writer(),
                                                      &asked.refusal, chain.driver.fresh());
    check_refusal(chain, status, asked.refusal);
    must(status == SYNOD_REFUSED || status == SYNOD_OK);
    if (status == SYNOD_OK) {
        must(chain.checks.signatures.size() == (view.height == 0 ? 0 : chain.quorum + 1));
        (void)chain.checks.first_failure();
    }
}

/// The input cut into pieces of an attestation's size, as approvals to certify.
void certify(FuzzWorld& world, synod_bytes bytes) {
    FederationChain& chain = world.chain;
    std::vector<synod_bytes> pieces;
    for (uint64_t at = 0; at < bytes.n; at += kAttestationBytes) {
        pieces.push_back({bytes.p + at, std::min<uint64_t>(kAttestationBytes, bytes.n - at)});
    }
    Asked asked;
    MemorySink out;
    const synod_status status = chain.api->certify(chain.self(), world.head, pieces.data(), pieces.size(), out.raw(),
                                                   &asked.refusal, chain.driver.fresh());
    check_refusal(chain, status, asked.refusal);
    must(status == SYNOD_REFUSED || (status == SYNOD_OK && out.bytes.size() == 8 + 64 * size_t{chain.quorum}));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    FuzzWorld& world = FuzzWorld::get();
    const synod_bytes bytes{data, size};
    attestation(world, bytes);
    certificate(world, bytes);
    head_proof(world, bytes);
    certify(world, bytes);
    return 0;
}
