// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Base class of scoring plugins. Owned by the host through its handle; score() and explain() run as [worker & active],
//! never two at once for one instance.
#include <synod/cpp/base.hpp>
#include <synod/scoring.h>

namespace synod {

/// The columns that the plugin asked for, in its order. Borrowed until the call returns.
class Columns {
public:
    Columns(const int64_t* const* cols, size_t n_columns, size_t n_rows)
        : cols_(cols), n_columns_(n_columns), n_rows_(n_rows) {}
    size_t rows() const noexcept { return n_rows_; }
    size_t size() const noexcept { return n_columns_; }
    std::span<const int64_t> operator[](size_t column) const noexcept { return {cols_[column], n_rows_}; }

private:
    const int64_t* const* cols_;
    size_t n_columns_, n_rows_;
};

class Scoring : public PluginBase {
public:
    static constexpr const char* kKind = SYNOD_KIND_SCORING;
    using PluginBase::PluginBase;

    /// SYNOD_COL_... ids; read once after construction, must stay valid and equal for the instance's life.
    virtual std::span<const uint32_t> columns() const = 0;
    /// One Q32.32 score a row, higher is better. `need` is SYNOD_NEED_....
    virtual void score(uint32_t need, const Columns& columns, std::span<int64_t> scores) = 0;
    /// Writes one JSON object of numbers: the terms behind a row's score.
    virtual void explain(uint32_t /*need*/, const Columns& /*columns*/, size_t /*row*/, Sink& /*json*/) {
        unsupported("explain");
    }

    void prepare() override {
        const auto wanted = columns();
        table_ = {sizeof(synod_scoring_api), 0, wanted.data(), wanted.size(), &score_thunk, &explain_thunk};
    }
    const void* table(std::string_view id) const noexcept override { return id == kKind ? &table_ : nullptr; }

private:
    static synod_status score_thunk(synod_instance* i, uint32_t need, const int64_t* const* cols, uint64_t n_rows,
                                    int64_t* out, synod_error* error) noexcept {
        return guard(error, [&] {
            auto& me = self<Scoring>(i);
            me.check(cols, out != nullptr || n_rows == 0);
            const auto rows = static_cast<size_t>(n_rows);
            me.score(need, Columns(cols, me.table_.n_columns, rows), {out, rows});
        });
    }
    static synod_status explain_thunk(synod_instance* i, uint32_t need, const int64_t* const* cols, uint64_t row,
                                      const synod_sink* json, synod_error* error) noexcept {
        return guard(error, [&] {
            auto& me = self<Scoring>(i);
            me.check(cols, true);
            Sink sink(json);
            const auto at = static_cast<size_t>(row);
            me.explain(need, Columns(cols, me.table_.n_columns, at + 1), at, sink);
        });
    }
    void check(const int64_t* const* cols, bool out_given) const {
        if ((cols == nullptr && table_.n_columns > 0) || !out_given) {
            throw Failure(SYNOD_E_INVALID, "columns or scores are missing");
        }
    }
    synod_scoring_api table_{};
};

} // namespace synod
