// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The consensus plugin as core sees it: the C table of synod/consensus.h with Result, vectors and
//! states that release themselves. It adds no rule of its own. Threads are those of the header:
//! what is [worker] there runs on the consensus strand, what is [shared] anywhere.

#include <synod/consensus.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
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
    //! `defer_release` gets the release of a state whose last owner is on any thread: it posts to
    //! the consensus strand. The instance and the table outlive this object and every State.
    Consensus(synod_instance* instance, const synod_consensus_api* api,
              std::function<void(std::function<void()>)> defer_release);

    struct Genesis {
        Bytes block;
        State state;
    };
    Result<Genesis> genesis();
    Result<synod_chain_info> info(const State& state) const;
    //! At most `capacity` items; stops at the end of what is complete.
    Result<Decoded> decode(std::uint32_t form, ByteView run, std::size_t capacity) const;
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
    std::string rule_name(std::uint32_t rule) const;
    Result<std::string> explain_block(ByteView block) const;
    Result<std::string> explain_state(const State& state) const;
    Result<std::string> methods() const;
    Result<std::string> call(const State& state, const std::string& method,
                             const std::string& params_json);

  private:
    State own(synod_state* raw);
    Refusal refused(const synod_refusal& refusal) const;

    synod_instance* instance_;
    const synod_consensus_api* api_;
    std::function<void(std::function<void()>)> defer_release_;
};

}  // namespace synod::pipeline
