// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Base class of validation backends. validate() runs as [worker & active], sha256d(), cancel() and isa() from any
//! thread at once. A backend decides how a check is proven, never what must hold.
#include <synod/cpp/base.hpp>
#include <synod/validation.h>

namespace synod {

class Validation : public PluginBase {
public:
    static constexpr const char* kKind = SYNOD_KIND_VALIDATION;
    using PluginBase::PluginBase;

    /// Returns SYNOD_OK when every verdict is written, or SYNOD_PENDING and later host().complete(ticket, status).
    virtual synod_status validate(const synod_check_batch& batch) = 0;
    virtual void cancel(uint64_t /*ticket*/) {} ///< [shared] best effort
    /// [shared & active] double SHA-256 of each span, 32 bytes each into `out`. Must not throw.
    virtual void sha256d(std::span<const synod_bytes> spans, uint8_t* out) noexcept {
        for (size_t i = 0; i < spans.size(); ++i) {
            const Digest32 d = synod::sha256d(view(spans[i]));
            std::memcpy(out + 32 * i, d.data(), d.size());
        }
    }
    /// [shared] the instruction set in use; the text must live as long as the instance.
    virtual std::string_view isa() const noexcept { return "portable"; }
    virtual uint32_t max_inflight() const noexcept { return 0; }      ///< read once after construction
    virtual uint64_t preferred_batch() const noexcept { return 256; } ///< checks; read once after construction

    void prepare() override {
        table_ = {sizeof(synod_validation_api), max_inflight(), preferred_batch(), &validate_thunk,
                  &cancel_thunk,                &sha256d_thunk, &isa_thunk};
    }
    const void* table(std::string_view id) const noexcept override { return id == kKind ? &table_ : nullptr; }

private:
    static synod_status validate_thunk(synod_instance* i, const synod_check_batch* batch, synod_error* error) noexcept {
        return guard(error, [&] {
            if (batch == nullptr) {
                throw Failure(SYNOD_E_INVALID, "NULL batch");
            }
            return self<Validation>(i).validate(*batch);
        });
    }
    static synod_status cancel_thunk(synod_instance* i, uint64_t ticket) noexcept {
        return guard(nullptr, [&] { self<Validation>(i).cancel(ticket); });
    }
    static void sha256d_thunk(synod_instance* i, const synod_bytes* spans, uint64_t n, uint8_t* out) noexcept {
        if (i != nullptr && spans != nullptr && out != nullptr) {
            self<Validation>(i).sha256d({spans, static_cast<size_t>(n)}, out);
        }
    }
    static synod_str isa_thunk(synod_instance* i) noexcept {
        return i == nullptr ? synod_str{nullptr, 0} : to_str(self<Validation>(i).isa());
    }
    synod_validation_api table_{};
};

} // namespace synod
