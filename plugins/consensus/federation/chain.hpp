// SPDX-License-Identifier: Apache-2.0
#pragma once
//! One chain: its configuration's genesis, and every decision of the consensus kind over it. Owned by the plugin's
//! instance; const functions from any thread, the others on the consensus worker. Never signs, stores or sends.
#include <synod/cpp/base.hpp>

#include "plugins/consensus/federation/effects.hpp"

namespace synod::federation {

class Chain {
public:
    /// Throws Failure(SYNOD_E_CONFIG) with the key's path.
    Chain(const Host& host, const Value& config);

    const Bytes& genesis_block() const noexcept { return genesis_block_; }
    std::unique_ptr<synod_state> genesis_state() const { return std::make_unique<synod_state>(genesis_); }
    const Hash32& network_id() const noexcept { return network_id_; }
    const Hash32& genesis_hash() const noexcept { return genesis_hash_; }
    void info(const synod_state& state, synod_chain_info& out) const;

    synod_status decode(uint32_t form, ByteView run, std::span<synod_header_view> views, uint64_t& n,
                        uint64_t& consumed, synod_error* error) const;
    synod_status plan(synod_state& state, ByteView run, std::span<const synod_header_view> views,
                      const synod_plan_options& options, const synod_check_writer& writer, synod_refusal* refusal);
    synod_status plan_headers(const synod_state& state, const synod_header_view& parent, ByteView run,
                              std::span<const synod_header_view> views, const synod_plan_options& options,
                              synod_refusal* refusal) const;

    Bytes prove_head(ByteView block, ByteView child, ByteView certificate) const;
    synod_status check_head(const synod_state& state, ByteView proof, synod_header_view& view,
                            const synod_check_writer& writer, synod_refusal* refusal) const;
    void weigh(const synod_state& state, synod_weight& out) const;

    Bytes propose(const synod_state& state, uint64_t slot, ByteView certificate, const synod_payload& payload,
                  synod_sign_request& request) const;
    synod_status vote(const synod_state& state, uint32_t author, uint64_t last_slot, const synod_lock& lock,
                      Bytes& attestation, synod_sign_request& request, synod_refusal* refusal) const;
    Bytes stalled(const synod_state& state, uint32_t author, uint64_t slot, synod_sign_request& request) const;
    synod_status check_attestation(const synod_state& state, ByteView bytes, synod_attestation& out,
                                   const synod_check_writer& writer, synod_refusal* refusal) const;
    synod_status certify(const synod_state& state, std::span<const synod_bytes> attestations, Bytes& certificate,
                         synod_refusal* refusal) const;
    synod_status accept_certificate(synod_state& state, ByteView certificate, const synod_check_writer& writer,
                                    synod_refusal* refusal) const;

    synod_status check_event(const synod_state& state, std::span<const synod_bytes> before, ByteView event,
                             synod_governance_event& out, const synod_check_writer& writer, synod_refusal* refusal) const;

    synod_status next_work(const synod_state& state, ByteView payout, Bytes& task, synod_work& out,
                           synod_refusal* refusal) const;
    synod_status make_record(ByteView task, ByteView proof, Bytes& record, synod_refusal* refusal) const;
    synod_status judge_record(const synod_state& state, ByteView record, synod_work& out,
                              const synod_check_writer& writer, synod_refusal* refusal) const;

    synod_status testify(ByteView block, ByteView attestation, Bytes& testimony, synod_refusal* refusal) const;
    synod_status accuse(const synod_state& state, ByteView testimony, ByteView other, Bytes& evidence,
                        synod_refusal* refusal) const;
    synod_status check_evidence(const synod_state& state, ByteView evidence, synod_evidence& out,
                                const synod_check_writer& writer, synod_refusal* refusal) const;

    std::string explain(ByteView block, const synod_state* state) const;
    std::string call(const synod_state* state, std::string_view method, std::string_view params) const;
    Hasher hasher() const noexcept;

private:
    struct Leaves;
    Broken hash_bodies(const synod_state& state, ByteView run, std::span<const synod_header_view> views,
                       const synod_check_writer& writer, Leaves& out);
    void make_genesis();

    Host host_;
    synod_state genesis_;
    Bytes genesis_block_;
    Hash32 genesis_hash_{}, network_id_{};
    // Scratch of plan(), kept between calls so that a block costs no allocation.
    std::vector<BlockParts> parts_;
    std::vector<synod_bytes> spans_;
    Bytes preimages_;
};

/// Fills a refusal as far as its size reaches; returns SYNOD_REFUSED.
synod_status refuse(synod_refusal* refusal, uint32_t block, const Broken& why);
/// The same for what this state can't judge yet: nobody broke a rule.
synod_status not_yet(synod_refusal* refusal, uint32_t block, const Broken& why);
/// Emits the signatures of an event that take_event() took, those of its evidence among them. False when the arena is
/// used up.
bool emit_event(const Event& event, const Hash32& id, const Hasher& hash, uint32_t block,
                const synod_check_writer& writer);
/// Shape of a certificate for a block certified by `set`; genesis (height 0) has the empty one.
Broken check_certificate_shape(const CertificateView& certificate, const AuthoritySet& set, uint64_t height);
/// Emits the certificate's signatures over `hash`. False when the arena is used up.
bool emit_certificate(const CertificateView& certificate, const AuthoritySet& set, const uint8_t* hash, uint32_t block,
                      const synod_check_writer& writer);

} // namespace synod::federation
