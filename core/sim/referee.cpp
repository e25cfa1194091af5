// SPDX-License-Identifier: Apache-2.0
#include "core/sim/referee.hpp"

#include <algorithm>

namespace synod::sim {

namespace {

constexpr std::uint64_t kAuditBlocks = 4'096;
constexpr std::size_t kMostViolations = 64;  // more say nothing new

std::string short_hash(const Hash& hash) { return to_hex(hash.view()).substr(0, 16); }

}  // namespace

Result<std::unique_ptr<BlockCheck>> BlockCheck::make(const Foundation& foundation) {
    std::unique_ptr<BlockCheck> out(new BlockCheck());
    out->clock_ = std::make_unique<VirtualClock>(out->events_, foundation.begins);
    auto manifest = foundation.manifest;
    for (auto& use : manifest.plugins) {
        if (use.kind == "validation") {
            use.use = "reference";
            use.config = "{}";
            use.file = host::find_library(manifest, use.kind, use.use);
        }
    }
    std::erase_if(manifest.plugins, [](const host::PluginUse& use) {
        return use.kind != "consensus" && use.kind != "validation";
    });
    app::Surroundings around{*out->clock_, std::make_unique<VirtualLoop>(out->events_, *out->clock_),
                             std::make_unique<VirtualWorkers>(out->events_, Random(0)),
                             std::array<std::uint8_t, 32>{}, foundation.plugins};
    auto runtime = app::Runtime::start(manifest, std::move(around));
    if (!runtime) {
        return std::unexpected(runtime.error());
    }
    out->runtime_ = std::move(*runtime);
    if (auto taken = out->take_forged(foundation); !taken) {
        return std::unexpected(taken.error());
    }
    return out;
}

BlockCheck::~BlockCheck() {
    state_.reset();
    base_.reset();
}

//! The forged chain is verified once, up to what of it is final.
Result<void> BlockCheck::take_forged(const Foundation& foundation) {
    Result<void> outcome;
    runtime_->on_worker([&] {
        auto genesis = runtime_->consensus().genesis();
        if (!genesis) {
            outcome = std::unexpected(genesis.error());
            return;
        }
        state_ = genesis->state;
        for (const auto& block : foundation.blocks) {
            auto decoded = runtime_->consensus().decode(SYNOD_FORM_BLOCKS, block, 1);
            if (!decoded || decoded->views.empty()) {
                outcome = fail("sim.forged", "a forged block can't be read");
                return;
            }
            forged_.push_back(Hash::copy(decoded->views[0].hash));
        }
    });
    if (!outcome) {
        return outcome;
    }
    const auto& last = foundation.chain.back();
    forged_final_ = last.committed ? last.committed->height : 0;
    for (std::uint64_t height = 1; height <= forged_final_; ++height) {
        if (const auto wrong = next(SharedBytes(foundation.blocks[height]))) {
            return fail("sim.forged", *wrong, "height " + std::to_string(height));
        }
    }
    base_ = state_;
    return {};
}

void BlockCheck::begin() { state_ = base_; }

std::optional<std::string> BlockCheck::next(const SharedBytes& block) {
    std::optional<std::string> wrong;
    runtime_->on_worker([&] {
        auto& consensus = runtime_->consensus();
        auto decoded = consensus.decode(SYNOD_FORM_BLOCKS, block.view, 2);
        if (!decoded || decoded->views.size() != 1 || decoded->consumed != block.view.size()) {
            wrong = "it can't be read";
            return;
        }
        auto forked = consensus.fork(state_);
        if (!forked) {
            wrong = forked.error().text();
            return;
        }
        pipeline::CheckSet checks;
        synod_plan_options options{};
        options.size = sizeof options;
        options.level = SYNOD_LEVEL_FULL;
        options.max_slot = ~0ULL;
        if (auto planned = consensus.plan(*forked, block.view, decoded->views, options, checks); !planned) {
            wrong = planned.error().error.text();
            return;
        }
        if (auto proven = runtime_->prove(checks); !proven) {
            wrong = proven.error().text();
        } else if (const auto failed = checks.first_failure()) {
            wrong = "rule " + consensus.rule_name(failed->rule) + " does not hold";
        } else {
            state_ = *forked;
        }
    });
    return wrong;
}

Result<std::string> BlockCheck::call(const std::string& method, const std::string& params) {
    Result<std::string> out;
    runtime_->on_worker([&] { out = runtime_->consensus().call(pipeline::State{}, method, params); });
    return out;
}

void Referee::add(Host& host, bool honest) {
    const auto& plan = host.plan();
    hosts_[plan.id] = {plan.name, honest};
    keys_[plan.id] = plan.key->public_key();
    auto& identity = identities_[plan.key->public_key()];
    identity = {plan.name, honest && (identity.name.empty() || identity.honest)};
    if (final_.empty()) {
        for (std::uint64_t height = 0; height <= check_.forged_final(); ++height) {
            final_.push_back({check_.forged()[height], 0, "the forge"});
        }
    }
}

void Referee::violated(std::string rule, std::string host, std::string detail) {
    if (violations_.size() < kMostViolations) {
        violations_.push_back({events_.now(), std::move(rule), std::move(host), std::move(detail)});
    }
}

void Referee::signed_by(HostId host, const synod_sign_request& request) {
    if (request.purpose == SYNOD_SIGN_STALLED) {
        return;
    }
    const Bytes message(request.message, request.message + request.message_length);
    const auto [entry, fresh] = signed_.try_emplace({keys_.at(host), request.purpose, request.slot}, message);
    if (fresh) {
        return;
    }
    if (!hosts_.at(host).honest) {
        equivocations_ += entry->second != message ? 1 : 0;
    } else {
        violated("double_sign", hosts_.at(host).name,
                 "signed twice for slot " + std::to_string(request.slot) +
                     (request.purpose == SYNOD_SIGN_PROPOSE ? " as its author" : " to approve"));
    }
}

void Referee::compare(Host& host, std::uint64_t height, const Hash& hash, const SharedBytes& block) {
    const auto& name = host.plan().name;
    if (height < final_.size()) {
        auto& known = final_[height];
        const auto print = block.view.empty() ? known.bytes : fingerprint(block.view);
        known.bytes = known.bytes == 0 ? print : known.bytes;
        if (hopeless_) {
            return;
        }
        if (known.hash != hash) {
            violated("agreement", name,
                     "height " + std::to_string(height) + ": it holds " + short_hash(hash) + " to be final, " +
                         known.first + " " + short_hash(known.hash));
        } else if (known.bytes != print) {
            violated("invalid", name, "height " + std::to_string(height) + ": other bytes under the same hash");
        }
        return;
    }
    if (height > final_.size()) {
        violated("invalid", name, "final at height " + std::to_string(height) + ", but nothing is at " +
                                      std::to_string(final_.size()));
        return;
    }
    if (const auto wrong = hopeless_ ? std::nullopt : check_.next(block)) {
        violated("invalid", name, "height " + std::to_string(height) + ": " + *wrong);
    }
    final_.push_back({hash, fingerprint(block.view), name});
}

void Referee::committed(Host& host, std::uint64_t from, std::uint64_t to) {
    if (!hosts_.at(host.plan().id).honest || host.store() == nullptr) {
        return;
    }
    const auto count = static_cast<std::uint32_t>(to - from + 1);
    auto hashes = host.store()->hashes(from, count);
    if (!hashes || hashes->size() != count) {
        return;  // its disk can't be read now: the audit comes later
    }
    for (std::uint64_t height = from; height <= to; ++height) {
        auto block = host.store()->read_block(height);
        if (!block) {
            return;
        }
        compare(host, height, (*hashes)[height - from], *block);
    }
}

void Referee::charged(const Host& by, const PublicKey& identity, const std::string& reason) {
    const auto known = identities_.find(identity);
    if (hosts_.at(by.plan().id).honest && known != identities_.end() && known->second.honest) {
        violated("false_charge", by.plan().name, "it holds against " + known->second.name + ", who is honest: " + reason);
    }
}

void Referee::banned(const Host& by, const PublicKey& identity, const std::string& reason) {
    if (!hosts_.at(by.plan().id).honest) {
        return;
    }
    const auto known = identities_.find(identity);
    const auto name = known == identities_.end() ? "somebody of the crowd" : known->second.name;
    const bool honest = known == identities_.end() || known->second.honest;
    bans_.push_back({events_.now(), by.plan().name, name, reason, !honest});
    if (honest) {
        violated("false_ban", by.plan().name, "it banned " + name + ", who is honest: " + reason);
    }
}

void Referee::audit(Host& host) {
    auto* store = host.store();
    if (store == nullptr || !hosts_.at(host.plan().id).honest) {
        return;
    }
    const auto state = store->load();
    if (!state) {
        violated("corrupt", host.plan().name, state.error().text());
        return;
    }
    for (std::uint64_t from = 0; from < state->packed_count; from += kAuditBlocks) {
        const auto count = std::min(kAuditBlocks, state->packed_count - from);
        auto hashes = store->hashes(from, static_cast<std::uint32_t>(count));
        if (!hashes) {
            violated("corrupt", host.plan().name, hashes.error().text());
            return;
        }
        for (std::uint64_t i = 0; i < hashes->size(); ++i) {
            auto block = store->read_block(from + i);
            if (!block) {
                violated("corrupt", host.plan().name, block.error().text());
                return;
            }
            compare(host, from + i, (*hashes)[i], *block);
        }
    }
    // What lost, and what won, goes from the side table with the commit that settles its height: else it grows for ever.
    const auto beside = store->fork_blocks();
    const auto settled = [&](const auto& block) { return block.height < state->packed_count; };
    if (beside && std::ranges::any_of(*beside, settled)) {
        violated("leftover", host.plan().name, "its store keeps blocks beside a chain that is final there");
    }
    auto checked = store->check();
    if (!checked || !checked->sound()) {
        violated("corrupt", host.plan().name, checked ? checked->faults.front() : checked.error().text());
    }
}

}  // namespace synod::sim
