// SPDX-License-Identifier: Apache-2.0
#include "core/sim/report.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <sstream>

namespace synod::sim {

namespace json = boost::json;

namespace {

json::value or_null(const std::optional<double>& value) { return value ? json::value(*value) : json::value(nullptr); }

std::string hex(std::uint64_t value) {
    char out[17];
    std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(value));
    return out;
}

json::array hosts_json(const Report& report) {
    json::array out;
    for (const auto& h : report.hosts) {
        const auto wasted = h.bytes_of_blocks - std::min(h.bytes_of_blocks, h.bytes_stored);
        out.push_back({{"name", h.name}, {"honest", h.honest}, {"authority", h.authority}, {"running", h.running},
                       {"state", h.state}, {"height", h.height}, {"committed", h.committed}, {"gate_open", h.gate_open},
                       {"synced_after_s", or_null(h.synced_after_s)}, {"boots", h.boots}, {"gave_up", h.gave_up},
                       {"proposed", h.proposed},
                       {"bytes_of_blocks", h.bytes_of_blocks}, {"bytes_wasted", wasted}, {"reason", h.reason}});
    }
    return out;
}

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            default: out += c;
        }
    }
    return out;
}

constexpr double kWide = 760, kHigh = 160, kLeft = 60;  // of a plot, in pixels

//! One line over time, its own scale from zero.
template <typename Value>
std::string plot(const Report& report, const char* title, Value value) {
    double most = 1, last = 1;
    for (const auto& sample : report.samples) {
        most = std::max(most, static_cast<double>(value(sample)));
        last = std::max(last, sample.at_s);
    }
    std::ostringstream out;
    out << "<h3>" << title << "</h3><svg width=\"" << kLeft + kWide << "\" height=\"" << kHigh + 24 << "\">";
    for (const auto& fault : report.faults) {
        out << "<rect class=\"fault\" x=\"" << kLeft + fault.at_s / last * kWide << "\" y=\"0\" width=\""
            << std::max(1.0, (fault.ended_s - fault.at_s) / last * kWide) << "\" height=\"" << kHigh << "\"/>";
    }
    out << "<text x=\"0\" y=\"12\">" << most << "</text><text x=\"0\" y=\"" << kHigh << "\">0</text><text x=\""
        << kLeft + kWide - 60 << "\" y=\"" << kHigh + 18 << "\">" << last << " s</text><polyline points=\"";
    for (const auto& sample : report.samples) {
        out << kLeft + sample.at_s / last * kWide << ',' << kHigh - static_cast<double>(value(sample)) / most * kHigh
            << ' ';
    }
    out << "\"/></svg>\n";
    return out.str();
}

}  // namespace

std::string Report::command() const { return "synod simulate " + file + " --seed " + std::to_string(seed); }

std::string report_json(const Report& report, bool timing) {
    json::object out{{"scenario", report.scenario},
                     {"seed", report.seed},
                     {"passed", report.passed()},
                     {"command", report.command()},
                     {"virtual_s", report.virtual_s},
                     {"settled_after_s", or_null(report.settled_after_s)},
                     {"final_height", report.final_height},
                     {"equivocations", report.equivocations},
                     {"changes", report.changes},
                     {"proofs_accepted", report.proofs_accepted},
                     {"proofs_refused", json::value_from(report.proofs_refused)},
                     {"emergencies", json::value_from(report.seen)},
                     {"events", report.events},
                     {"frames", report.frames},
                     {"bytes", report.bytes},
                     {"trace", hex(report.trace)},
                     {"trace_lines", report.trace_lines}};
    if (timing) {
        out["real_s"] = report.real_s;
    }
    json::array violations, bans, missed, faults;
    for (const auto& v : report.violations) {
        violations.push_back({{"at_s", to_seconds(v.at)}, {"rule", v.rule}, {"host", v.host}, {"detail", v.detail}});
    }
    for (const auto& b : report.bans) {
        bans.push_back({{"at_s", to_seconds(b.at)}, {"by", b.by}, {"who", b.who}, {"reason", b.reason}, {"right", b.right}});
    }
    for (const auto& m : report.not_banned) {
        missed.push_back({{"who", m.who}, {"does", m.does}, {"frames", m.frames}});
    }
    for (const auto& f : report.faults) {
        faults.push_back({{"what", f.what}, {"who", f.who}, {"at_s", f.at_s}, {"ended_s", f.ended_s},
                          {"over_after_s", or_null(f.over_after_s)}});
    }
    out["violations"] = std::move(violations);
    out["bans"] = std::move(bans);
    out["not_banned"] = std::move(missed);
    out["faults"] = std::move(faults);
    out["hosts"] = hosts_json(report);
    return json::serialize(out);
}

//! In one line, for people.
std::string life(const Report& report) {
    std::string out = "Final height " + std::to_string(report.final_height);
    const auto add = [&](std::uint64_t count, const std::string& what) {
        out += count == 0 ? std::string() : "; " + std::to_string(count) + " " + what;
    };
    add(report.changes, "changes of the federation");
    add(report.proofs_accepted, "proofs of work taken");
    for (const auto& [code, count] : report.proofs_refused) {
        add(count, "refused: " + code);
    }
    add(report.equivocations, "slots signed twice by Byzantine authorities");
    for (const auto& trigger : report.seen) {
        out += "; emergency: " + trigger;
    }
    return escaped(out);
}

std::string report_html(const Report& report) {
    std::ostringstream out;
    out << "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>" << escaped(report.scenario)
        << ", seed " << report.seed << "</title><style>body{font:15px sans-serif;max-width:60em;margin:2em auto}"
           "svg{background:#f6f6f6}polyline{fill:none;stroke:#06c;stroke-width:1.5}.fault{fill:#fcc}"
           "table{border-collapse:collapse}td,th{padding:.2em .7em;border-bottom:1px solid #ddd;text-align:left}"
           ".bad{color:#b00}</style></head><body><h1>"
        << escaped(report.scenario) << ", seed " << report.seed << ": "
        << (report.passed() ? "everything held" : "<span class=\"bad\">broken</span>") << "</h1><p>"
        << escaped(report.about) << "</p><p><code>" << escaped(report.command()) << "</code>, trace "
        << hex(report.trace) << "</p><p>" << life(report) << "</p>";
    for (const auto& v : report.violations) {
        out << "<p class=\"bad\">" << to_seconds(v.at) << " s, " << escaped(v.host) << ": " << v.rule << ": "
            << escaped(v.detail) << "</p>";
    }
    out << plot(report, "Final height", [](const Sample& s) { return s.committed; })
        << plot(report, "Blocks that the last honest node is behind the first",
                [](const Sample& s) { return s.highest - std::min(s.highest, s.lowest); })
        << plot(report, "Honest nodes that are synced", [](const Sample& s) { return s.synced; })
        << plot(report, "Open production gates", [](const Sample& s) { return s.gates; })
        << plot(report, "Bytes moved so far", [](const Sample& s) { return s.bytes; });
    out << "<h2>Nodes</h2><table><tr><th>name<th>state<th>height<th>synced after, s<th>boots<th>block bytes"
           "<th>of them wasted<th></tr>";
    for (const auto& h : report.hosts) {
        out << "<tr><td>" << escaped(h.name) << (h.honest ? "" : " (hostile)") << "<td>" << h.state << "<td>"
            << h.height << "<td>" << (h.synced_after_s ? std::to_string(*h.synced_after_s) : "") << "<td>" << h.boots
            << "<td>" << h.bytes_of_blocks << "<td>" << h.bytes_of_blocks - std::min(h.bytes_of_blocks, h.bytes_stored)
            << "<td>" << escaped(h.reason) << "</tr>";
    }
    out << "</table><h2>Faults</h2><table><tr><th>what<th>who<th>at, s<th>ended, s<th>over after, s</tr>";
    for (const auto& f : report.faults) {
        out << "<tr><td>" << f.what << "<td>" << escaped(f.who) << "<td>" << f.at_s << "<td>" << f.ended_s << "<td>"
            << (f.over_after_s ? std::to_string(*f.over_after_s) : "") << "</tr>";
    }
    out << "</table><h2>Bans</h2><table><tr><th>at, s<th>by<th>who<th>for<th>rightly</tr>";
    for (const auto& b : report.bans) {
        out << "<tr><td>" << to_seconds(b.at) << "<td>" << escaped(b.by) << "<td>" << escaped(b.who) << "<td>"
            << escaped(b.reason) << "<td>" << (b.right ? "yes" : "no") << "</tr>";
    }
    out << "</table>";
    for (const auto& m : report.not_banned) {
        out << "<p>Nobody banned " << escaped(m.who) << " for " << m.does << " (" << m.frames << " times).</p>";
    }
    out << "</body></html>\n";
    return out.str();
}

}  // namespace synod::sim
