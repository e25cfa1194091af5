// SPDX-License-Identifier: Apache-2.0
//! Which checkpoint serves when a state is needed: the newest that can be read, whose content root
//! holds and that agrees with our chain. Every one that doesn't serve is named with its reason.

#include <algorithm>

#include "core/app/checkpoint/impl.hpp"

namespace synod::app {

namespace {

//! Reasons that the error of a failed recovery holds.
constexpr std::size_t kReasonsShown = 10;

Error none_usable(const std::vector<std::string>& skipped) {
    std::string why;
    for (std::size_t i = 0; i < skipped.size() && i < kReasonsShown; ++i) {
        why += (i == 0 ? ": " : "; ") + skipped[i];
    }
    if (skipped.size() > kReasonsShown) {
        why += "; and " + std::to_string(skipped.size() - kReasonsShown) + " more";
    }
    return {"checkpoint.none_usable",
            skipped.empty() ? "there is no checkpoint" : "no checkpoint can be used" + why,
            {},
            "go on from the last final block, or sync anew"};
}

}  // namespace

void Checkpointer::Impl::try_next(const std::shared_ptr<Recovery>& recovery) {
    auto& r = *recovery;
    for (; r.next < r.order.size() && !r.order[r.next].skipped.empty(); ++r.next) {
        r.skipped.push_back(r.order[r.next].entry.file + " " + r.order[r.next].skipped);
    }
    if (r.next == r.order.size()) {
        r.done(std::unexpected(none_usable(r.skipped)));
        return;
    }
    auto tried = std::make_shared<Job>();
    const auto& entry = r.order[r.next++].entry;
    tried->info.file = entry.file;
    tried->level = checkpoint::Level::kFull;
    tried->keep_state = true;
    const auto finish = [this, recovery, tried](const Result<void>& outcome) {
        if (outcome) {
            remember(tried->info);
            recovery->done(Recovered{tried->info, std::move(tried->checked.state),
                                     tried->checked.weight, std::move(recovery->skipped)});
            return;
        }
        const auto& error = outcome.error();
        const auto known_as = std::ranges::find(known, tried->info.file, &CheckpointInfo::file);
        if (known_as != known.end()) {
            mark_damaged(*known_as, error);
        }
        recovery->skipped.push_back(tried->info.file + " " + error.code + ": " + error.message);
        try_next(recovery);
    };
    on_format([this, tried, finish] {
        auto good = read(*tried, folder.path_of(tried->info.file));
        if (good) {
            check(tried, finish);
        } else {
            on_control([finish, good] { finish(good); });
        }
    });
}

void Checkpointer::recover(RecoveryRequest request, Done<Recovered> done) {
    impl_->when_scanned(
        [impl = impl_.get(), request, done] {
            checkpoint::RecoveryLimits limits;
            limits.genesis = impl->config.genesis;
            limits.named = request.named;
            limits.max_height = request.max_height;
            limits.max_age_ms = request.max_age_ms;
            limits.now = impl->parts.clock.unix_ms();
            auto recovery = std::make_shared<Impl::Recovery>();
            recovery->order = checkpoint::recovery_order(impl->entries(), limits);
            recovery->done = done;
            impl->try_next(recovery);
        },
        [done](Error e) { done(std::unexpected(std::move(e))); });
}

}  // namespace synod::app
