// SPDX-License-Identifier: Apache-2.0
#include "core/sim/operators.hpp"

#include <boost/json.hpp>

#include "core/app/governance/next_event.hpp"

namespace synod::sim {

namespace json = boost::json;

namespace {

json::object object_of(const std::string& text) {
    boost::system::error_code error;
    auto value = json::parse(text, error);
    return error || !value.is_object() ? json::object{} : std::move(value.as_object());
}

std::string text_in(const json::object& object, const char* key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

//! The proof that the author of this key signed twice, hex; empty when the node keeps none.
std::string proof_against(const app::Node& node, const std::string& key) {
    for (const auto& one : node.evidence().list()) {
        if (to_hex(one.author.view()) == key) {
            return to_hex(one.bytes);
        }
    }
    return {};
}

}  // namespace

Operators::Operators(Events& events, const std::vector<Change>& changes, BlockCheck& check, Federation federation)
    : events_(events), changes_(changes), check_(check), federation_(std::move(federation)) {}

void Operators::begin() {
    if (!changes_.empty()) {
        events_.after(changes_.front().at, [this] { look(); });
    }
}

void Operators::look() {
    auto* host = federation_.someone();
    const auto status = host == nullptr ? nullptr : host->status();
    if (status && status->governance_sequence > carried_) {
        federation_.note("change " + std::to_string(++carried_) + " is carried");
        signed_.clear();
    }
    if (done()) {
        return;
    }
    const auto& change = changes_[carried_];
    if (status && events_.now() >= Instant(change.at)) {
        if (!signed_.empty() && status->sync.head.height + 1 < effective_) {
            give(*host);
        } else {
            prepare(*host, change);
        }
    }
    events_.after(kLookAgain, [this] { look(); });
}

void Operators::prepare(Host& host, const Change& change) {
    signed_.clear();
    host.ask("governance.status", "{}", [this, &host, &change](const Result<std::string>& status) {
        if (!status) {
            note("governance.status", status.error());
            return;
        }
        if (!change.evidence) {
            draft(host, change, *status, {});
            return;
        }
        host.with_node([this, &host, &change, status = *status](app::Node& node) {
            const auto proof = proof_against(node, federation_.public_key(change.key));
            if (proof.empty()) {
                federation_.note(host.plan().name + " has no proof against " + change.key);
            } else {
                draft(host, change, status, proof);
            }
        });
    });
}

void Operators::draft(Host& host, const Change& change, const std::string& status, const std::string& evidence) {
    const auto described = object_of(status);
    auto params = app::next_event(described);
    if (params.at("sequence").to_number<std::uint64_t>() != carried_ + 1) {
        return;  // a node that is behind, or has taken an event that no block carries yet
    }
    effective_ = described.at("height").to_number<std::uint64_t>() + kNotice;
    params["kind"] = change.kind;
    params["effective"] = effective_;
    params["value"] = change.value;
    params["reason"] = "the scenario's";
    for (const auto& [name, text] : {std::pair("key", federation_.public_key(change.key)),
                                     {"replacement", federation_.public_key(change.replacement)},
                                     {"parameter", change.parameter}, {"evidence", evidence}}) {
        if (!text.empty()) {
            params[name] = text;
        }
    }
    auto event = check_.call("governance.make", json::serialize(params));
    for (const auto& authority : described.at("authorities").as_array()) {
        const std::string name(authority.as_string());
        const auto key = event ? federation_.key(name) : nullptr;
        if (key == nullptr) {
            continue;
        }
        const auto made = object_of(*event);
        const auto message = from_hex(text_in(made, "message"));
        event = check_.call("governance.sign",
                            json::serialize(json::object{{"event", made.at("event")},
                                                         {"key", name},
                                                         {"signature", to_hex(key->sign(message.value_or(Bytes())).view())}}));
    }
    if (!event) {
        note("change " + std::to_string(carried_ + 1), event.error());
        return;
    }
    signed_ = text_in(object_of(*event), "event");
    give(host);
}

void Operators::give(Host& host) {
    host.ask("governance.submit", json::serialize(json::object{{"event", signed_}}),
             [this, &host](const Result<std::string>& done) {
                 federation_.note(host.plan().name + (done ? " takes the change" : ": " + done.error().text()));
             });
}

}  // namespace synod::sim
