// SPDX-License-Identifier: Apache-2.0
//! synod.consensus.federation: the C table over Chain. Every thunk goes through guard(); nothing unwinds out.
#include <synod/consensus.h>
#include <synod/plugin.hpp>

#include "plugins/consensus/federation/chain.hpp"

namespace synod::federation {
namespace {

constexpr char kSchema[] = R"json({
  "type": "object", "additionalProperties": false, "required": ["genesis"],
  "properties": {"genesis": {
    "type": "object", "additionalProperties": false, "required": ["authorities"],
    "description": "The chain's first block. Every key counts: two files that differ make two chains.",
    "properties": {
      "name": {"type": "string", "default": "synod", "maxLength": 64, "description": "The chain's name."},
      "chain_id": {"type": "integer", "default": 1, "minimum": 1, "maximum": 65535,
        "description": "Number of the chain in merged mining."},
      "slot_ms": {"type": "integer", "default": 2000, "minimum": 1, "maximum": 3600000,
        "description": "Milliseconds of one slot; slot 0 starts at 1970."},
      "genesis_time_ms": {"type": "integer", "default": 0, "minimum": 0,
        "description": "Unix milliseconds of the first block; its slot is this divided by slot_ms."},
      "authorities": {"type": "array", "minItems": 1, "maxItems": 64,
        "items": {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"},
        "description": "Ed25519 public keys in hex; the order gives whose slot it is."},
      "signature_threshold": {"type": "integer", "default": 0, "minimum": 0, "maximum": 64,
        "description": "Signatures of a certificate; raises floor(2n/3)+1, never lowers it. 0: that quorum."},
      "max_blocks_without_pow": {"type": "integer", "default": 10000, "minimum": 0, "maximum": 1048576,
        "description": "Blocks above the last finalised one before a proof of work is due. 0: no merged mining."},
      "pow_limit_bits": {"type": "integer", "default": 545259519, "minimum": 1, "maximum": 4294967295,
        "description": "Easiest target in compact form. The default, 0x207fffff, is for devnets."},
      "initial_bits": {"type": "integer", "minimum": 1, "maximum": 4294967295,
        "description": "Target of the first finality record; pow_limit_bits when absent."}
    }}}
})json";

constexpr char kMethods[] = R"json([
{"name":"auxpow.check","description":"Checks a merged-mining proof rule by rule.","params":{"chain_id":"integer","hash":"display hex","auxpow":"hex","bits":"integer, optional"}},
{"name":"bundle.next","description":"The bundle header that the next finality record must prove.","params":{"range_end":"integer, optional","payout":"hex, optional"}},
{"name":"governance.explain","description":"A governance event for people.","params":{"event":"hex"}},
{"name":"governance.make","description":"An unsigned governance event.","params":{"kind":"add-authority, remove-authority, rotate-key, threshold, parameter, halt or resume","network":"hex","sequence":"integer","previous":"hex","effective":"height","key":"hex, of the first three kinds","replacement":"hex, of rotate-key","parameter":"slot_ms, max_blocks_without_pow or max_block_bytes","value":"integer","reason":"text, optional","evidence":"hex, optional, of remove-authority"}},
{"name":"governance.sign","description":"The event with one more signature, which must hold.","params":{"event":"hex","key":"hex","signature":"hex"}},
{"name":"record.encode","description":"A finality record from its bundle header and proof.","params":{"bundle":"hex","auxpow":"hex"}},
{"name":"record.mine","description":"Works on a bundle header; for devnets. The record, and the proof in it as miners submit it.","params":{"bundle":"hex","seed":"integer","time":"integer, seconds"}}
])json";

template <class T> T& need(T* p) {
    if (p == nullptr) {
        throw Failure(SYNOD_E_INVALID, "a pointer that the contract asks for is NULL");
    }
    return *p;
}

class Federation : public PluginBase {
public:
    static constexpr const char* kKind = SYNOD_KIND_CONSENSUS;
    explicit Federation(const Context& context) : PluginBase(context), chain(host(), context.config) {}
    const void* table(std::string_view id) const noexcept override { return id == kKind ? &kTable : nullptr; }
    Chain chain;

private:
    static const synod_consensus_api kTable;
};

Chain& chain_of(synod_instance* i) { return self<Federation>(i).chain; }
ByteView bytes_of(synod_bytes b) { return synod::view(b); }
void write(const synod_sink* sink, const auto& bytes) { Sink(sink).write(bytes); }

synod_status genesis(synod_instance* i, const synod_sink* block, synod_state** out, synod_error* e) noexcept {
    return guard(e, [&] {
        auto state = chain_of(i).genesis_state();
        write(block, ByteView(chain_of(i).genesis_block()));
        need(out) = state.release();
    });
}
synod_status info(synod_instance* i, const synod_state* s, synod_chain_info* out, synod_error* e) noexcept {
    return guard(e, [&] { chain_of(i).info(need(s), need(out)); });
}
synod_status decode(synod_instance* i, uint32_t form, synod_bytes run, synod_header_view* views, uint64_t capacity,
                    uint64_t* n, uint64_t* consumed, synod_error* e) noexcept {
    return guard(e, [&] {
        const size_t room = views == nullptr ? 0 : static_cast<size_t>(capacity);
        return chain_of(i).decode(form, bytes_of(run), {views, room}, need(n), need(consumed), e);
    });
}
synod_status plan(synod_instance* i, synod_state* s, synod_bytes run, const synod_header_view* views, uint64_t n,
                  const synod_plan_options* o, const synod_check_writer* w, synod_refusal* r, synod_error* e) noexcept {
    return guard(e, [&] {
        return chain_of(i).plan(need(s), bytes_of(run), {views, static_cast<size_t>(n)}, need(o), need(w), r);
    });
}
synod_status plan_headers(synod_instance* i, const synod_state* s, const synod_header_view* parent, synod_bytes run,
                          const synod_header_view* views, uint64_t n, const synod_plan_options* o, synod_refusal* r,
                          synod_error* e) noexcept {
    return guard(e, [&] {
        return chain_of(i).plan_headers(need(s), need(parent), bytes_of(run), {views, static_cast<size_t>(n)}, need(o), r);
    });
}
synod_status prove_head(synod_instance* i, synod_bytes block, synod_bytes child, synod_bytes certificate,
                        const synod_sink* proof, synod_error* e) noexcept {
    return guard(e, [&] {
        write(proof, ByteView(chain_of(i).prove_head(bytes_of(block), bytes_of(child), bytes_of(certificate))));
    });
}
BlockParts parts_of(synod_bytes block) {
    BlockParts parts;
    const char* why = "";
    if (!read_block(bytes_of(block), parts, &why)) {
        throw Failure(SYNOD_E_CORRUPT, "the block can't be read", {}, why);
    }
    return parts;
}
synod_status carried(synod_instance*, synod_bytes block, const synod_sink* certificate, synod_error* e) noexcept {
    return guard(e, [&] {
        const BlockParts parts = parts_of(block);
        write(certificate, ByteView(parts.certificate, parts.certificate_bytes()));
    });
}
Key key_of(const uint8_t* bytes) {
    Key out;
    std::memcpy(out.data(), &need(bytes), out.size());
    return out;
}
synod_status signed_by(synod_instance*, const synod_state* s, synod_bytes block, const uint8_t key[32], uint32_t* what,
                       synod_error* e) noexcept {
    return guard(e, [&] {
        const BlockParts parts = parts_of(block);
        Prefix prefix;
        (void)read_prefix(parts.base, prefix);  // as read_block did
        const auto index_at = [&, ours = key_of(key)](uint64_t height) {
            const auto set = set_at(need(s), height);
            return set == nullptr ? std::nullopt : set->index_of(ours);
        };
        need(what) = 0;
        if (prefix.height == 0) {
            return;
        }
        if (index_at(prefix.height) == prefix.author) {
            *what |= SYNOD_SIGNED_BLOCK;
        }
        const auto voter = index_at(prefix.height - 1);
        if (voter && (parts.bitmap >> *voter & 1) != 0) {
            *what |= SYNOD_SIGNED_PARENT;
        }
    });
}
synod_status check_head(synod_instance* i, const synod_state* s, synod_bytes proof, synod_header_view* view,
                        const synod_check_writer* w, synod_refusal* r, synod_error* e) noexcept {
    return guard(e, [&] { return chain_of(i).check_head(need(s), bytes_of(proof), need(view), need(w), r); });
}
synod_status fork_state(synod_instance*, const synod_state* s, synod_state** out, synod_error* e) noexcept {
    return guard(e, [&] { need(out) = new synod_state(need(s)); });
}
void release(synod_instance*, synod_state* s) noexcept { delete s; }
synod_status save_one(synod_instance* i, const synod_state* s, const synod_sink* out, synod_error* e) noexcept {
    return guard(e, [&] { write(out, ByteView(save_state(need(s), chain_of(i).genesis_hash()))); });
}
synod_status load_one(synod_instance* i, const synod_source* in, synod_state** out, synod_error* e) noexcept {
    return guard(e, [&] {
        constexpr size_t kMaxStateBytes = 64u << 20, kPiece = 64u << 10; // bytes
        Source source(in);
        Bytes bytes;
        for (size_t got = kPiece; got == kPiece;) {
            const size_t at = bytes.size();
            if (at > kMaxStateBytes) {
                throw Failure(SYNOD_E_CORRUPT, "larger than a state can be", {}, source.where());
            }
            bytes.resize(at + kPiece);
            got = source.read_full({bytes.data() + at, kPiece});
            bytes.resize(at + got);
        }
        auto state = load_state(bytes, chain_of(i).genesis_hash(), chain_of(i).hasher());
        if (!state) {
            throw Failure(SYNOD_E_CORRUPT, state.fault().message, "take an older checkpoint", state.fault().where);
        }
        need(out) = state->release();
    });
}
synod_status root(synod_instance*, const synod_state* s, uint8_t out[32], synod_error* e) noexcept {
    return guard(e, [&] { std::memcpy(&need(out), need(s).rooted->root.data(), 32); });
}
synod_status prove(synod_instance* i, const synod_state* s, synod_bytes key, const synod_sink* out,
                   synod_error* e) noexcept {
    return guard(e, [&] {
        const std::string_view text(reinterpret_cast<const char*>(key.p), static_cast<size_t>(key.n));
        const Bytes proof = state_proof(*need(s).rooted, text, chain_of(i).hasher());
        if (proof.empty()) {
            throw Failure(SYNOD_E_INVALID, "no such key");
        }
        write(out, ByteView(proof));
    });
}
synod_status weigh(synod_instance* i, const synod_state* s, synod_weight* out, synod_error* e) noexcept {
    return guard(e, [&] { chain_of(i).weigh(need(s), need(out)); });
}
synod_status author_of(synod_instance*, const synod_state* s, uint64_t slot, uint32_t* author, uint8_t key[32],
                       synod_error* e) noexcept {
    return guard(e, [&] {
        const AuthoritySet& set = *need(s).rooted->set;
        need(author) = static_cast<uint32_t>(slot % set.keys.size());
        if (key != nullptr) {
            std::memcpy(key, set.keys[*author].data(), kKeyBytes);
        }
    });
}
synod_status index_in(const AuthoritySet& set, const Key& key, uint32_t& author, synod_error* e) {
    if (const auto index = set.index_of(key)) {
        author = *index;
        return SYNOD_OK;
    }
    return write_error(e, SYNOD_E_INVALID, "not an authority's key");
}
synod_status authority_index(synod_instance*, const synod_state* s, const uint8_t key[32], uint32_t* author,
                             synod_error* e) noexcept {
    return guard(e, [&] { return index_in(*need(s).rooted->set, key_of(key), need(author), e); });
}
synod_status propose(synod_instance* i, const synod_state* s, uint64_t slot, synod_bytes certificate,
                     const synod_payload* payload, const synod_sink* block, synod_sign_request* request,
                     synod_error* e) noexcept {
    return guard(e, [&] {
        write(block, ByteView(chain_of(i).propose(need(s), slot, bytes_of(certificate), need(payload), need(request))));
    });
}
synod_status vote(synod_instance* i, const synod_state* s, uint32_t author, uint64_t last_slot, const synod_lock* lock,
                  const synod_sink* attestation, synod_sign_request* request, synod_refusal* r, synod_error* e) noexcept {
    return guard(e, [&] {
        Bytes bytes;
        const synod_status status =
            chain_of(i).vote(need(s), author, last_slot, need(lock), bytes, need(request), r);
        write(attestation, ByteView(bytes));
        return status;
    });
}
synod_status stalled(synod_instance* i, const synod_state* s, uint32_t author, uint64_t slot,
                     const synod_sink* attestation, synod_sign_request* request, synod_error* e) noexcept {
    return guard(e, [&] { write(attestation, ByteView(chain_of(i).stalled(need(s), author, slot, need(request)))); });
}
synod_status check_attestation(synod_instance* i, const synod_state* s, synod_bytes bytes, synod_attestation* out,
                               const synod_check_writer* w, synod_refusal* r, synod_error* e) noexcept {
    return guard(e, [&] { return chain_of(i).check_attestation(need(s), bytes_of(bytes), need(out), need(w), r); });
}
synod_status certify(synod_instance* i, const synod_state* s, const synod_bytes* attestations, uint64_t n,
                     const synod_sink* certificate, synod_refusal* r, synod_error* e) noexcept {
    return guard(e, [&] {
        Bytes bytes;
        const synod_status status =
            chain_of(i).certify(need(s), {attestations, static_cast<size_t>(n)}, bytes, r);
        write(certificate, ByteView(bytes));
        return status;
    });
}
synod_status accept_certificate(synod_instance* i, synod_state* s, synod_bytes certificate,
                                const synod_check_writer* w, synod_refusal* r, synod_error* e) noexcept {
    return guard(e, [&] { return chain_of(i).accept_certificate(need(s), bytes_of(certificate), need(w), r); });
}
const char* rule_name(synod_instance*, uint32_t rule) noexcept { return rule_text(rule); }
synod_status explain(synod_instance* i, synod_bytes block, const synod_state* s, const synod_sink* json,
                     synod_error* e) noexcept {
    return guard(e, [&] { write(json, std::string_view(chain_of(i).explain(bytes_of(block), s))); });
}
synod_status methods(synod_instance*, const synod_sink* json, synod_error* e) noexcept {
    return guard(e, [&] { write(json, std::string_view(kMethods)); });
}
synod_status call(synod_instance* i, const synod_state* s, synod_str method, synod_bytes params, const synod_sink* json,
                  synod_error* e) noexcept {
    return guard(e, [&] {
        const std::string_view text(reinterpret_cast<const char*>(params.p), static_cast<size_t>(params.n));
        write(json, std::string_view(chain_of(i).call(s, synod::view(method), text)));
    });
}

synod_status next_work(synod_instance* i, const synod_state* s, synod_bytes payout, const synod_sink* task,
                       synod_work* out, synod_refusal* r, synod_error* e) noexcept {
    return guard(e, [&] {
        Bytes bytes;
        const synod_status status = chain_of(i).next_work(need(s), bytes_of(payout), bytes, need(out), r);
        write(task, ByteView(bytes));
        return status;
    });
}
synod_status make_record(synod_instance* i, synod_bytes task, synod_bytes proof, const synod_sink* record,
                         synod_refusal* r, synod_error* e) noexcept {
    return guard(e, [&] {
        Bytes bytes;
        const synod_status status = chain_of(i).make_record(bytes_of(task), bytes_of(proof), bytes, r);
        write(record, ByteView(bytes));
        return status;
    });
}
synod_status check_record(synod_instance* i, const synod_state* s, synod_bytes record, synod_work* out,
                          const synod_check_writer* w, synod_refusal* r, synod_error* e) noexcept {
    return guard(e, [&] { return chain_of(i).judge_record(need(s), bytes_of(record), need(out), need(w), r); });
}

synod_status voter_index(synod_instance*, const synod_state* s, const uint8_t key[32], uint32_t* author,
                         synod_error* e) noexcept {
    return guard(e, [&] { return index_in(*need(s).signers, key_of(key), need(author), e); });
}
synod_status check_event(synod_instance* i, const synod_state* s, const synod_bytes* before, uint64_t n, synod_bytes event,
                         synod_governance_event* out, const synod_check_writer* w, synod_refusal* r, synod_error* e) noexcept {
    return guard(e, [&] {
        return chain_of(i).check_event(need(s), {before, static_cast<size_t>(n)}, bytes_of(event), need(out), need(w), r);
    });
}
synod_status testify(synod_instance* i, synod_bytes block, synod_bytes attestation, const synod_sink* testimony,
                     synod_refusal* r, synod_error* e) noexcept {
    return guard(e, [&] {
        Bytes bytes;
        const synod_status status = chain_of(i).testify(bytes_of(block), bytes_of(attestation), bytes, r);
        write(testimony, ByteView(bytes));
        return status;
    });
}
synod_status accuse(synod_instance* i, const synod_state* s, synod_bytes testimony, synod_bytes other,
                    const synod_sink* evidence, synod_refusal* r, synod_error* e) noexcept {
    return guard(e, [&] {
        Bytes bytes;
        const synod_status status = chain_of(i).accuse(need(s), bytes_of(testimony), bytes_of(other), bytes, r);
        write(evidence, ByteView(bytes));
        return status;
    });
}
synod_status check_evidence(synod_instance* i, const synod_state* s, synod_bytes evidence, synod_evidence* out,
                            const synod_check_writer* w, synod_refusal* r, synod_error* e) noexcept {
    return guard(e, [&] { return chain_of(i).check_evidence(need(s), bytes_of(evidence), need(out), need(w), r); });
}

constexpr synod_consensus_api Federation::kTable{
    sizeof(synod_consensus_api), 0,       &genesis,  &info,      &decode,   &plan,            &plan_headers,
    &prove_head,                 &check_head, &fork_state, &release, &save_one, &load_one,    &root,
    &prove,                      &weigh,  &author_of, &authority_index, &propose, &vote,      &stalled,
    &check_attestation,          &certify, &accept_certificate, &rule_name, &explain, &methods, &call,
    &carried,                    &next_work, &make_record, &check_record, &voter_index, &check_event,
    &testify,                    &accuse, &check_evidence, &signed_by};

} // namespace
} // namespace synod::federation

SYNOD_PLUGIN(synod::federation::Federation, {.id = "synod.consensus.federation",
                                             .name = "Federation with merged mining",
                                             .version = "1.0.0",
                                             .vendor = "Synod",
                                             .license = "Apache-2.0",
                                             .flags = SYNOD_F_DETERMINISTIC,
                                             .state_rev = 1,
                                             .config_schema = synod::federation::kSchema});
