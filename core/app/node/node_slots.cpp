// SPDX-License-Identifier: Apache-2.0
//! Node at every slot: whose slots passed, what the gate is told, what an authority then does.
#include "core/app/node/node.hpp"

#include <algorithm>
#include <utility>

#include "core/app/node/slots.hpp"
#include "core/base/codec.hpp"
#include "core/base/planted.hpp"

namespace synod::app {

std::uint64_t Node::slot_now() const {
    return slot_at(keeper_->info(), clock_.unix_ms());
}

//! Counts whose slots passed. While it catches up a node has not seen them.
void Node::attend(const chain::Pointer& head, std::uint64_t slot) {
    auto slots = attendance_.settle(slot);
    if (slots.empty() || !at_tip()) {
        return;
    }
    struct Author {
        std::uint64_t slot;  // 0: it is only known to be one
        std::uint32_t index = 0;
        PublicKey key;
    };
    auto authors = std::make_shared<std::vector<Author>>();
    pipeline_.on_consensus(
        [this, state = keeper_->head_state(), slot, set = keeper_->info().authorities,
         slots = std::move(slots), authors] {
            for (const auto s : slots) {
                Author author{s, 0, {}};
                if (auto index = pipeline_.consensus().author_of(state, s, &author.key)) {
                    author.index = *index;
                    authors->push_back(author);
                }
            }
            // Everybody has a turn within so many slots: whoever never had a block is shown too.
            for (auto s = slot + 1; s <= slot + set; ++s) {
                Author author{0, 0, {}};
                if (auto index = pipeline_.consensus().author_of(state, s, &author.key)) {
                    author.index = *index;
                    authors->push_back(author);
                }
            }
        },
        [this, authors, head, slot] {
            for (const auto& a : *authors) {
                if (a.slot == 0) {
                    attendance_.know(a.index, a.key);
                } else {
                    attendance_.count(a.slot, a.index, a.key, a.slot == slot ? head.height : 0);
                }
            }
        });
}

void Node::watch_mining() {
    mining_->settle();
    const auto stage = mining_->moved_stage();
    if (!stage) {
        return;
    }
    const auto now = mining_->status();
    const auto text = std::to_string(now.blocks_without_pow) + " of " +
                      std::to_string(now.max_blocks_without_pow) + " blocks without proof of work";
    const bool well = *stage == health::PowStage::fine || *stage == health::PowStage::off;
    log_(well ? "info" : *stage == health::PowStage::warning ? "warning" : "error",
         "mining " + std::string(health::name(*stage)) + ": " + text);
    if (!well) {
        publish(bus::Topic::kAlert,
                synod::Writer().text("mining_" + std::string(health::name(*stage))).text(text).take());
    }
}

//! What hangs on who the authorities are, once that changed.
void Node::follow_governance() {
    governance_->settle();
    const auto& info = keeper_->info();
    if (std::exchange(authority_set_, info.authority_set) == info.authority_set) {
        return;
    }
    log_("info", "authorities: " + std::to_string(info.authorities) + ", quorum " + std::to_string(info.quorum) +
                     ", slots of " + std::to_string(info.slot_ms) + " ms (change " +
                     std::to_string(info.authority_set) + ")");
    sync::Tune tune;
    tune.slot = std::chrono::milliseconds(info.slot_ms);
    driver_->feed(tune);
    grade_peers();
}

void Node::slot(std::uint64_t now_slot) {
    const auto now = clock_.mono();
    follow_governance();
    watch_health(now);
    watch_mining();
    sync::GateInputs in;
    in.network_health = monitor_.current().score;
    in.authorities_seen = authorities_seen(now);
    in.quorum = keeper_->info().quorum;
    in.governance_healthy = governance_->status().healthy;
    in.emergency = emergency_.active();
    in.halted = keeper_->info().halted != 0 && governance_->events().empty();
    in.blocks_since_pow = mining_->blocks_without_proof();
    in.max_blocks_without_pow = keeper_->info().max_blocks_without_pow;
    std::vector<std::int64_t> offsets;
    for (const auto& [id, link] : links_.peers) {
        if (link.clock_known) {
            offsets.push_back(link.clock_offset_ms);
        }
    }
    std::ranges::sort(offsets);
    in.clock_samples = static_cast<std::uint32_t>(offsets.size());
    // The others of a quorum are enough: of four authorities one may be away.
    in.clock_samples_wanted =
        std::min<std::uint32_t>(sync::kClockSamples, std::max<std::uint32_t>(1, keeper_->info().quorum - 1));
    in.clock_offset_ms = offsets.empty() ? 0 : offsets[offsets.size() / 2];
    in.last_commit_durable = keeper_->durable();
    in.disk_free_bytes = machine_.disk_free(config_.data_dir);
    in.last_signed_slot = duties_->last_signed_slot();
    in.unverified_blocks = unverified();
    in.stall_statements = SYNOD_PLANTED("no_escape") ? 0 : duties_->stall_statements();
    in.holds_quorum_alone = duties_->authority() && keeper_->info().quorum == 1;
    driver_->feed(in);
    driver_->feed(sync::SlotTick{now_slot});
    if (at_tip()) {
        keeper_->know_head_parent();
    }
    gate_open_ = driver_->machine().gate().open;
    if (!proves_nothing_) {
        duties_->on_slot(now_slot, gate_open_);
    }
}

void Node::if_new_slot() {
    if (const auto s = slot_now(); s != last_slot_) {
        last_slot_ = s;
        slot(s);
        wake_at_slot();
    }
}

//! A tick alone would notice a slot up to kTick after it began.
void Node::wake_at_slot() {
    const auto& info = keeper_->info();
    if (info.slot_ms != 0) {
        const auto now = clock_.unix_ms();
        const auto next = begin_of(info, slot_at(info, now) + 1);
        loop_.post_after(std::chrono::milliseconds(next > now ? next - now : 1),
                         [this] { if_new_slot(); });
    }
}

}  // namespace synod::app
