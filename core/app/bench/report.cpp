// SPDX-License-Identifier: Apache-2.0
#include "core/app/bench/report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "core/app/bench/catalogue.hpp"

namespace synod::app::bench {

namespace json = boost::json;

namespace {

json::value or_null(const std::optional<double>& number) {
    return number ? json::value(*number) : json::value(nullptr);
}

//! What floor and aim are held against.
std::optional<double> judged(const Row& row, const Figure& figure) {
    if (row.judged == Judged::kRatio) {
        return figure.ratio();
    }
    return figure.value ? std::optional(figure.value->median) : std::nullopt;
}

json::value verdict(const Row& row, const Figure& figure, const std::optional<double>& bound) {
    const auto got = judged(row, figure);
    return got && bound ? json::value(reaches(row, *got, *bound)) : json::value(nullptr);
}

json::object entry(std::string_view name, json::value value, std::string_view unit) {
    json::object out;
    out["name"] = name;
    out["value"] = std::move(value);
    out["unit"] = unit;
    for (const auto* key : {"baseline", "baseline_value", "ratio", "floor", "aim"}) {
        out[key] = nullptr;
    }
    out["runs"] = 0;
    out["spread"] = nullptr;
    return out;
}

json::object machine_entry(const Machine& machine) {
    auto out = entry("machine", machine.cores, "cores");
    out["cpu"] = machine.cpu;
    out["instruction_sets"] = json::array(machine.instruction_sets.begin(), machine.instruction_sets.end());
    out["compiler"] = machine.compiler;
    out["optimised"] = machine.optimised;
    return out;
}

json::object figure_entry(const Figure& figure) {
    const auto* row = find_row(figure.name);
    auto out = entry(figure.name, nullptr, row == nullptr ? "" : row->unit);
    if (figure.value) {
        out["value"] = figure.value->median;
        out["runs"] = figure.value->runs;
        out["spread"] = figure.value->spread;
    } else {
        out[figure.failed ? "failed" : "absent"] = figure.missing;
    }
    if (!figure.baseline.empty()) {
        out["baseline"] = figure.baseline;
    }
    if (figure.baseline_value) {
        out["baseline_value"] = figure.baseline_value->median;
        out["baseline_spread"] = figure.baseline_value->spread;
    }
    out["ratio"] = or_null(figure.ratio());
    if (row != nullptr) {
        out["floor"] = or_null(row->floor);
        out["aim"] = or_null(row->aim);
        out["judged"] = row->judged == Judged::kRatio ? "ratio" : "value";
        out["better"] = row->better == Better::kHigher ? "higher" : "lower";
        out["meets_floor"] = verdict(*row, figure, row->floor);
        out["meets_aim"] = verdict(*row, figure, row->aim);
    }
    for (const auto& [key, value] : figure.details) {
        out[key] = value;
    }
    return out;
}

//! 0.0123, 1.23, 12.3, 123, 12,345,678: three digits that count, and no fraction of large numbers.
std::string number(double value) {
    char text[48];
    const auto size = std::abs(value);
    std::snprintf(text, sizeof text, "%.*f", size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 4, value);
    std::string out = text;
    if (size >= 1'000 && out.find('.') == std::string::npos) {
        for (auto at = static_cast<std::ptrdiff_t>(out.size()) - 3; at > (value < 0 ? 1 : 0); at -= 3) {
            out.insert(static_cast<std::size_t>(at), ",");
        }
    }
    return out;
}

std::string bound(const std::optional<double>& value, Judged judged) {
    return value ? (judged == Judged::kRatio ? "x" : "") + number(*value) : "-";
}

std::string standing(const Row& row, const Figure& figure) {
    const auto got = judged(row, figure);
    if (!got || !row.floor) {
        return "";
    }
    return !reaches(row, *got, *row.floor) ? "BELOW FLOOR"
           : row.aim && reaches(row, *got, *row.aim) ? "aim"
                                                     : "floor";
}

using Line = std::array<std::string, 9>;

Line line_of(const Figure& figure) {
    const auto* row = find_row(figure.name);
    const Row unknown{};
    const auto& of = row == nullptr ? unknown : *row;
    const auto& v = *figure.value;
    const auto ratio = figure.ratio();
    char spread[16];
    std::snprintf(spread, sizeof spread, "%.0f %%", v.spread * 100);
    return {figure.name, number(v.median) + " " + std::string(of.unit), spread,
            std::to_string(v.runs),
            figure.baseline_value ? number(figure.baseline_value->median) : "-",
            ratio ? "x" + number(*ratio) : "-", bound(of.floor, of.judged), bound(of.aim, of.judged),
            standing(of, figure)};
}

void put(std::string& out, const Line& line, const std::array<std::size_t, 9>& widths) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const auto pad = std::string(widths[i] - line[i].size(), ' ');
        text += i == 0 || i + 1 == line.size() ? line[i] + pad : pad + line[i];
        text += "  ";
    }
    out += text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
}

}  // namespace

json::array to_json(const Machine& machine, const std::vector<Figure>& figures) {
    json::array out{machine_entry(machine)};
    for (const auto& figure : figures) {
        out.push_back(figure_entry(figure));
    }
    return out;
}

std::string to_table(const Machine& machine, const std::vector<Figure>& figures) {
    std::string out = std::to_string(machine.cores) + (machine.cores == 1 ? " core, " : " cores, ") +
                      (machine.cpu.empty() ? "unknown processor" : machine.cpu) + ":";
    for (const auto& set : machine.instruction_sets) {
        out += " " + set;
    }
    out += machine.optimised ? "\n\n" : "\nNOT AN OPTIMISED BUILD: these figures say nothing\n\n";
    std::vector<Line> lines{
        {"figure", "median", "spread", "runs", "baseline", "ratio", "floor", "aim", "reaches"}};
    for (const auto& figure : figures) {
        if (figure.value) {
            lines.push_back(line_of(figure));
        }
    }
    std::array<std::size_t, 9> widths{};
    for (const auto& line : lines) {
        for (std::size_t i = 0; i < line.size(); ++i) {
            widths[i] = std::max(widths[i], line[i].size());
        }
    }
    for (const auto& line : lines) {
        put(out, line, widths);
    }
    for (const auto& figure : figures) {
        if (figure.value && !figure.baseline.empty()) {
            out += "\n" + figure.name + ": baseline is " + figure.baseline;
        }
        if (figure.value && !figure.details.empty()) {
            out += "\n  " + json::serialize(figure.details);
        }
        if (!figure.value) {
            out += "\n" + figure.name + (figure.failed ? " FAILED: " : " is absent: ") + figure.missing;
        }
    }
    return out + "\n";
}

}  // namespace synod::app::bench
