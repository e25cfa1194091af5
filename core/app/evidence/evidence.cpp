// SPDX-License-Identifier: Apache-2.0
#include "core/app/evidence/evidence.hpp"

#include <algorithm>

#include "core/app/node/gossip_digest.hpp"

namespace synod::app {

using pipeline::CheckSet;

namespace {

//! The set may change, so who sends this may be right by a state that isn't ours.
bool of_the_moment(const std::string& rule) { return rule == "evidence-author"; }

}  // namespace

Evidence::Evidence(ChainKeeper& keeper, pipeline::Pipeline& pipeline, Links& links, Listener listener)
    : keeper_(keeper), pipeline_(pipeline), links_(links), listener_(std::move(listener)) {}

void Evidence::restore() {
    auto records = keeper_.store().list_records(kEvidenceSpace, kMaxEvidence);
    if (!records) {
        listener_.problem(records.error());
    } else if (auto read = book_.restore(*records); !read) {
        listener_.problem(read.error());
    }
}

void Evidence::on_proven(const pipeline::ChainSegment& segment) {
    const auto now = listener_.now_slot();
    for (const auto& block : segment.blocks) {
        const auto& view = block.view;
        if (view.slot + kWatchedSlots < now) {
            continue;
        }
        const auto hash = Hash::copy(view.hash);
        note({view.slot, SYNOD_SIGN_PROPOSE, view.author, hash}, block.bytes.view, {});
        for (const auto& early : early_) {
            if (early.block == hash) {
                note({view.slot, SYNOD_SIGN_APPROVE, early.what.author, hash}, block.bytes.view, early.bytes.view);
            }
        }
        std::erase_if(early_, [&](const Early& early) { return early.block == hash; });
    }
}

void Evidence::on_approval(const synod_attestation& what, const SharedBytes& bytes) {
    const auto hash = Hash::copy(what.hash);
    if (const auto* block = keeper_.tree().find(hash); block != nullptr) {
        // The slot isn't signed: the block's own counts.
        note({block->slot, SYNOD_SIGN_APPROVE, what.author, hash}, block->bytes.view, bytes.view);
        return;
    }
    if (early_.size() >= kMaxEarlyApprovals) {
        early_.pop_front();
    }
    early_.push_back({hash, what, bytes});
}

void Evidence::note(const Said& said, ByteView block, ByteView attestation) {
    if (unable_ || testimonies_.knows(said)) {
        return;
    }
    const auto& consensus = pipeline_.consensus();
    auto testimony = consensus.testify(block, attestation);
    if (!testimony) {
        unable_ = testimony.error().error.code == "plugin.unsupported";
        if (!unable_) {
            listener_.problem(testimony.error().error);
        }
        return;
    }
    const auto earlier = testimonies_.note(said, *testimony);
    const auto state = keeper_.head_state();
    if (!earlier || !state) {
        return;
    }
    auto evidence = consensus.accuse(state, *earlier, *testimony);
    if (!evidence) {
        listener_.problem(evidence.error().error);
        return;
    }
    SharedBytes bytes(std::move(*evidence));
    if (first_time(bytes)) {
        judge(0, std::move(bytes));
    }
}

bool Evidence::first_time(const SharedBytes& bytes) {
    if (in_work_ >= kMaxEvidenceInWork) {
        return false;
    }
    return seen_.first_time(bytes.view);
}

void Evidence::on_gossip(std::uint64_t peer, const SharedBytes& bytes) {
    if (keeper_.head_state() && first_time(bytes)) {
        judge(peer, bytes);
    }
}

//! Our own find goes the same way: nobody is accused of what wasn't proven here.
void Evidence::judge(std::uint64_t peer, SharedBytes bytes) {
    struct Judged {
        std::shared_ptr<CheckSet> checks = std::make_shared<CheckSet>();
        synod_evidence what{};
        std::optional<pipeline::Failure> failure;
    };
    auto judged = std::make_shared<Judged>();
    ++in_work_;
    const auto blame = [this, peer, bytes](const std::string& rule, const std::string& detail) {
        if (of_the_moment(rule)) {
            seen_.forget(bytes.view);
        } else if (peer != 0) {
            listener_.misbehaved(peer, {rule, 0, {}, detail, false});
        } else {
            listener_.problem({"evidence.unproven", rule + ": " + detail, "evidence", {}});
        }
    };
    pipeline_.on_consensus(
        [this, state = keeper_.head_state(), bytes, judged] {
            auto what = pipeline_.consensus().check_evidence(state, bytes.view, *judged->checks);
            if (what) {
                judged->what = *what;
            } else {
                judged->failure = what.error();
            }
        },
        [this, peer, bytes, judged, blame] {
            if (judged->failure) {
                --in_work_;
                const auto& refusal = judged->failure->refusal;
                if (refusal) {
                    blame(refusal->name, refusal->detail);
                } else if (judged->failure->error.code != "plugin.unsupported") {
                    listener_.problem(judged->failure->error);
                }
                return;
            }
            pipeline_.prove(judged->checks, [this, peer, bytes, judged, blame](auto answer) {
                --in_work_;
                if (!answer) {
                    listener_.problem(answer.error());
                } else if (*answer) {
                    blame(pipeline_.consensus().rule_name((*answer)->rule), "a signature does not hold");
                } else {
                    accept(judged->what, bytes, peer);
                }
            });
        });
}

void Evidence::accept(const synod_evidence& what, const SharedBytes& bytes, std::uint64_t from) {
    ProvenEvidence evidence{gossip_digest(bytes.view), PublicKey::copy(what.key), what.purpose, what.slot,
                            Hash::copy(what.first), Hash::copy(what.second), what.first_height,
                            what.second_height, listener_.unix_now(), {bytes.view.begin(), bytes.view.end()}};
    auto record = book_.add(evidence);
    if (!record) {
        return;
    }
    listener_.keep(std::move(*record));
    links_.broadcast(net::Gossip{kGossipEvidence, bytes}, from);
    listener_.proven(evidence);
}

void Evidence::greet(std::uint64_t peer) const {
    for (const auto& bytes : book_.one_of_each()) {
        links_.send(peer, net::Gossip{kGossipEvidence, SharedBytes(bytes)});
    }
}

}  // namespace synod::app
