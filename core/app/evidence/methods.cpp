// SPDX-License-Identifier: Apache-2.0
#include "core/app/evidence/methods.hpp"

#include <synod/consensus.h>

#include <boost/json.hpp>

#include "core/control/rpc.hpp"

namespace synod::app {

namespace {

namespace json = boost::json;

constexpr std::size_t kShortestId = 8;  // hex digits

json::object to_json(const ProvenEvidence& e) {
    return {{"id", to_hex(e.id.view())},
            {"author", to_hex(e.author.view())},
            {"kind", e.purpose == SYNOD_SIGN_PROPOSE ? "two_blocks" : "two_approvals"},
            {"slot", e.slot},
            {"blocks", {to_hex(e.first.view()), to_hex(e.second.view())}},
            {"heights", {e.first_height, e.second_height}},
            {"seen_unix_ms", e.seen_at}};
}

Result<std::string> id_in(const std::string& params) {
    boost::system::error_code bad;
    const auto parsed = json::parse(params, bad);
    const auto* object = bad ? nullptr : parsed.if_object();
    const auto* id = object == nullptr ? nullptr : object->if_contains("id");
    if (id == nullptr || !id->is_string() || id->as_string().size() < kShortestId) {
        return control::invalid_params("`id` must be at least 8 hex digits", "id");
    }
    return std::string(id->as_string());
}

Result<std::string> show(const EvidenceBook& book, const std::string& id) {
    std::optional<json::object> found;
    for (const auto& e : book.list()) {
        if (!to_hex(e.id.view()).starts_with(id)) {
            continue;
        }
        if (found) {
            return fail("evidence.ambiguous", "more than one piece of evidence begins so", id, "give more digits");
        }
        found = to_json(e);
        (*found)["bytes"] = to_hex(e.bytes);
    }
    if (!found) {
        return fail("evidence.unknown", "there is no such evidence here", id, "see `synod evidence list`");
    }
    return json::serialize(*found);
}

}  // namespace

void add_evidence_methods(control::Handlers& handlers, std::function<void(std::function<void()>)> deliver,
                          std::function<const EvidenceBook&()> book) {
    handlers.methods["evidence.list"] = [deliver, book](const std::string&, control::Reply reply) {
        deliver([book, reply] {
            json::array all;
            for (const auto& e : book().list()) {
                all.push_back(to_json(e));
            }
            reply(json::serialize(json::object{{"evidence", std::move(all)}}));
        });
    };
    handlers.methods["evidence.show"] = [deliver, book](const std::string& params, control::Reply reply) {
        const auto id = id_in(params);
        if (!id) {
            reply(std::unexpected(id.error()));
            return;
        }
        deliver([book, reply, id = *id] { reply(show(book(), id)); });
    };
}

}  // namespace synod::app
