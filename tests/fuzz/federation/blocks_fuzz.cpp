// SPDX-License-Identifier: Apache-2.0
//! Runs of blocks and header forms from a peer: decode, plan, explain, prove. The views must cover the run without a
//! gap, and a run that was cut anywhere must decode to the same views up to the cut.
#include "tests/fuzz/federation/world.hpp"

namespace {

using namespace synod::testing;

constexpr uint64_t kCapacity = 64; // views

struct Decoded {
    synod_status status = SYNOD_OK;
    std::vector<synod_header_view> views;
    uint64_t consumed = 0;
};

Decoded decode(FederationChain& chain, uint32_t form, synod_bytes run) {
    Decoded out;
    out.views.resize(kCapacity);
    uint64_t n = 0;
    out.status = chain.api->decode(chain.self(), form, run, out.views.data(), out.views.size(), &n, &out.consumed,
                                   chain.driver.fresh());
    must(n <= kCapacity && out.consumed <= run.n);
    must(out.status == SYNOD_OK || out.status == SYNOD_E_CORRUPT);
    must(out.status != SYNOD_OK || out.consumed == run.n || n == kCapacity);
    out.views.resize(n);
    uint64_t at = 0;
    for (const synod_header_view& v : out.views) {
        must(v.offset == at && v.length > 0 && v.header_length <= v.length && v.length <= SYNOD_BLOCK_MAX);
        at += v.length;
    }
    must(at == out.consumed);
    return out;
}

void plan(FuzzWorld& world, const synod_state* from, synod_bytes run, const Decoded& decoded) {
    FederationChain& chain = world.chain;
    world.with_copy(from, [&](synod_state* state) {
        const uint64_t before = chain.weigh(state).height;
        chain.checks.clear();
        const synod_plan_options options{sizeof(options), SYNOD_LEVEL_FULL, 0, UINT64_MAX};
        synod_refusal refusal{};
        refusal.size = sizeof(refusal);
        const synod_status status = chain.api->plan(chain.self(), state, run, decoded.views.data(), decoded.views.size(),
                                                    &options, chain.checks.writer(), &refusal, chain.driver.fresh());
        must(status == SYNOD_OK || status == SYNOD_REFUSED);
        check_refusal(chain, status, refusal);
        const uint64_t good = status == SYNOD_OK ? decoded.views.size() : refusal.block;
        must(chain.weigh(state).height == before + good);
        (void)chain.checks.first_failure();
    });
}

void look_at(FederationChain& chain, synod_bytes run, const synod_header_view& view) {
    const synod_bytes block{run.p + view.offset, view.length}, rest{run.p + view.offset, run.n - view.offset};
    MemorySink json, certificate, proof, own;
    must(chain.api->explain(chain.self(), block, nullptr, json.raw(), chain.driver.fresh()) <= 0);
    must(chain.api->carried(chain.self(), block, certificate.raw(), chain.driver.fresh()) == SYNOD_OK);
    (void)chain.api->prove_head(chain.self(), block, rest, {}, proof.raw(), chain.driver.fresh());
    must(chain.api->prove_head(chain.self(), block, {}, synod::to_bytes(std::span(certificate.bytes)), own.raw(),
                               chain.driver.fresh()) == SYNOD_OK);
    for (const synod_state* state : {chain.genesis, FuzzWorld::get().head}) {
        uint32_t what = 7;
        must(chain.api->signed_by(chain.self(), state, block, chain.authorities[0].key.data(), &what,
                                  chain.driver.fresh()) == SYNOD_OK);
        must(what <= (SYNOD_SIGNED_BLOCK | SYNOD_SIGNED_PARENT));
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    FuzzWorld& world = FuzzWorld::get();
    FederationChain& chain = world.chain;
    const synod_bytes run{data, size};
    const Decoded blocks = decode(chain, SYNOD_FORM_BLOCKS, run);
    for (const synod_header_view& v : blocks.views) {
        look_at(chain, run, v);
    }
    plan(world, chain.genesis, run, blocks);
    plan(world, world.head, run, blocks);
    const Decoded cut = decode(chain, SYNOD_FORM_BLOCKS, {data, size - size / 3});
    must(cut.views.size() <= blocks.views.size());
    must(cut.views.empty() ||
         std::memcmp(cut.views.data(), blocks.views.data(), cut.views.size() * sizeof(synod_header_view)) == 0);

    const Decoded headers = decode(chain, SYNOD_FORM_HEADERS, run);
    synod_header_view parent{};
    synod_refusal refusal{};
    refusal.size = sizeof(refusal);
    const synod_plan_options options{sizeof(options), SYNOD_LEVEL_FULL, 0, UINT64_MAX};
    const synod_status status = chain.api->plan_headers(chain.self(), chain.genesis, &parent, run, headers.views.data(),
                                                        headers.views.size(), &options, &refusal, chain.driver.fresh());
    must(status == SYNOD_OK || status == SYNOD_REFUSED);
    check_refusal(chain, status, refusal);
    return 0;
}
