// SPDX-License-Identifier: Apache-2.0
//! Saved consensus states, as a store or a checkpoint hands them back: what loads saves to the same bytes, and every
//! question that the node asks of a state has an answer or an error.
#include "tests/fuzz/federation/world.hpp"

namespace {

using namespace synod::testing;

void ask_everything(FederationChain& chain, synod_state* state) {
    const auto* api = chain.api;
    synod_instance* self = chain.self();
    const synod_weight weight = chain.weigh(state);
    must(weight.committed_height <= weight.height && weight.final_height <= weight.height);
    synod_chain_info info{};
    info.size = sizeof(info);
    must(api->info(self, state, &info, chain.driver.fresh()) == SYNOD_OK && info.quorum <= info.authorities);
    uint8_t root[32];
    must(api->root(self, state, root, chain.driver.fresh()) == SYNOD_OK);
    MemorySink proof, json, attestation, block, called;
    const std::string key = "chain/name";
    must(api->prove(self, state, {reinterpret_cast<const uint8_t*>(key.data()), key.size()}, proof.raw(),
                    chain.driver.fresh()) == SYNOD_OK);
    must(api->explain(self, {}, state, json.raw(), chain.driver.fresh()) <= 0);
    uint32_t author = 0;
    must(api->author_of(self, state, weight.slot + 1, &author, nullptr, chain.driver.fresh()) == SYNOD_OK);
    const synod_lock lock{};
    synod_sign_request request{};
    request.size = sizeof(request);
    synod_refusal refusal{};
    refusal.size = sizeof(refusal);
    (void)api->vote(self, state, author, 0, &lock, attestation.raw(), &request, &refusal, chain.driver.fresh());
    (void)api->stalled(self, state, author, weight.slot, attestation.raw(), &request, chain.driver.fresh());
    const synod_payload payload{sizeof(payload), 0, nullptr, 0, nullptr, 0, nullptr, 0};
    (void)api->propose(self, state, weight.slot + 1, {}, &payload, block.raw(), &request, chain.driver.fresh());
    (void)api->call(self, state, synod::to_str("bundle.next"), {}, called.raw(), chain.driver.fresh());
    const ByteVector certificate(8 + 64 * size_t{info.quorum}, 0xff);
    (void)api->accept_certificate(self, state, synod::to_bytes(std::span(certificate)), chain.checks.writer(), &refusal,
                                  chain.driver.fresh());
    chain.checks.clear();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    FuzzWorld& world = FuzzWorld::get();
    FederationChain& chain = world.chain;
    const ByteVector bytes(data, data + size);
    MemorySource source(bytes, 1000); // handed out in pieces
    synod_state* state = nullptr;
    const synod_status status = chain.api->load(chain.self(), source.raw(), &state, chain.driver.fresh());
    if (status != SYNOD_OK) {
        must(status == SYNOD_E_CORRUPT && state == nullptr);
        return 0;
    }
    MemorySink again;
    must(chain.api->save(chain.self(), state, again.raw(), chain.driver.fresh()) == SYNOD_OK && again.bytes == bytes);
    ask_everything(chain, state);
    chain.release(state);
    return 0;
}
