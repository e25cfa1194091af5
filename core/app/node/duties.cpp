// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/duties.hpp"

#include <algorithm>
#include <utility>

#include "core/app/node/slots.hpp"
#include "core/base/planted.hpp"

namespace synod::app {

using pipeline::CheckSet;

namespace {

constexpr const char* kDutiesSpace = "duties";
const Bytes kApprovalKey{'a', 'p', 'p', 'r', 'o', 'v', 'a', 'l'};

}  // namespace

Duties::Duties(ChainKeeper& keeper, pipeline::Pipeline& pipeline, Links& links,
               std::shared_ptr<Signer> signer, Listener listener)
    : keeper_(keeper),
      pipeline_(pipeline),
      links_(links),
      signer_(std::move(signer)),
      listener_(std::move(listener)) {
    if (signer_) {
        if (auto record = signer_->record(); record && record->last_proposed_slot > 0) {
            last_signed_slot_ = record->last_proposed_slot;
        }
    }
}

void Duties::begin(std::uint64_t now_slot, bool adopt, std::optional<Byzantine> byzantine) {
    byzantine_ = std::move(byzantine);
    if (!signer_) {
        return;
    }
    signer_->begin_after(now_slot);
    // Whoever lacks it can't certify that block, and we can't sign it a second time.
    if (auto kept = keeper_.store().get_record(kDutiesSpace, kApprovalKey); kept && *kept) {
        last_approval_ = SharedBytes(std::move(**kept));
    }
    const auto stored = signer_->stored();
    if (!stored) {
        listener_.problem(stored.error());
        return;
    }
    // What the folder has, signed from here or not, is known; what others bring is not.
    const auto record = stored->value_or(store::SignRecord{});
    own_proposed_ = own_approved_ =
        std::max({record.last_proposed_slot, record.last_approved_slot, keeper_.tree().head_slot()});
    if (adopt) {
        own_proposed_ = std::max(own_proposed_, now_slot);
        own_approved_ = std::max(own_approved_, now_slot);
    }
}

void Duties::refuse_copied_key(const char* what, std::uint64_t slot) {
    if (!byzantine_ && !std::exchange(copied_key_, true)) {
        listener_.copied_key({"signer.newer_signature",
                              "our key " + std::string(what) + " slot " + std::to_string(slot) +
                                  ", which this folder knows nothing of",
                              "signer",
                              "another process has the key, or the folder is a restored backup. Stop the other; to "
                              "go on with this folder set federation.adopt_signatures for one start"});
    }
}

void Duties::on_proven(const pipeline::ChainSegment& segment) {
    if (!signer_ || copied_key_ || segment.blocks.empty()) {
        return;
    }
    const auto* below = keeper_.tree().find(Hash::copy(segment.blocks.front().view.parent));
    auto parent_slot = below == nullptr ? keeper_.tree().committed_slot() : below->slot;
    std::uint64_t authored = 0, approved = 0;
    for (const auto& block : segment.blocks) {
        if (block.view.slot > own_proposed_ || parent_slot > own_approved_) {
            const auto ours = signed_by_us(segment.state, block);
            authored = (ours & SYNOD_SIGNED_BLOCK) != 0 && block.view.slot > own_proposed_ ? block.view.slot : authored;
            approved = (ours & SYNOD_SIGNED_PARENT) != 0 && parent_slot > own_approved_ ? parent_slot : approved;
        }
        parent_slot = block.view.slot;
    }
    if (authored != 0) {
        refuse_copied_key("signed a block for", authored);
    } else if (approved != 0) {
        refuse_copied_key("approved a block of", approved);
    }
}

std::uint32_t Duties::signed_by_us(const pipeline::State& state, const pipeline::ProvenBlock& block) {
    auto what = pipeline_.consensus().signed_by(state, block.bytes.view, signer_->public_key());
    if (!what && what.error().code != "plugin.unsupported") {
        listener_.problem(what.error());
    }
    return what.value_or(0);
}

std::optional<std::uint32_t> Duties::authority() const {
    const auto state = keeper_.head_state();
    if (!signer_ || !state) {
        return std::nullopt;
    }
    auto index = pipeline_.consensus().authority_index(state, signer_->public_key());
    return index ? std::optional(*index) : std::nullopt;
}

void Duties::on_slot(std::uint64_t slot, bool gate_open) {
    gate_open = gate_open || byzantine_;
    slot_ = slot;
    if (signer_ && slot < signer_->began()) {
        signer_->begin_after(slot);  // the clock was ahead when we started, and was set back
    }
    if (keeper_.tree().head() != last_head_ || head_since_slot_ == 0) {
        last_head_ = keeper_.tree().head();
        head_since_slot_ = slot;
    }
    // It may have come while the gate was shut; a second vote is refused. Who leaves the set with the next
    // block still certifies this one.
    const auto head = keeper_.tree().head();
    if (gate_open && signer_ && !copied_key_ && head.height > keeper_.tree().committed().height &&
        keeper_.certificate_of(head.hash).empty()) {
        vote(head.hash);
    }
    if (!authority() || copied_key_) {
        return;
    }
    if (slot - head_since_slot_ >= kStallSlots && slot >= signer_->began() + kListenSlots &&
        !SYNOD_PLANTED("never_says_stalled")) {
        say_stalled(slot);
    }
    if (gate_open) {
        propose(slot);
    }
}

void Duties::propose(std::uint64_t slot) {
    // Build on the highest certificate that is known: the head's own, or the one it carries.
    const auto head = keeper_.tree().head();
    auto base = keeper_.head_state();
    auto certificate = keeper_.certificate_of(head.hash);
    if (certificate.empty() && head.height > 0) {
        const auto block = keeper_.block_at(head.height);
        auto carried = pipeline_.consensus().carried(block.view);
        const auto* node = keeper_.tree().find(head.hash);
        if (!carried || node == nullptr) {
            return;
        }
        certificate = std::move(*carried);
        base = keeper_.state_of(node->parent);
    }
    if (!base) {
        return;
    }
    struct Made {
        std::optional<Bytes> block;
        std::optional<Error> error;
    };
    auto made = std::make_shared<Made>();
    pipeline_.on_consensus(
        [this, base, slot, certificate, made, records = listener_.records(),
         events = listener_.events()] {
            PublicKey author;
            auto index = pipeline_.consensus().author_of(base, slot, &author);
            if (!index || author != signer_->public_key()) {
                return;
            }
            synod_payload payload{};
            payload.size = sizeof payload;
            const auto spans_of = [](const std::vector<Bytes>& items) {
                std::vector<synod_bytes> out;
                for (const auto& item : items) {
                    out.push_back({item.data(), item.size()});
                }
                return out;
            };
            const auto record_spans = spans_of(records), event_spans = spans_of(events);
            const auto transactions = byzantine_ ? byzantine_->transactions : std::vector<Bytes>{};
            const auto transaction_spans = spans_of(transactions);
            payload.transactions = transaction_spans.data();
            payload.n_transactions = transaction_spans.size();
            payload.records = record_spans.data();
            payload.n_records = record_spans.size();
            payload.events = event_spans.data();
            payload.n_events = event_spans.size();
            auto unsigned_block = pipeline_.consensus().propose(base, slot, certificate, payload);
            if (!unsigned_block) {
                made->error = unsigned_block.error();
                return;
            }
            auto signed_block = signer_->sign(std::move(*unsigned_block));
            if (!signed_block) {
                made->error = signed_block.error();
                return;
            }
            made->block = std::move(*signed_block);
        },
        [this, slot, made] {
            if (made->error) {
                listener_.problem(*made->error);
            } else if (made->block) {
                signed_here_ = true;
                last_signed_slot_ = slot;
                own_proposed_ = std::max(own_proposed_, slot);
                ++proposed_;
                listener_.proposed(std::move(*made->block));
                const auto began = begin_of(keeper_.info(), slot);
                const auto now = listener_.unix_now();
                lateness_.add(std::chrono::milliseconds(now > began ? now - began : 0));
            }
        });
}

void Duties::on_block(const Hash& block, bool gate_open) {
    if (arrived_.size() < kMaxOpenCertificates) {
        arrived_.try_emplace(block, listener_.now());
    }
    if (SYNOD_PLANTED("approvals_cleared_at_every_block")) {
        collecting_.clear();
    }
    if ((gate_open || byzantine_) && signer_ && !SYNOD_PLANTED("never_approves")) {
        vote(block);
    }
    certify(block);
}

void Duties::vote(const Hash& block) {
    const auto state = keeper_.state_of(block);
    if (!state || copied_key_) {
        return;
    }
    const auto index = pipeline_.consensus().voter_index(state, signer_->public_key());
    if (!index) {
        return;
    }
    const auto* node = keeper_.tree().find(block);
    const auto slot = node == nullptr ? 0 : node->slot;
    auto made = std::make_shared<Result<Bytes>>(Bytes{});
    pipeline_.on_consensus(
        [this, state, index = *index, made] {
            auto record = signer_->record();
            if (!record) {
                *made = std::unexpected(record.error());
                return;
            }
            synod_lock lock{record->lock_slot, {}};
            std::ranges::copy(record->lock_hash.data, lock.hash);
            auto vote = pipeline_.consensus().vote(state, index, record->last_approved_slot, lock);
            if (!vote) {
                if (!vote.error().refusal) {
                    *made = std::unexpected(vote.error().error);
                }
                return;  // the rules forbid it: silence is the answer
            }
            *made = signer_->sign(std::move(*vote));
        },
        [this, made, slot] {
            if (!*made) {
                listener_.problem(made->error());
            } else if (!(*made)->empty()) {
                signed_here_ = true;
                own_approved_ = std::max(own_approved_, slot);
                // Kept before it is said: who heard it would build on what the others, after a kill of all, could
                // never certify.
                last_approval_ = SharedBytes(std::move(**made));
                const Bytes kept(last_approval_.view.begin(), last_approval_.view.end());
                listener_.keep({kDutiesSpace, kApprovalKey, kept},
                               [this, said = last_approval_] { on_attestation(0, said); });
            }
        });
}

void Duties::on_attestation(std::uint64_t peer, const SharedBytes& bytes) {
    const auto state = keeper_.head_state();
    if (!state) {
        return;
    }
    if (!seen_.first_time(bytes.view)) {
        return;
    }
    struct Checked {
        std::shared_ptr<CheckSet> checks = std::make_shared<CheckSet>();
        synod_attestation what{};
        std::optional<pipeline::Fault> fault;
    };
    auto checked = std::make_shared<Checked>();
    pipeline_.on_consensus(
        [this, state, bytes, checked] {
            auto what = pipeline_.consensus().check_attestation(state, bytes.view, *checked->checks);
            if (!what) {
                const auto& refusal = what.error().refusal;
                checked->fault = pipeline::Fault{refusal ? refusal->name : "malformed", 0, {},
                                                 what.error().error.text(), false, refusal && refusal->not_yet};
            } else {
                checked->what = *what;
            }
        },
        [this, peer, bytes, checked, state] {
            if (checked->fault && checked->fault->not_yet) {
                seen_.forget(bytes.view);  // it can be judged once we are nearer to its block
                return;
            }
            if (checked->fault) {
                listener_.misbehaved(peer, *checked->fault);
                return;
            }
            pipeline_.prove(checked->checks, [this, peer, bytes, checked, state](auto answer) {
                if (!answer) {
                    listener_.problem(answer.error());
                } else if (*answer) {
                    listener_.misbehaved(
                        peer, {pipeline_.consensus().rule_name((*answer)->rule), checked->what.height,
                               Hash::copy(checked->what.hash), "the signature does not hold", false});
                } else {
                    if (checked->what.purpose == SYNOD_SIGN_STALLED) {
                        stall_heard(peer, checked->what, state);
                    } else {
                        attestation_holds(checked->what, bytes);
                    }
                    if (!SYNOD_PLANTED("approvals_not_relayed")) {
                        links_.broadcast(net::Gossip{kGossipAttestation, bytes}, peer);
                    }
                }
            });
        });
}

void Duties::attestation_holds(const synod_attestation& what, const SharedBytes& bytes) {
    const auto hash = Hash::copy(what.hash);
    // The slot isn't signed: it counts where the block is known to be of it.
    const auto* node = keeper_.tree().find(hash);
    if (what.purpose == SYNOD_SIGN_APPROVE && node != nullptr && node->slot == what.slot &&
        what.slot > own_approved_ && signer_) {
        const auto state = keeper_.state_of(hash);
        const auto ours = state ? pipeline_.consensus().voter_index(state, signer_->public_key())
                                : Result<std::uint32_t>(std::unexpected(Error{}));
        if (ours && *ours == what.author) {
            refuse_copied_key("approved a block of", what.slot);
        }
    }
    listener_.approved(what, bytes);
    if (what.height <= keeper_.tree().committed().height ||
        (SYNOD_PLANTED("early_approvals_dropped") && keeper_.tree().find(hash) == nullptr)) {
        return;
    }
    if (collecting_.size() >= kMaxOpenCertificates && !collecting_.contains(hash)) {
        auto lowest = collecting_.begin();
        for (auto it = collecting_.begin(); it != collecting_.end(); ++it) {
            lowest = it->second.height < lowest->second.height ? it : lowest;
        }
        collecting_.erase(lowest);
    }
    auto& open = collecting_[hash];
    open.height = what.height;
    open.approvals.try_emplace({what.height, what.author}, bytes.view.begin(), bytes.view.end());
    certify(hash);
}

//! Of those who certify the head of the state, who may be others than those of the next block.
std::uint32_t Duties::quorum_for(const pipeline::State& state) const {
    const auto info = pipeline_.consensus().info(state);
    return info && info->head_quorum != 0 ? info->head_quorum : keeper_.info().quorum;
}

void Duties::certify(const Hash& block) {
    const auto it = collecting_.find(block);
    const auto state = keeper_.state_of(block);
    const auto* node = keeper_.tree().find(block);
    if (it == collecting_.end() || !state || node == nullptr || it->second.certifying ||
        !keeper_.certificate_of(block).empty()) {
        return;
    }
    std::vector<Bytes> approvals;
    for (const auto& [said, bytes] : it->second.approvals) {
        if (said.first == node->height) {
            approvals.push_back(bytes);
        }
    }
    if (approvals.size() < quorum_for(state)) {
        return;
    }
    it->second.certifying = true;
    struct Made {
        Bytes certificate;
        pipeline::State state;
        synod_weight weight{};
        std::optional<Error> error;
    };
    auto made = std::make_shared<Made>();
    pipeline_.on_consensus(
        [this, state, approvals, made] {
            auto& consensus = pipeline_.consensus();
            auto certificate = consensus.certify(state, approvals);
            auto forked = consensus.fork(state);
            if (!certificate || !forked) {
                made->error = certificate ? forked.error() : certificate.error().error;
                return;
            }
            CheckSet proven_one_by_one;
            if (auto done = consensus.accept_certificate(*forked, *certificate, proven_one_by_one); !done) {
                made->error = done.error().error;
                return;
            }
            auto weight = consensus.weigh(*forked);
            if (!weight) {
                made->error = weight.error();
                return;
            }
            made->certificate = std::move(*certificate);
            made->state = *forked;
            made->weight = *weight;
        },
        [this, block, made] {
            collecting_.erase(block);
            if (const auto at = arrived_.find(block); at != arrived_.end() && !made->error) {
                approvals_.add(listener_.now() - at->second);
                arrived_.erase(at);
            }
            if (made->error) {
                listener_.problem(*made->error);
            } else {
                keeper_.certified(block, std::move(made->certificate), made->state, made->weight);
            }
        });
}

void Duties::on_committed(std::uint64_t height) {
    std::erase_if(collecting_, [&](const auto& pair) { return pair.second.height <= height; });
    std::erase_if(arrived_, [&](const auto& pair) { return keeper_.tree().find(pair.first) == nullptr; });
}

}  // namespace synod::app
