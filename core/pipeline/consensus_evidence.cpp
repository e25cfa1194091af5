// SPDX-License-Identifier: Apache-2.0
//! Consensus: governance events, and the proof that somebody signed twice.
#include "core/pipeline/consensus.hpp"
#include "core/pipeline/consensus_call.hpp"

namespace synod::pipeline {

Outcome<void> Consensus::check_event(const State& state, const std::vector<Bytes>& before, ByteView event,
                                     synod_governance_event& what, CheckSet& checks) {
    std::vector<synod_bytes> earlier;
    for (const auto& one : before) {
        earlier.push_back(borrow(one));
    }
    what = {};
    what.size = sizeof what;
    auto refusal = empty_refusal();
    auto done = settled(ask<&Api::check_event>(instance_, active("consensus.check_event"), 0, state.get(),
                                               earlier.data(), std::uint64_t{earlier.size()}, borrow(event), &what,
                                               checks.writer(), &refusal),
                        refusal);
    return done ? within(checks, 1, "consensus.check_event") : done;
}

Outcome<Bytes> Consensus::testify(ByteView block, ByteView attestation) const {
    ByteSink sink(SYNOD_TESTIMONY_MAX);
    auto refusal = empty_refusal();
    return given(settled(ask<&Api::testify>(instance_, shared("consensus.testify"), 0, borrow(block),
                                            borrow(attestation), &sink.sink, &refusal),
                         refusal),
                 [&] { return std::move(sink.bytes); });
}

Outcome<Bytes> Consensus::accuse(const State& state, ByteView testimony, ByteView other) const {
    ByteSink sink(SYNOD_EVIDENCE_MAX);
    auto refusal = empty_refusal();
    return given(settled(ask<&Api::accuse>(instance_, shared("consensus.accuse"), 0, state.get(),
                                           borrow(testimony), borrow(other), &sink.sink, &refusal),
                         refusal),
                 [&] { return std::move(sink.bytes); });
}

Outcome<synod_evidence> Consensus::check_evidence(const State& state, ByteView evidence, CheckSet& checks) {
    synod_evidence out{};
    out.size = sizeof out;
    auto refusal = empty_refusal();
    auto done = settled(ask<&Api::check_evidence>(instance_, batch("consensus.check_evidence"), 0, state.get(),
                                                  borrow(evidence), &out, checks.writer(), &refusal),
                        refusal);
    if (done) {
        done = within(checks, 1, "consensus.check_evidence");
    }
    if (!done) {
        return std::unexpected(done.error());
    }
    return out;
}

Result<std::uint32_t> Consensus::signed_by(const State& state, ByteView block, const PublicKey& key) const {
    std::uint32_t out = 0;
    return given(ask<&Api::signed_by>(instance_, shared("consensus.signed_by"), 0, state.get(), borrow(block),
                                      key.data.data(), &out),
                 [&] { return out; });
}

}  // namespace synod::pipeline
