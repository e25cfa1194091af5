// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Base class of optimizers. propose() and feedback() run as [worker & active]; they never apply anything: the host
//! clamps, applies, measures and rolls back.
#include <synod/cpp/base.hpp>
#include <synod/optimizer.h>

namespace synod {

class Optimizer : public PluginBase {
public:
    static constexpr const char* kKind = SYNOD_KIND_OPTIMIZER;
    using PluginBase::PluginBase;

    /// `signals` is indexed by SYNOD_SIG_... and may be longer than this header knows; proposed[i] is for knobs[i] and
    /// holds its present value on entry.
    virtual void propose(std::span<const int64_t> signals, std::span<const synod_knob> knobs,
                         std::span<int64_t> proposed) = 0;
    /// How the last proposal turned out: cost before and after in Q32.32, and whether the host kept it.
    virtual void feedback(int64_t /*cost_before*/, int64_t /*cost_after*/, bool /*kept*/) {}

    const void* table(std::string_view id) const noexcept override { return id == kKind ? &kTable : nullptr; }

private:
    static synod_status propose_thunk(synod_instance* i, const int64_t* signals, uint64_t n_signals,
                                      const synod_knob* knobs, uint64_t n_knobs, int64_t* proposed,
                                      synod_error* error) noexcept {
        return guard(error, [&] {
            auto& me = self<Optimizer>(i);
            if ((n_signals > 0 && signals == nullptr) || (n_knobs > 0 && (knobs == nullptr || proposed == nullptr))) {
                throw Failure(SYNOD_E_INVALID, "signals, knobs or the place for proposals is missing");
            }
            for (size_t k = 0; k < n_knobs; ++k) {
                proposed[k] = knobs[k].value;
            }
            me.propose({signals, static_cast<size_t>(n_signals)}, {knobs, static_cast<size_t>(n_knobs)},
                       {proposed, static_cast<size_t>(n_knobs)});
        });
    }
    static synod_status feedback_thunk(synod_instance* i, int64_t before, int64_t after, uint32_t kept,
                                       synod_error* error) noexcept {
        return guard(error, [&] { self<Optimizer>(i).feedback(before, after, kept != 0); });
    }
    static const synod_optimizer_api kTable;
};

inline constexpr synod_optimizer_api Optimizer::kTable{sizeof(synod_optimizer_api), 0, &Optimizer::propose_thunk,
                                                       &Optimizer::feedback_thunk};

} // namespace synod
