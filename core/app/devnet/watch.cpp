// SPDX-License-Identifier: Apache-2.0
#include "core/app/devnet/watch.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <cstdio>

#include "core/control/client.hpp"

namespace synod::app::devnet {

namespace json = boost::json;

namespace {

std::optional<std::uint64_t> whole(const json::object& from, std::string_view key) {
    const auto* value = from.if_contains(key);
    if (value == nullptr || !value->is_number()) {
        return std::nullopt;
    }
    boost::system::error_code error;
    const auto out = value->to_number<std::uint64_t>(error);
    return error ? std::nullopt : std::optional(out);
}

double real(const json::object& from, std::string_view key) {
    const auto* value = from.if_contains(key);
    return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

std::string text(const json::object& from, std::string_view key) {
    const auto* value = from.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
}

std::string missing_conditions(const json::object& from) {
    std::string out;
    const auto* gate = from.if_contains("gate");
    if (gate == nullptr || !gate->is_array()) {
        return out;
    }
    for (const auto& item : gate->get_array()) {
        const auto* met = item.is_object() ? item.get_object().if_contains("met") : nullptr;
        if (met != nullptr && met->is_bool() && !met->get_bool()) {
            out += (out.empty() ? "" : ", ") + text(item.get_object(), "name");
        }
    }
    return out;
}

}  // namespace

Result<View> read_view(std::string_view status_json) {
    boost::system::error_code error;
    const auto parsed = json::parse(status_json, error);
    if (error || !parsed.is_object()) {
        return fail("devnet.bad_status", "a node's status is not a JSON object");
    }
    const auto& from = parsed.get_object();
    const auto height = whole(from, "current_height");
    View out;
    out.state = text(from, "state");
    out.head_hash = text(from, "head_hash");
    if (!height || out.state.empty() || out.head_hash.empty()) {
        return fail("devnet.bad_status", "a node's status lacks its state, height or head");
    }
    out.height = *height;
    out.target = whole(from, "target_height");
    out.percentage = real(from, "percentage");
    out.blocks_per_second = real(from, "blocks_per_second");
    out.peers = whole(from, "peers").value_or(0);
    out.committed = whole(from, "committed_height").value_or(0);
    const auto* open = from.if_contains("can_produce");
    out.can_produce = open != nullptr && open->is_bool() && open->get_bool();
    out.missing = missing_conditions(from);
    const auto* eta = from.if_contains("eta_seconds");
    if (eta != nullptr && eta->is_array() && eta->get_array().size() == 2 &&
        eta->get_array()[0].is_number() && eta->get_array()[1].is_number()) {
        out.eta_seconds = std::pair(eta->get_array()[0].to_number<double>(),
                                    eta->get_array()[1].to_number<double>());
    }
    if (const auto stalled = text(from, "stalled"); !stalled.empty()) {
        out.stalled = stalled;
    }
    out.json = status_json;
    return out;
}

Result<View> ask(const std::filesystem::path& data_dir) {
    auto answer = control::call(data_dir.string(), "node.status", "{}", kAskTimeout);
    if (!answer) {
        return std::unexpected(answer.error());
    }
    return read_view(*answer);
}

std::string grouped(std::uint64_t value) {
    auto out = std::to_string(value);
    for (auto at = static_cast<std::ptrdiff_t>(out.size()) - 3; at > 0; at -= 3) {
        out.insert(static_cast<std::size_t>(at), ",");
    }
    return out;
}

std::string bar(const View& view) {
    const auto part = std::isfinite(view.percentage) ? std::clamp(view.percentage, 0.0, 1.0) : 0.0;
    const auto full = static_cast<std::size_t>(part * static_cast<double>(kBarCells));
    char percent[16];
    std::snprintf(percent, sizeof percent, "%6.2f %%", part * 100);
    std::string out = "[" + std::string(full, '#') + std::string(kBarCells - full, '-') + "] " +
                      percent + "  " + view.state + "  " + std::to_string(view.height) + "/" +
                      (view.target ? std::to_string(*view.target) : "?");
    if (view.stalled) {
        return out + "  stalled: " + *view.stalled;
    }
    if (view.blocks_per_second >= 1 && view.blocks_per_second < 1e12) {
        out += "  " + grouped(static_cast<std::uint64_t>(view.blocks_per_second)) + " blocks/s";
    }
    if (view.eta_seconds) {
        char eta[64];
        std::snprintf(eta, sizeof eta, "  ETA %.0f-%.0f s", view.eta_seconds->first,
                      view.eta_seconds->second);
        out += eta;
    }
    out += "  " + std::to_string(view.peers) + (view.peers == 1 ? " peer" : " peers");
    return out + (view.can_produce ? "  gate open" : "  gate shut");
}

}  // namespace synod::app::devnet
