// SPDX-License-Identifier: Apache-2.0
#include "core/host/metrics.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/host/registry.hpp"

namespace synod::host {
namespace {

//! The core's own names, on the same page: a plugin can't add to them.
constexpr std::array<std::string_view, 12> kCoreSubsystems = {
    "bus", "chain", "checkpoint", "control", "federation", "health", "net", "node", "peers", "plugin", "store",
    "sync"};

bool plain(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

std::string escaped(std::string_view text, bool quotes) {
    std::string out;
    for (const char c : text) {
        if (c == '\n') {
            out += "\\n";
        } else if (c == '\\' || (quotes && c == '"')) {
            out += {'\\', c};
        } else {
            out += c;
        }
    }
    return out;
}

std::string rendered(const Labels& labels) {
    std::string out;
    for (const auto& [name, value] : labels) {
        out += (out.empty() ? "" : ",") + name + "=\"" + escaped(value, true) + "\"";
    }
    return out;
}

std::string_view type_name(std::uint32_t type) {
    switch (type) {
        case SYNOD_METRIC_COUNTER: return "counter";
        case SYNOD_METRIC_HISTOGRAM: return "histogram";
        default: return "gauge";
    }
}

std::string number(double value) {
    if (std::isnan(value)) {
        return "NaN";
    }
    if (std::isinf(value)) {
        return value > 0 ? "+Inf" : "-Inf";
    }
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value);
    return {digits, end.ptr};
}

std::size_t bucket_of(std::int64_t value) {
    std::size_t at = 0;
    for (std::int64_t bound = 1; at < kMetricBuckets && value > bound; bound *= 4) {
        ++at;
    }
    return at;
}

Result<void> check_labels(const Labels& labels) {
    const auto bad = [](const std::pair<std::string, std::string>& label) {
        return label.first.empty() || label.first.size() > kMaxMetricLabelBytes ||
               label.second.size() > kMaxMetricLabelBytes || !std::ranges::all_of(label.first, plain);
    };
    if (labels.size() > kMaxMetricLabels || std::ranges::any_of(labels, bad)) {
        return fail("metrics.bad_label", "at most " + std::to_string(kMaxMetricLabels) +
                    " labels of lower-case letters, names and values up to " +
                    std::to_string(kMaxMetricLabelBytes) + " bytes");
    }
    return {};
}

}  // namespace

MetricPage& MetricPage::family(std::string_view name, std::uint32_t type, std::string_view help) {
    name_ = name;
    text_ += "# HELP " + name_ + " " + escaped(help, false) + "\n# TYPE " + name_ + " ";
    text_ += type_name(type);
    text_ += '\n';
    return *this;
}

void MetricPage::line(std::string_view suffix, std::string_view labels, std::string_view value) {
    text_ += name_;
    text_ += suffix;
    if (!labels.empty()) {
        text_ += '{';
        text_ += labels;
        text_ += '}';
    }
    text_ += ' ';
    text_ += value;
    text_ += '\n';
}

MetricPage& MetricPage::sample(std::int64_t value, const Labels& labels) {
    line("", rendered(labels), std::to_string(value));
    return *this;
}

MetricPage& MetricPage::sample(double value, const Labels& labels) {
    line("", rendered(labels), number(value));
    return *this;
}

Result<void> check_metric_name(std::string_view name, std::uint32_t type, std::string_view unit) {
    constexpr std::string_view kPrefix = "synod_";
    constexpr std::string_view kTotal = "_total";
    const bool spelled = name.starts_with(kPrefix) && name.size() <= kMaxMetricNameBytes &&
                         std::ranges::all_of(name, [](char c) { return plain(c) || c == '_'; }) &&
                         name.find("__") == std::string_view::npos && !name.ends_with('_') &&
                         std::ranges::count(name, '_') >= 2;
    if (!spelled || (type == SYNOD_METRIC_COUNTER) != name.ends_with(kTotal)) {
        return fail("metrics.bad_name", "`" + std::string(name.substr(0, kMaxMetricNameBytes)) +
                    "` is no metric's name", "", "synod_<subsystem>_<what>_<unit>; counters, and only "
                    "they, end with _total");
    }
    if (name.ends_with(kTotal)) {
        name.remove_suffix(kTotal.size());
    }
    if (!unit.empty() && !(name.ends_with(unit) && name.substr(0, name.size() - unit.size()).ends_with('_'))) {
        return fail("metrics.bad_unit", "the unit `" + std::string(unit.substr(0, kMaxMetricNameBytes)) +
                    "` isn't the end of the name " + std::string(name));
    }
    return {};
}

Result<std::uint64_t> Metrics::make(std::string_view name, std::uint32_t type, std::string_view unit,
                                    std::string_view help, const Labels& labels) {
    if (type < SYNOD_METRIC_COUNTER || type > SYNOD_METRIC_HISTOGRAM) {
        return fail("metrics.type", "there is no metric type " + std::to_string(type), std::string(name));
    }
    if (auto good = check_metric_name(name, type, unit); !good) {
        return std::unexpected(good.error());
    }
    if (auto good = check_labels(labels); !good) {
        return std::unexpected(good.error());
    }
    const std::scoped_lock lock(mutex_);
    const auto at = families_.find(name);
    if (at != families_.end() && at->second.type != type) {
        return fail("metrics.type", "it is already a " + std::string(type_name(at->second.type)),
                    std::string(name));
    }
    const auto text = rendered(labels);
    if (at != families_.end()) {
        if (const auto same = at->second.ids.find(text); same != at->second.ids.end()) {
            return same->second;
        }
    }
    const auto n = n_.load(std::memory_order_relaxed);
    if (n == kMaxMetrics) {
        return fail("metrics.too_many", "at most " + std::to_string(kMaxMetrics) + " metrics",
                    std::string(name));
    }
    auto metric = std::make_unique<Metric>();
    metric->type = type;
    metric->labels = text;
    if (type == SYNOD_METRIC_HISTOGRAM) {
        metric->histogram = std::make_unique<Histogram>();
    }
    metrics_[n] = std::move(metric);
    auto& family = at != families_.end() ? at->second : families_[std::string(name)];
    if (family.type == 0) {
        family.type = type;
        family.help = help.substr(0, kMaxMetricHelpBytes);
    }
    family.ids[text] = n + 1;
    n_.store(n + 1, std::memory_order_release);
    return n + 1;
}

std::uint64_t Metrics::define(std::string_view name, std::uint32_t type, std::string_view unit,
                              std::string_view help, std::string_view instance) {
    const auto refuse = [&](const Error& why) -> std::uint64_t {
        spdlog::warn("the plugin {} gets no metric: {}", instance, why.text());
        return 0;
    };
    if (auto good = check_metric_name(name, type, unit); !good) {
        return refuse(good.error());
    }
    const auto rest = name.substr(name.find('_') + 1);
    const auto subsystem = rest.substr(0, rest.find('_'));
    if (std::ranges::find(kCoreSubsystems, subsystem) != kCoreSubsystems.end()) {
        return refuse({"metrics.bad_name", "`synod_" + std::string(subsystem) + "_` is the node's own",
                       std::string(name), "name the plugin as the subsystem"});
    }
    {
        const std::scoped_lock lock(mutex_);
        auto at = by_instance_.find(instance);
        if (at == by_instance_.end()) {
            at = by_instance_.emplace(instance, 0).first;
        }
        if (at->second == kMaxPluginMetrics) {
            return refuse({"metrics.too_many", "at most " + std::to_string(kMaxPluginMetrics) +
                           " metrics of one plugin", std::string(name), ""});
        }
        ++at->second;
    }
    const auto made = make(name, type, unit, help, Labels{{"plugin", std::string(instance)}});
    return made ? *made : refuse(made.error());
}

Metrics::Metric* Metrics::find(std::uint64_t id) {
    const bool known = id != 0 && id <= n_.load(std::memory_order_acquire);
    return known ? metrics_[id - 1].get() : nullptr;
}

void Metrics::add(std::uint64_t id, std::int64_t delta) {
    auto* metric = find(id);
    if (metric == nullptr || (metric->type == SYNOD_METRIC_COUNTER && delta < 0)) {
        return;
    }
    if (metric->histogram) {
        metric->histogram->counts[bucket_of(delta)].fetch_add(1, std::memory_order_relaxed);
        metric->histogram->sum.fetch_add(delta, std::memory_order_relaxed);
    } else {
        metric->value.fetch_add(delta, std::memory_order_relaxed);
    }
}

void Metrics::set(std::uint64_t id, std::int64_t value) {
    if (auto* metric = find(id); metric != nullptr && metric->type == SYNOD_METRIC_GAUGE) {
        metric->value.store(value, std::memory_order_relaxed);
    }
}

void Metrics::write(MetricPage& page) const {
    const std::scoped_lock lock(mutex_);
    for (const auto& [name, family] : families_) {
        page.family(name, family.type, family.help);
        for (const auto& [labels, id] : family.ids) {
            const auto& metric = *metrics_[id - 1];
            if (!metric.histogram) {
                page.line("", labels, std::to_string(metric.value.load(std::memory_order_relaxed)));
                continue;
            }
            std::uint64_t so_far = 0;
            std::int64_t bound = 1;
            for (std::size_t i = 0; i <= kMetricBuckets; ++i, bound *= 4) {
                so_far += metric.histogram->counts[i].load(std::memory_order_relaxed);
                const auto le = i < kMetricBuckets ? std::to_string(bound) : std::string("+Inf");
                page.line("_bucket", labels + (labels.empty() ? "" : ",") + "le=\"" + le + "\"",
                          std::to_string(so_far));
            }
            page.line("_sum", labels, std::to_string(metric.histogram->sum.load(std::memory_order_relaxed)));
            page.line("_count", labels, std::to_string(so_far));
        }
    }
}

void write_plugin_figures(const Registry& registry, MetricPage& page) {
    const auto family = [&](std::string_view name, std::uint32_t type, std::string_view help, auto value) {
        page.family(name, type, help);
        for (const auto& i : registry.instances()) {
            const auto& kind = i->plugin().kind;
            const auto from = kind.find('.') == std::string::npos ? 0 : kind.find('.') + 1;
            page.sample(value(*i), {{"plugin", i->alias()}, {"kind", kind.substr(from, kind.find('/') - from)}});
        }
    };
    const auto count = [](const std::atomic<std::uint64_t>& n) {
        return static_cast<std::int64_t>(n.load(std::memory_order_relaxed));
    };
    family("synod_plugin_active", SYNOD_METRIC_GAUGE, "1 while the plugin's instance is active",
           [](const Instance& i) { return std::int64_t{i.state() == State::kActive}; });
    family("synod_plugin_busy_seconds_total", SYNOD_METRIC_COUNTER, "time in those of its calls that are timed",
           [](const Instance& i) { return static_cast<double>(i.busy_ns.load(std::memory_order_relaxed)) / 1e9; });
    family("synod_plugin_calls_total", SYNOD_METRIC_COUNTER, "calls into it",
           [](const Instance& i) { return static_cast<std::int64_t>(i.calls()); });
    family("synod_plugin_failures_total", SYNOD_METRIC_COUNTER, "calls that failed, threw or answered what can't be",
           [&](const Instance& i) { return count(i.failures); });
    family("synod_plugin_over_budget_total", SYNOD_METRIC_COUNTER, "calls that took longer than its budget",
           [&](const Instance& i) { return count(i.over_budget); });
}

}  // namespace synod::host
