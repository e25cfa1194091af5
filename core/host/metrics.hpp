// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Figures that something counts or measures, and the page that shows them as Prometheus text
//! exposition 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). Owned by the app.
//! Adding and setting are lock-free and never fail; names and labels are bounded, so that the page is.
//! What is a snapshot anyway (the node's status, the fence's counts) needs no Metric: it is written
//! onto the page when somebody asks for it.

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/host/services.hpp"

namespace synod::host {

class Registry;

inline constexpr std::size_t kMaxMetrics = 1'024;       // a process, each set of labels counting
inline constexpr std::size_t kMaxPluginMetrics = 64;    // of one instance
inline constexpr std::size_t kMaxMetricNameBytes = 96;
inline constexpr std::size_t kMaxMetricHelpBytes = 256;
inline constexpr std::size_t kMaxMetricLabels = 4;      // of one metric
inline constexpr std::size_t kMaxMetricLabelBytes = 64; // a label's name or value
//! A histogram's bounds are the powers of four 1, 4, 16, ... and infinity.
inline constexpr std::size_t kMetricBuckets = 16;

using Labels = std::vector<std::pair<std::string, std::string>>;

//! Text under construction. One thread; throws nothing but bad_alloc.
class MetricPage {
  public:
    //! Begins a family; its samples follow. `type`: SYNOD_METRIC_*.
    MetricPage& family(std::string_view name, std::uint32_t type, std::string_view help);
    //! A value of the family begun last, which has one for each set of labels.
    MetricPage& sample(std::int64_t value, const Labels& labels = {});
    MetricPage& sample(double value, const Labels& labels = {});
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    friend class Metrics;
    void line(std::string_view suffix, std::string_view labels, std::string_view value);
    std::string name_, text_;
};

//! `synod_<subsystem>_<what>_<unit>`: lower-case letters and digits in at least three parts. A
//! counter ends with `_total`; a `unit` that isn't empty stands at the end (before `_total`).
//! Errors: metrics.bad_name, metrics.bad_unit.
Result<void> check_metric_name(std::string_view name, std::uint32_t type, std::string_view unit);

class Metrics final : public MetricPort {
  public:
    Metrics() = default;
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    //! Any thread. The same name with the same labels is the same metric. Errors: those of
    //! check_metric_name, metrics.bad_label, metrics.type (it exists as another), metrics.too_many.
    Result<std::uint64_t> make(std::string_view name, std::uint32_t type, std::string_view unit,
                               std::string_view help, const Labels& labels);

    //! For plugins: the instance's alias becomes the label `plugin`. 0, and a line in the log, when
    //! refused: as above, a name of the core's own subsystems, or above kMaxPluginMetrics.
    std::uint64_t define(std::string_view name, std::uint32_t type, std::string_view unit,
                         std::string_view help, std::string_view instance) override;
    //! Counters and gauges: adds; a counter ignores a negative delta. Histograms: observes `delta`.
    //! An unknown id is ignored.
    void add(std::uint64_t id, std::int64_t delta) override;
    //! Gauges only; others ignore it.
    void set(std::uint64_t id, std::int64_t value) override;

    //! Any thread. All families in the order of their names.
    void write(MetricPage& page) const;

  private:
    struct Histogram {
        std::array<std::atomic<std::uint64_t>, kMetricBuckets + 1> counts{};
        std::atomic<std::int64_t> sum{0};
    };
    struct Metric {
        std::uint32_t type = 0;
        std::string labels;  //!< rendered, without braces
        std::atomic<std::int64_t> value{0};
        std::unique_ptr<Histogram> histogram;
    };
    struct Family {
        std::uint32_t type = 0;
        std::string help;
        std::map<std::string, std::uint64_t> ids;  // by labels
    };
    Metric* find(std::uint64_t id);

    mutable std::mutex mutex_;  // families_ and growth; add and set go without
    std::map<std::string, Family, std::less<>> families_;
    std::map<std::string, std::size_t, std::less<>> by_instance_;
    std::array<std::unique_ptr<Metric>, kMaxMetrics> metrics_;
    std::atomic<std::size_t> n_{0};
};

//! What the fence counted, per instance: synod_plugin_calls_total, _failures_total,
//! _over_budget_total, _busy_seconds_total and synod_plugin_active, labelled plugin and kind. Any
//! thread, between the registry's start and its end.
void write_plugin_figures(const Registry& registry, MetricPage& page);

}  // namespace synod::host
