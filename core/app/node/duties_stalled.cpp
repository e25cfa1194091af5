// SPDX-License-Identifier: Apache-2.0
//! Duties while nothing moves: what an authority says then, and what it learns from others who say so.
#include "core/app/node/duties.hpp"

#include <utility>

#include "core/base/planted.hpp"

namespace synod::app {

void Duties::say_stalled(std::uint64_t slot) {
    // Of the newest certified block: that is what everybody builds on. Heads that nobody certified may
    // differ for ever, a newest certified block doesn't, once approvals that were lost are said again.
    const auto state = keeper_.state_of(keeper_.certified_head());
    if (!state) {
        return;
    }
    const auto index = pipeline_.consensus().authority_index(state, signer_->public_key());
    if (!index) {
        return;
    }
    if (!last_approval_.view.empty() && !SYNOD_PLANTED("approvals_said_once")) {
        links_.broadcast(net::Gossip{kGossipAttestation, last_approval_});
    }
    auto made = std::make_shared<Result<Bytes>>(Bytes{});
    pipeline_.on_consensus(
        [this, state, index = *index, slot, made] {
            auto statement = pipeline_.consensus().stalled(state, index, slot);
            *made = statement ? signer_->sign(std::move(*statement))
                              : Result<Bytes>(std::unexpected(statement.error()));
        },
        [this, made] {
            if (!*made) {
                listener_.problem(made->error());
            } else {
                signed_here_ = true;
                on_attestation(0, SharedBytes(std::move(**made)));
            }
        });
}

//! Our head may be the only block that carries the newest certificate, and whoever approved it has approved others
//! since: without it the federation never comes to say the same.
void Duties::show_head(std::uint64_t peer, const Hash& theirs) {
    const auto head = keeper_.tree().head();
    const auto certified = keeper_.certified_head();
    const auto block = keeper_.block_at(head.height);
    if (peer == 0 || head.hash == certified || theirs == certified || block.view.empty()) {
        return;
    }
    if (shown_.size() >= kMaxShown) {
        shown_.clear();
    }
    if (std::exchange(shown_[peer], head.hash) != head.hash) {
        links_.send(peer, net::NewBlock{block});
    }
}

void Duties::stall_heard(std::uint64_t peer, const synod_attestation& what, const pipeline::State& judged_by) {
    const auto hash = Hash::copy(what.hash);
    // A slot that is still to come proves nothing: our own clock may have been ahead in an earlier life.
    if (signer_ && peer != 0 && !signed_here_ && what.slot > signer_->began() && what.slot <= slot_ + 1) {
        // Two processes with one key take each other's links, so that neither may sign anything else: the one that
        // was silent so far is the newer one.
        const auto ours = pipeline_.consensus().authority_index(judged_by, signer_->public_key());
        if (ours && *ours == what.author) {
            refuse_copied_key("says that nothing moves in", what.slot);
            return;
        }
    }
    auto& stall = stalls_[what.author];
    if (what.slot > stall.slot) {
        stall = {{what.height, hash}, what.slot};
    }
    show_head(peer, hash);
}

std::uint32_t Duties::stall_statements() const {
    std::uint32_t out = 0;
    const auto certified = keeper_.certified_head();
    const auto* known = keeper_.tree().find(certified);
    const auto height = known != nullptr ? known->height : keeper_.tree().committed().height;
    for (const auto& [author, stall] : stalls_) {
        // Who says an ancestor of ours knows of nothing better either: it only lacks the newest certificate, which
        // our next block carries.
        const bool with_us = stall.head.hash == certified ||
                             (!SYNOD_PLANTED("ancestors_are_elsewhere") && stall.head.height < height && keeper_.hash_at(stall.head.height) == stall.head.hash);
        if (with_us && stall.slot + kStallSlots >= slot_) {
            ++out;
        }
    }
    return out;
}

}  // namespace synod::app
