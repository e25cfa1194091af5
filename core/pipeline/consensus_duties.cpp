// SPDX-License-Identifier: Apache-2.0
//! Consensus: what an authority does, and what a miner is given.
#include "core/pipeline/consensus.hpp"
#include "core/pipeline/consensus_call.hpp"

namespace synod::pipeline {

Result<std::uint32_t> Consensus::author_of(const State& state, std::uint64_t slot, PublicKey* key) {
    std::uint32_t out = 0;
    return given(ask<&Api::author_of>(instance_, active("consensus.author_of"), slot, state.get(), slot, &out,
                                key == nullptr ? nullptr : key->data.data()),
                 [&] { return out; });
}

Result<std::uint32_t> Consensus::authority_index(const State& state, const PublicKey& key) const {
    std::uint32_t out = 0;
    return given(ask<&Api::authority_index>(instance_, shared("consensus.authority_index"), 0, state.get(),
                                      key.data.data(), &out),
                 [&] { return out; });
}

Result<Unsigned> Consensus::propose(const State& state, std::uint64_t slot, ByteView certificate,
                                    const synod_payload& payload) {
    ByteSink sink(SYNOD_BLOCK_MAX);
    Unsigned out{{}, empty_request()};
    auto done = ask<&Api::propose>(instance_, batch("consensus.propose"), slot, state.get(), slot,
                                   borrow(certificate), &payload, &sink.sink, &out.request);
    if (!done) {
        return std::unexpected(done.error());
    }
    out.bytes = std::move(sink.bytes);
    return checked(instance_, "consensus.propose", std::move(out));
}

Outcome<Unsigned> Consensus::vote(const State& state, std::uint32_t author, std::uint64_t last_slot,
                                  const synod_lock& lock) {
    ByteSink sink(SYNOD_GOSSIP_MAX);
    Unsigned out{{}, empty_request()};
    auto refusal = empty_refusal();
    auto done = settled(ask<&Api::vote>(instance_, active("consensus.vote"), last_slot, state.get(), author,
                                        last_slot, &lock, &sink.sink, &out.request, &refusal),
                        refusal);
    if (!done) {
        return std::unexpected(done.error());
    }
    out.bytes = std::move(sink.bytes);
    auto good = checked(instance_, "consensus.vote", std::move(out));
    if (!good) {
        return std::unexpected(good.error());
    }
    return std::move(*good);
}

Result<Unsigned> Consensus::stalled(const State& state, std::uint32_t author, std::uint64_t slot) {
    ByteSink sink(SYNOD_GOSSIP_MAX);
    Unsigned out{{}, empty_request()};
    auto done = ask<&Api::stalled>(instance_, active("consensus.stalled"), slot, state.get(), author, slot,
                                   &sink.sink, &out.request);
    if (!done) {
        return std::unexpected(done.error());
    }
    out.bytes = std::move(sink.bytes);
    return checked(instance_, "consensus.stalled", std::move(out));
}

Outcome<synod_attestation> Consensus::check_attestation(const State& state, ByteView bytes,
                                                        CheckSet& checks) {
    synod_attestation out{};
    out.size = sizeof out;
    auto refusal = empty_refusal();
    auto done = settled(ask<&Api::check_attestation>(instance_, active("consensus.check_attestation"), 0,
                                                     state.get(), borrow(bytes), &out, checks.writer(),
                                                     &refusal),
                        refusal);
    if (done) {
        checks.set_number(out.height);
        done = within(checks, 1, "consensus.check_attestation");
    }
    if (!done) {
        return std::unexpected(done.error());
    }
    return out;
}

Outcome<Bytes> Consensus::certify(const State& state, const std::vector<Bytes>& attestations) {
    std::vector<synod_bytes> spans;
    for (const auto& a : attestations) {
        spans.push_back(borrow(a));
    }
    ByteSink sink(SYNOD_HEAD_PROOF_MAX);
    auto refusal = empty_refusal();
    return given(settled(ask<&Api::certify>(instance_, batch("consensus.certify"), 0, state.get(), spans.data(),
                                      std::uint64_t{spans.size()}, &sink.sink, &refusal),
                   refusal),
                 [&] { return std::move(sink.bytes); });
}

Outcome<void> Consensus::accept_certificate(const State& state, ByteView certificate, CheckSet& checks) {
    auto refusal = empty_refusal();
    auto out = settled(ask<&Api::accept_certificate>(instance_, batch("consensus.accept_certificate"), 0,
                                                     state.get(), borrow(certificate), checks.writer(),
                                                     &refusal),
                       refusal);
    constexpr std::size_t kAnyBlock = std::size_t{1} << 32;  // its checks stand for no run
    return out ? within(checks, kAnyBlock, "consensus.accept_certificate") : out;
}

Result<Bytes> Consensus::carried(ByteView block) const {
    ByteSink sink(SYNOD_HEAD_PROOF_MAX);
    return given(ask<&Api::carried>(instance_, shared("consensus.carried"), 0, borrow(block), &sink.sink),
                 [&] { return std::move(sink.bytes); });
}

Outcome<Consensus::Work> Consensus::next_work(const State& state, ByteView payout) {
    ByteSink sink(SYNOD_WORK_TASK_MAX);
    Work out;
    out.what.size = sizeof out.what;
    auto refusal = empty_refusal();
    auto done = settled(ask<&Api::next_work>(instance_, batch("consensus.next_work"), 0, state.get(),
                                             borrow(payout), &sink.sink, &out.what, &refusal),
                        refusal);
    if (!done) {
        return std::unexpected(done.error());
    }
    out.task = std::move(sink.bytes);
    return out;
}

Outcome<Bytes> Consensus::make_record(ByteView task, ByteView proof) const {
    ByteSink sink(SYNOD_WORK_PROOF_MAX);
    auto refusal = empty_refusal();
    return given(settled(ask<&Api::make_record>(instance_, shared("consensus.make_record"), 0, borrow(task),
                                                borrow(proof), &sink.sink, &refusal),
                         refusal),
                 [&] { return std::move(sink.bytes); });
}

Outcome<synod_work> Consensus::check_record(const State& state, ByteView record, CheckSet& checks) {
    synod_work out{};
    out.size = sizeof out;
    auto refusal = empty_refusal();
    auto done = settled(ask<&Api::check_record>(instance_, batch("consensus.check_record"), 0, state.get(),
                                                borrow(record), &out, checks.writer(), &refusal),
                        refusal);
    if (done) {
        done = within(checks, 1, "consensus.check_record");
    }
    if (!done) {
        return std::unexpected(done.error());
    }
    return out;
}

Result<std::uint32_t> Consensus::voter_index(const State& state, const PublicKey& key) const {
    std::uint32_t out = 0;
    auto done = given(ask<&Api::voter_index>(instance_, shared("consensus.voter_index"), 0, state.get(),
                                             key.data.data(), &out),
                      [&] { return out; });
    // Of an older plugin the set never changes.
    return !done && done.error().code == "plugin.unsupported" ? authority_index(state, key) : done;
}

}  // namespace synod::pipeline
