// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The consensus plugin as core sees it: the C table of synod/consensus.h with Result, vectors and
//! states that release themselves. It adds no rule of its own. Every call goes through host::guarded
//! with the threads and states of the header: what is [worker] there runs on the consensus strand,
//! what is [shared] anywhere. Answers that can't be (more items than there was room for, views that
//! lie outside the run) become plugin.misbehaving and count as failures of the instance.

#include <synod/consensus.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/host/guard.hpp"
#include "core/pipeline/check_set.hpp"

namespace synod::pipeline {

using HeaderView = synod_header_view;

//! A consensus state; released through the plugin when the last owner lets go. Shared, because the
//! tree, a running job and the saver may hold the same one; nobody changes a shared one but plan on
//! its own fork.
using State = std::shared_ptr<synod_state>;

struct Refusal {
    std::uint32_t block = 0;
    std::uint32_t rule = 0;
    std::string name;
    std::string detail;
    //! Nobody broke a rule: this state can't judge it.
    bool not_yet = false;
};

//! Bytes that lack their signature, and what to sign.
struct Unsigned {
    Bytes bytes;
    synod_sign_request request{};
};

//! Why a call gave no result: a rule of the chain refused the input (somebody's fault), or the call
//! itself failed (our own).
struct Failure {
    Failure(Error e) : error(std::move(e)) {}
    Failure(Refusal r)
        : error{"consensus.refused", "rule " + r.name + " refuses block " + std::to_string(r.block),
                r.detail, {}},
          refusal(std::move(r)) {}
    Error error;
    std::optional<Refusal> refusal;
};

//! Done, refused by a rule, or failed.
template <typename T>
using Outcome = std::expected<T, Failure>;

struct Decoded {
    std::vector<HeaderView> views;
    std::uint64_t consumed = 0;
};

class Consensus {
  public:
    //! `instance` is of the consensus kind and outlives this object. `defer_release` gets the release
    //! of a state whose last owner is on any thread: it posts to the consensus strand. A State may
    //! outlive this object, but is then dropped without telling the plugin, like one that outlives
    //! the plugin's instance.
    Consensus(host::Instance& instance, std::function<void(std::function<void()>)> defer_release);
    ~Consensus();  //!< no other thread uses it or lets go of a State meanwhile
    Consensus(const Consensus&) = delete;
    Consensus& operator=(const Consensus&) = delete;

    struct Genesis {
        Bytes block;
        State state;
    };
    Result<Genesis> genesis();
    Result<synod_chain_info> info(const State& state) const;
    //! At most `capacity` items; stops at the end of what is complete. Every view lies in the run.
    //! `first_height` is for a crash's report only.
    Result<Decoded> decode(std::uint32_t form, ByteView run, std::size_t capacity,
                           std::uint64_t first_height = 0) const;
    Outcome<void> plan(const State& state, ByteView run,
                                 std::span<const HeaderView> views, synod_plan_options options,
                                 CheckSet& checks);
    Outcome<void> plan_headers(const State& state, const HeaderView& parent, ByteView run,
                                         std::span<const HeaderView> views,
                                         synod_plan_options options);
    Result<Bytes> prove_head(ByteView block, ByteView child, ByteView certificate) const;
    Outcome<HeaderView> check_head(const State& state, ByteView proof, CheckSet& checks);
    Result<State> fork(const State& state);
    Result<Bytes> save(const State& state);
    Result<State> load(ByteView bytes);
    Result<Hash> root(const State& state);
    Result<synod_weight> weigh(const State& state);
    Result<std::uint32_t> author_of(const State& state, std::uint64_t slot, PublicKey* key = nullptr);
    Result<std::uint32_t> authority_index(const State& state, const PublicKey& key) const;
    Result<Unsigned> propose(const State& state, std::uint64_t slot, ByteView certificate,
                             const synod_payload& payload);
    Outcome<Unsigned> vote(const State& state, std::uint32_t author, std::uint64_t last_slot,
                           const synod_lock& lock);
    Result<Unsigned> stalled(const State& state, std::uint32_t author, std::uint64_t slot);
    Outcome<synod_attestation> check_attestation(const State& state, ByteView bytes,
                                                 CheckSet& checks);
    Outcome<Bytes> certify(const State& state, const std::vector<Bytes>& attestations);
    //! Advances `state` (fork it first when it is shared): its head counts as certified.
    Outcome<void> accept_certificate(const State& state, ByteView certificate,
                                               CheckSet& checks);
    //! The certificate that a block carries for its parent.
    Result<Bytes> carried(ByteView block) const;
    //! Merged mining; plugin.unsupported from a plugin whose chain has none.
    struct Work {
        Bytes task;
        synod_work what{};
    };
    Outcome<Work> next_work(const State& state, ByteView payout);
    Outcome<Bytes> make_record(ByteView task, ByteView proof) const;
    Outcome<synod_work> check_record(const State& state, ByteView record, CheckSet& checks);
    //! The index by which an authority approves the head of the state.
    Result<std::uint32_t> voter_index(const State& state, const PublicKey& key) const;
    //! Governance; `what` is filled also where the answer is "not yet". plugin.unsupported from a plugin without it.
    Outcome<void> check_event(const State& state, const std::vector<Bytes>& before, ByteView event,
                              synod_governance_event& what, CheckSet& checks);
    //! Evidence of equivocation; plugin.unsupported from a plugin that has none. An empty attestation: the
    //! author's own statement.
    Outcome<Bytes> testify(ByteView block, ByteView attestation) const;
    Outcome<Bytes> accuse(const State& state, ByteView testimony, ByteView other) const;
    Outcome<synod_evidence> check_evidence(const State& state, ByteView evidence, CheckSet& checks);
    //! SYNOD_SIGNED_... bits; `state` is the block's or a descendant's. plugin.unsupported from a plugin that
    //! doesn't say.
    Result<std::uint32_t> signed_by(const State& state, ByteView block, const PublicKey& key) const;
    std::string rule_name(std::uint32_t rule) const;
    Result<std::string> explain_block(ByteView block) const;
    Result<std::string> explain_state(const State& state) const;
    Result<std::string> methods() const;
    Result<std::string> call(const State& state, const std::string& method,
                             const std::string& params_json);

  private:
    struct Releaser;
    //! `raw` by reference: it is written by the call that gives `done`.
    Result<State> own(const char* function, const Result<synod_status>& done, synod_state* const& raw);
    Refusal refused(const synod_refusal& refusal) const;
    //! A status as an outcome: SYNOD_REFUSED becomes the refusal.
    Outcome<void> settled(const Result<synod_status>& done, const synod_refusal& refusal) const;
    //! Nothing goes to a backend that has no bytes, or whose failure could be blamed on no block.
    Outcome<void> within(const CheckSet& checks, std::size_t blocks, const char* function) const;

    host::Instance& instance_;
    std::shared_ptr<Releaser> releaser_;
};

}  // namespace synod::pipeline
