// SPDX-License-Identifier: Apache-2.0
//! Scoring by a fixed weighted sum of six measured ratios. Integer arithmetic in Q32.32 throughout, so that equal
//! inputs give equal scores on every machine. Stateless between calls; smoothing is the host's, who measures.
#include <synod/plugin.hpp>

#include <algorithm>
#include <array>

namespace weighted {
namespace {

constexpr int64_t kOne = synod::kQ32One;
constexpr int64_t kWorstLatencyUs = 1'000'000;    // microseconds: at 1 s a peer's latency is worth nothing
constexpr int64_t kBestGoodputBps = 100'000'000;  // bytes a second: more than 100 MB/s earns no more

constexpr char kSchema[] = R"json({
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "latency": {"type": "number", "default": 0.30, "minimum": 0, "maximum": 1000,
      "description": "Weight of (1000 - min(ms, 1000)) / 1000."},
    "reliability": {"type": "number", "default": 0.25, "minimum": 0, "maximum": 1000,
      "description": "Weight of the ratio of requests answered well."},
    "bandwidth": {"type": "number", "default": 0.20, "minimum": 0, "maximum": 1000,
      "description": "Weight of min(MB/s, 100) / 100."},
    "federation": {"type": "number", "default": 0.10, "minimum": 0, "maximum": 1000,
      "description": "Weight of being an authority."},
    "history": {"type": "number", "default": 0.10, "minimum": 0, "maximum": 1000,
      "description": "Weight of the ratio of good replies since the peer was first met."},
    "reputation": {"type": "number", "default": 0.05, "minimum": 0, "maximum": 1000,
      "description": "Weight of 1 - misbehaviour / 100."},
    "need_emphasis": {"type": "number", "default": 0, "minimum": 0, "maximum": 10,
      "description": "Extra weight of what a need asks for: latency for headers, bandwidth for blocks, reliability for checkpoints."},
    "unknown_latency_ms": {"type": "integer", "default": 1000, "minimum": 0, "maximum": 1000,
      "description": "Latency assumed for a peer that was not measured yet, in milliseconds."}
  }
})json";

enum Term : size_t { Latency, Reliability, Bandwidth, Federation, History, Reputation, TermCount };
using Terms = std::array<int64_t, TermCount>;

constexpr std::array<const char*, TermCount> kNames = {"latency",    "reliability", "bandwidth",
                                                       "federation", "history",     "reputation"};
constexpr std::array<uint32_t, TermCount> kColumns = {SYNOD_COL_LATENCY_US,   SYNOD_COL_RELIABILITY,
                                                      SYNOD_COL_GOODPUT_BPS,  SYNOD_COL_IS_AUTHORITY,
                                                      SYNOD_COL_HISTORY,      SYNOD_COL_REPUTATION};

struct Settings {
    Terms weights{};
    int64_t emphasis = 0;
    int64_t unknown_latency_us = kWorstLatencyUs;
};

Settings read(const synod::Value& config) {
    constexpr std::array<double, TermCount> kDefaults = {0.30, 0.25, 0.20, 0.10, 0.10, 0.05};
    constexpr int64_t kMaxWeight = 1000 * kOne;
    Settings out;
    int64_t sum = 0;
    for (size_t t = 0; t < TermCount; ++t) {
        const auto fallback = static_cast<int64_t>(kDefaults[t] * 4294967296.0 + 0.5);
        out.weights[t] = config.get_q32(kNames[t], fallback);
        if (out.weights[t] < 0 || out.weights[t] > kMaxWeight) {
            throw synod::Failure(SYNOD_E_CONFIG, "a weight is outside 0 to 1000", "correct the weight", kNames[t]);
        }
        sum += out.weights[t];
    }
    if (sum == 0) {
        throw synod::Failure(SYNOD_E_CONFIG, "all weights are 0, so that every peer would score the same",
                             "give at least one weight a value above 0", "latency");
    }
    out.emphasis = std::clamp<int64_t>(config.get_q32("need_emphasis", 0), 0, 10 * kOne);
    out.unknown_latency_us = std::clamp<int64_t>(config.get_int("unknown_latency_ms", 1000), 0, 1000) * 1000;
    return out;
}

int64_t ratio(int64_t part, int64_t whole) { // part <= whole <= 1e8, so that the shift can't overflow
    return (part << 32) / whole;
}

class Weighted : public synod::Scoring {
public:
    explicit Weighted(const synod::Context& context) : Scoring(context), settings_(read(context.config)) {}

    std::span<const uint32_t> columns() const override { return kColumns; }

    void score(uint32_t need, const synod::Columns& columns, std::span<int64_t> scores) override {
        const Terms weights = weights_for(need);
        for (size_t row = 0; row < scores.size(); ++row) {
            scores[row] = total(weights, terms(columns, row));
        }
    }

    void explain(uint32_t need, const synod::Columns& columns, size_t row, synod::Sink& json) override {
        const Terms weights = weights_for(need);
        const Terms values = terms(columns, row);
        std::string text = "{";
        for (size_t t = 0; t < TermCount; ++t) {
            text += "\"" + std::string(kNames[t]) + "\":" + synod::q32_text(product(weights[t], values[t])) + ",";
        }
        json.write(text + "\"score\":" + synod::q32_text(total(weights, values)) + "}");
    }

    void reconfigure(const synod::Value& config) override { settings_ = read(config); }

private:
    Terms weights_for(uint32_t need) const {
        Terms w = settings_.weights;
        switch (need) {
        case SYNOD_NEED_HEADERS: w[Latency] += settings_.emphasis; break;
        case SYNOD_NEED_BLOCKS: w[Bandwidth] += settings_.emphasis; break;
        case SYNOD_NEED_CHECKPOINT: w[Reliability] += settings_.emphasis; break;
        default: break; // a need that came later is scored by the plain sum
        }
        return w;
    }
    /// Each term as a ratio 0..1; what the host measured outside that range is clamped.
    Terms terms(const synod::Columns& columns, size_t row) const {
        const auto share = [&](Term t) { return std::clamp<int64_t>(columns[t][row], 0, kOne); };
        const int64_t measured = columns[Latency][row];
        const int64_t latency = measured < 0 ? settings_.unknown_latency_us : std::min(measured, kWorstLatencyUs);
        const int64_t goodput = std::clamp<int64_t>(columns[Bandwidth][row], 0, kBestGoodputBps);
        return {ratio(kWorstLatencyUs - latency, kWorstLatencyUs), share(Reliability),
                ratio(goodput, kBestGoodputBps),                   columns[Federation][row] != 0 ? kOne : 0,
                share(History),                                    share(Reputation)};
    }
    static int64_t product(int64_t weight, int64_t value) {
        return static_cast<int64_t>((static_cast<__int128>(weight) * value) >> 32);
    }
    /// One rounding for the whole sum, so that the order of terms can't matter.
    static int64_t total(const Terms& weights, const Terms& values) {
        __int128 sum = 0;
        for (size_t t = 0; t < TermCount; ++t) {
            sum += static_cast<__int128>(weights[t]) * values[t];
        }
        return static_cast<int64_t>(sum >> 32);
    }

    Settings settings_;
};

} // namespace
} // namespace weighted

SYNOD_PLUGIN(weighted::Weighted, {.id = "synod.scoring.weighted",
                                  .name = "Weighted sum",
                                  .version = "1.0.0",
                                  .vendor = "Synod",
                                  .license = "Apache-2.0",
                                  .flags = SYNOD_F_DETERMINISTIC,
                                  .config_schema = weighted::kSchema});
