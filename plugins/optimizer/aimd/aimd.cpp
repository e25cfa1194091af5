// SPDX-License-Identifier: Apache-2.0
//! Optimizer in the manner of TCP congestion control (Chiu and Jain 1989): additive increase while all is well,
//! multiplicative decrease under pressure. Keeps a few rounds of memory about steps that the host took back; takes no
//! time, randomness or threads, so that equal calls give equal proposals.
#include <synod/plugin.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace aimd {
namespace {

constexpr char kSchema[] = R"json({
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "level": {"type": "string", "default": "balanced", "enum": ["disabled", "conservative", "balanced", "aggressive"],
      "description": "How large the steps are and how soon a step that was taken back is tried again."},
    "max_error_rate": {"type": "number", "default": 0.02, "minimum": 0, "maximum": 1,
      "description": "Ratio of failed requests above which requests are cut back."}
  }
})json";

struct Level {
    int64_t rise_quarters; // additive step: this many quarters of a knob's largest change
    int64_t keep_eighths;  // multiplicative decrease: this many eighths are left
    uint32_t hold_rounds;  // proposals for which a knob rests after a step up was taken back
};
constexpr Level kConservative{1, 4, 8};
constexpr Level kBalanced{2, 5, 4};
constexpr Level kAggressive{4, 6, 2};

constexpr size_t kMaxKnobs = 32;      // knob ids that are remembered; more are left alone
constexpr uint32_t kAllLoad = 0xff;   // by knob id: what a pressure cuts back
constexpr uint32_t bit(uint32_t id) { return id < 32 ? 1u << id : 0; }
/// A longer checkpoint interval is less work, not more: no knob for this law.
constexpr uint32_t kMovable = kAllLoad & ~bit(SYNOD_KNOB_CHECKPOINT_INTERVAL) & ~1u;
constexpr uint32_t kNetwork =
    bit(SYNOD_KNOB_REQUESTS_PER_PEER) | bit(SYNOD_KNOB_PARALLEL_DOWNLOADS) | bit(SYNOD_KNOB_WINDOW_BYTES);
constexpr uint32_t kMemory = kMovable & ~bit(SYNOD_KNOB_WORKERS);

struct Settings {
    bool enabled = true;
    Level level = kBalanced;
    int64_t max_error_rate = 0;
};

Settings read(const synod::Value& config) {
    Settings out;
    const std::string level = config.get_string("level", "balanced");
    if (level == "disabled") {
        out.enabled = false;
    } else if (level == "conservative") {
        out.level = kConservative;
    } else if (level == "aggressive") {
        out.level = kAggressive;
    } else if (level != "balanced") {
        throw synod::Failure(SYNOD_E_CONFIG, "unknown level '" + level + "'",
                             "use disabled, conservative, balanced or aggressive", "level");
    }
    out.max_error_rate = config.get_q32("max_error_rate", synod::kQ32One / 50);
    return out;
}

/// Towards `wanted`, in whole steps from the present value, within bounds and largest change: nothing is left for the
/// host to clamp.
int64_t settle(const synod_knob& k, int64_t wanted) {
    const int64_t step = std::max<int64_t>(k.step, 1);
    const int64_t reach = k.max_delta > 0 ? k.max_delta : k.max - k.min;
    const int64_t low = k.value - k.min > reach ? k.value - reach : k.min;
    const int64_t high = k.max - k.value > reach ? k.value + reach : k.max;
    if (low > high || k.value < k.min || k.value > k.max) {
        return std::clamp(k.value, k.min, std::max(k.min, k.max));
    }
    return k.value + (std::clamp(wanted, low, high) - k.value) / step * step;
}

class Aimd : public synod::Optimizer {
public:
    explicit Aimd(const synod::Context& context) : Optimizer(context), settings_(read(context.config)) {}

    void propose(std::span<const int64_t> signals, std::span<const synod_knob> knobs,
                 std::span<int64_t> proposed) override {
        raised_ = 0;
        if (!settings_.enabled) {
            return; // `proposed` already holds the present values
        }
        if (const uint32_t pressed = pressure(signals); pressed != 0) {
            settled_ = true;
            lower(pressed, knobs, proposed);
        } else if (wants_more(signals)) {
            raise(knobs, proposed);
        }
        for (uint32_t& rounds : hold_) {
            rounds -= rounds > 0 ? 1 : 0;
        }
    }

    void feedback(int64_t /*cost_before*/, int64_t /*cost_after*/, bool kept) override {
        if (kept || raised_ == 0) {
            return;
        }
        settled_ = true;
        for (uint32_t id = 1; id < kMaxKnobs; ++id) {
            if ((raised_ & bit(id)) != 0) {
                hold_[id] = settings_.level.hold_rounds;
            }
        }
        raised_ = 0;
    }

    void reconfigure(const synod::Value& config) override { settings_ = read(config); }

private:
    static int64_t at(std::span<const int64_t> signals, size_t id) { return id < signals.size() ? signals[id] : 0; }

    /// Which knobs to cut back, by id. A target or limit of 0 means that there is none.
    uint32_t pressure(std::span<const int64_t> s) const {
        uint32_t out = 0;
        const int64_t latency = at(s, SYNOD_SIG_TARGET_LATENCY_US);
        const int64_t memory = at(s, SYNOD_SIG_MEMORY_LIMIT);
        if (latency > 0 && at(s, SYNOD_SIG_LATENCY_P99_US) > latency) {
            out |= kMovable;
        }
        if (memory > 0 && at(s, SYNOD_SIG_MEMORY_BYTES) > memory) {
            out |= kMemory;
        }
        if (at(s, SYNOD_SIG_ERROR_RATE) > settings_.max_error_rate) {
            out |= kNetwork;
        }
        return out;
    }
    static bool wants_more(std::span<const int64_t> s) {
        const int64_t target = at(s, SYNOD_SIG_TARGET_BPS);
        return target <= 0 || at(s, SYNOD_SIG_THROUGHPUT_BPS) < target;
    }

    void lower(uint32_t pressed, std::span<const synod_knob> knobs, std::span<int64_t> proposed) const {
        for (size_t i = 0; i < knobs.size(); ++i) {
            const synod_knob& k = knobs[i];
            if ((bit(k.id) & pressed) == 0 || k.value <= k.min) {
                continue;
            }
            // Divide first: a knob may hold bytes near the end of int64's range.
            const int64_t kept = k.value / 8 * settings_.level.keep_eighths +
                                 k.value % 8 * settings_.level.keep_eighths / 8;
            const int64_t at_least_one_step = k.value - std::max<int64_t>(k.step, 1);
            proposed[i] = settle(k, std::min(kept, at_least_one_step));
        }
    }

    /// Until the first setback all knobs rise together; then one a round, so that a setback names its knob.
    void raise(std::span<const synod_knob> knobs, std::span<int64_t> proposed) {
        const size_t n = knobs.size();
        for (size_t tried = 0; tried < n; ++tried) {
            const size_t i = (next_ + tried) % n;
            const synod_knob& k = knobs[i];
            if ((bit(k.id) & kMovable) == 0 || hold_[k.id] > 0) {
                continue;
            }
            const int64_t step = std::max<int64_t>(k.step, 1);
            const int64_t part = std::max<int64_t>(k.max_delta, 0) / 4 * settings_.level.rise_quarters;
            const int64_t up = settle(k, k.value <= k.max - std::max(part, step) ? k.value + std::max(part, step) : k.max);
            if (up <= k.value) {
                continue; // at its upper end
            }
            proposed[i] = up;
            raised_ |= bit(k.id);
            if (settled_) {
                next_ = (i + 1) % n;
                return;
            }
        }
    }

    Settings settings_;
    std::array<uint32_t, kMaxKnobs> hold_{}; // rounds that a knob still rests, by id
    uint32_t raised_ = 0;                    // what the last proposal raised, by id
    size_t next_ = 0;
    bool settled_ = false; // a setback was seen
};

} // namespace
} // namespace aimd

SYNOD_PLUGIN(aimd::Aimd, {.id = "synod.optimizer.aimd",
                          .name = "Additive increase, multiplicative decrease",
                          .version = "1.0.0",
                          .vendor = "Synod",
                          .license = "Apache-2.0",
                          .flags = SYNOD_F_DETERMINISTIC,
                          .config_schema = aimd::kSchema});
