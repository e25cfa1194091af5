// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/tuner.hpp"

#include <synod/optimizer.h>

#include <algorithm>
#include <thread>

#include "core/app/node/usage.hpp"
#include "core/base/q32.hpp"
#include "core/host/guard.hpp"

namespace synod::app {

namespace {

constexpr double kMaxCost = 1e6;  // past it a cost says no more
constexpr const char* kPropose = "optimizer.propose";

std::int64_t q32(double cost) {
    return static_cast<std::int64_t>(std::clamp(cost, 0.0, kMaxCost) * kQ32);
}

std::string knob_name(std::uint32_t id) {
    switch (id) {
        case SYNOD_KNOB_BATCH_BLOCKS: return "batch_blocks";
        case SYNOD_KNOB_REQUESTS_PER_PEER: return "requests_per_peer";
        case SYNOD_KNOB_PARALLEL_DOWNLOADS: return "parallel_downloads";
        case SYNOD_KNOB_WINDOW_BYTES: return "window_bytes";
        default: return "knob_" + std::to_string(id);
    }
}

Duration share(std::vector<Duration>& sorted, double which) {
    if (sorted.empty()) {
        return {};
    }
    const auto at = static_cast<std::size_t>(static_cast<double>(sorted.size() - 1) * which);
    return sorted[at];
}

bool fetching(const sync::Snapshot& snapshot) {
    return snapshot.state == sync::State::downloading_blocks ||
           snapshot.state == sync::State::catching_up;
}

}  // namespace

struct Tuner::Shared {
    explicit Shared(sync::Tuning t) : tuning(std::move(t)) {}
    sync::Tuning tuning;
    bool open = false;  // a question is
    double cost = 0;    // when it was asked
    Apply apply;
    std::function<void(const std::string&)> log;
    Isolated isolated;
    std::string alias;           // of the plugin
    std::uint32_t failures = 0;  // in a row
    TunerStatus status;

    void take(const Result<std::vector<std::int64_t>>& proposed) {
        open = false;
        if (!proposed) {
            status.problem = proposed.error().text();
            if (++failures == kFailuresToIsolate && apply) {
                isolated({alias, kPropose, status.problem});
            }
            return;
        }
        failures = 0;
        status.problem.clear();
        if (!apply) {
            return;
        }
        const auto before = tuning.knobs();
        const auto tune = tuning.propose(*proposed, cost);
        if (!tune) {
            return;
        }
        ++status.proposals;
        std::string text;
        for (std::size_t i = 0; i < before.size(); ++i) {
            const auto now = tuning.knobs()[i].value;
            if (now != before[i].value) {
                text += (text.empty() ? "" : ", ") + knob_name(before[i].id) + " " +
                        std::to_string(before[i].value) + " -> " + std::to_string(now);
            }
        }
        status.last = "trying " + text;
        log(status.last);
        apply(*tune);
    }
};

Tuner::Tuner(host::Instance* optimizer, sync::Tuning tuning, OnStrand on_strand, Deliver deliver,
             Apply apply, std::function<void(const std::string&)> log, Isolated isolated,
             const Machine& machine)
    : optimizer_(optimizer),
      machine_(machine),
      on_strand_(std::move(on_strand)),
      deliver_(std::move(deliver)),
      shared_(std::make_shared<Shared>(std::move(tuning))) {
    shared_->apply = std::move(apply);
    shared_->log = std::move(log);
    shared_->isolated = std::move(isolated);
    shared_->alias = optimizer == nullptr ? std::string() : optimizer->alias();
}

Tuner::~Tuner() { shared_->apply = {}; }

bool Tuner::due(Instant now) const {
    return optimizer_ != nullptr && shared_->failures < kFailuresToIsolate && shared_->tuning.enabled() &&
           !shared_->open &&
           now - last_ >= kTuneEvery;
}

sync::Measured Tuner::measure(const sync::Snapshot& snapshot, const Flow& flow, Instant now) {
    const auto span = to_seconds(now - last_);
    sync::Measured out;
    out.blocks_per_s = static_cast<double>(snapshot.head.height - last_height_) / span;
    auto latencies = flow.latencies;
    std::ranges::sort(latencies);
    out.latency_p50 = share(latencies, .5);
    out.latency_p99 = share(latencies, .99);
    out.queue_depth = snapshot.processing;
    for (const auto& knob : shared_->tuning.knobs()) {
        if (knob.id == SYNOD_KNOB_WINDOW_BYTES && knob.value > 0) {
            out.window_use = static_cast<double>(snapshot.window_bytes) / static_cast<double>(knob.value);
        }
    }
    for (const auto& load : snapshot.peer_loads) {
        out.goodput_bps += load.goodput / static_cast<double>(snapshot.peer_loads.size());
    }
    if (const auto ended = flow.answered + flow.failed; ended > 0) {
        out.error_rate = static_cast<double>(flow.failed) / static_cast<double>(ended);
    }
    const auto cpu = machine_.cpu_time();
    out.cpu = to_seconds(cpu - last_cpu_) / span / machine_.cores;
    out.memory_bytes = machine_.memory_used();
    return out;
}

void Tuner::tick(const sync::Snapshot& snapshot, const std::function<Flow()>& flow, Instant now) {
    if (!due(now)) {
        return;
    }
    // An interval counts only when it ends as it began, fetching: costs of bulk and of the last few
    // blocks can't be compared.
    const bool usable = began_in_ == snapshot.state && snapshot.head.height >= last_height_;
    const auto taken = flow();
    const auto measured = usable ? measure(snapshot, taken, now) : sync::Measured{};
    last_ = now;
    last_height_ = snapshot.head.height;
    last_cpu_ = machine_.cpu_time();
    began_in_ = fetching(snapshot) ? std::optional(snapshot.state) : std::nullopt;
    if (!usable) {
        shared_->tuning.abandon();
        return;
    }
    const bool bulk = snapshot.state == sync::State::downloading_blocks;
    if (shared_->tuning.trial_open()) {
        judge(shared_->tuning.cost(measured, bulk));
    } else {
        shared_->cost = shared_->tuning.cost(measured, bulk);
        ask(measured, bulk);
    }
}

void Tuner::ask(const sync::Measured& measured, bool bulk) {
    const auto signals = shared_->tuning.signals(measured, bulk);
    shared_->open = true;
    on_strand_([optimizer = optimizer_, shared = shared_, deliver = deliver_, signals,
                knobs = shared_->tuning.knobs()] {
        std::vector<std::int64_t> proposed;
        for (const auto& knob : knobs) {
            proposed.push_back(knob.value);
        }
        auto done = host::call<&synod_optimizer_api::propose>(
            *optimizer, kPropose, signals.data(), std::uint64_t{signals.size()}, knobs.data(),
            std::uint64_t{knobs.size()}, proposed.data());
        Result<std::vector<std::int64_t>> answer = std::move(proposed);
        if (!done) {
            answer = std::unexpected(done.error());
        }
        deliver([shared, answer = std::move(answer)] { shared->take(answer); });
    });
}

void Tuner::judge(double cost_now) {
    const auto trial = shared_->tuning.judge(cost_now);
    auto& status = shared_->status;
    ++(trial.kept ? status.kept : status.reverted);
    char text[96];
    std::snprintf(text, sizeof text, "%s: cost %.3f before, %.3f after", trial.kept ? "kept" : "taken back",
                  trial.cost_before, trial.cost_after);
    status.last = text;
    shared_->log(status.last);
    if (trial.back) {
        shared_->apply(*trial.back);
    }
    on_strand_([optimizer = optimizer_, trial, shared = shared_, deliver = deliver_] {
        const auto told = host::call<&synod_optimizer_api::feedback>(
            *optimizer, "optimizer.feedback", q32(trial.cost_before), q32(trial.cost_after),
            std::uint32_t{trial.kept});
        if (!told && told.error().code != "plugin.unsupported") {  // it may have no use for it
            deliver([shared, problem = told.error().text()] { shared->status.problem = problem; });
        }
    });
}

TunerStatus Tuner::status() const {
    auto out = shared_->status;
    for (const auto& knob : shared_->tuning.knobs()) {
        out.settings.emplace_back(knob_name(knob.id), knob.value);
    }
    return out;
}

}  // namespace synod::app
