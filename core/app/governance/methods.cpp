// SPDX-License-Identifier: Apache-2.0
#include "core/app/governance/methods.hpp"

#include <boost/json.hpp>

#include "core/control/rpc.hpp"

namespace synod::app {

namespace json = boost::json;

namespace {

Result<json::object> object_of(const std::string& params) {
    boost::system::error_code error;
    auto value = params.empty() ? json::value(json::object{}) : json::parse(params, error);
    if (error || !value.is_object()) {
        return control::invalid_params("an object is expected", "params");
    }
    return value.as_object();
}

Result<std::uint64_t> number_of(const json::object& params, const char* key, std::uint64_t fallback) {
    const auto* value = params.if_contains(key);
    if (value == nullptr) {
        return fallback;
    }
    boost::system::error_code error;
    const auto n = value->to_number<std::uint64_t>(error);
    if (error) {
        return control::invalid_params("a number is expected", key);
    }
    return n;
}

json::value parsed(const std::string& text) {
    boost::system::error_code error;
    auto value = json::parse(text, error);
    return error ? json::value(nullptr) : value;
}

//! The chain's part of the status as its plugin tells it, and the stream's.
std::string status_text(const std::string& described, const GovernanceStatus& now,
                        const std::vector<std::string>& waiting) {
    auto value = parsed(described);
    json::object out = value.is_object() ? value.as_object() : json::object{};
    json::array events;
    for (const auto& one : waiting) {
        events.push_back(parsed(one));
    }
    out["waiting"] = std::move(events);
    out["next_sequence"] = now.known + 1;
    out["early"] = now.early;
    out["missing_from"] = now.missing_from == 0 ? json::value(nullptr) : json::value(now.missing_from);
    out["stream_healthy"] = now.healthy;
    return json::serialize(out);
}

}  // namespace

void add_governance_methods(control::Handlers& out, std::function<void(std::function<void()>)> post,
                            std::function<Governance&()> governance) {
    out.methods["governance.status"] = [post, governance](const std::string&, const control::Reply& reply) {
        post([governance, reply] {
            auto& events = governance();
            events.describe([&events, reply](const Result<std::string>& described) {
                if (!described) {
                    reply(std::unexpected(described.error()));
                    return;
                }
                events.explain(events.events(), [&events, reply, text = *described](const auto& waiting) {
                    reply(waiting ? Result<std::string>(status_text(text, events.status(), *waiting))
                                  : std::unexpected(waiting.error()));
                });
            });
        });
    };
    out.methods["governance.log"] = [post, governance](const std::string& params, const control::Reply& reply) {
        auto given = object_of(params);
        auto from = given ? number_of(*given, "from", 1) : std::unexpected(given.error());
        auto count = from ? number_of(*given, "count", kMaxEventsAnAnswer) : std::unexpected(from.error());
        if (!count) {
            reply(std::unexpected(count.error()));
            return;
        }
        post([governance, reply, from = *from, count = std::min<std::uint64_t>(*count, kMaxEventsAnAnswer)] {
            auto& events = governance();
            auto log = events.log(from, count);
            if (!log) {
                reply(std::unexpected(log.error()));
                return;
            }
            std::vector<Bytes> bytes;
            for (const auto& one : *log) {
                bytes.push_back(one.event);
            }
            events.explain(std::move(bytes), [reply, log = std::move(*log)](const auto& texts) {
                if (!texts) {
                    reply(std::unexpected(texts.error()));
                    return;
                }
                json::array list;
                for (std::size_t i = 0; i < log.size(); ++i) {
                    auto one = parsed((*texts)[i]);
                    if (one.is_object()) {
                        one.as_object()["height"] = log[i].height;
                        one.as_object()["block"] = to_hex(log[i].block.view());
                        list.push_back(std::move(one));
                    }
                }
                reply(json::serialize(json::object{{"events", std::move(list)}}));
            });
        });
    };
    out.methods["governance.submit"] = [post, governance](const std::string& params, const control::Reply& reply) {
        auto given = object_of(params);
        const auto* hex = given ? given->if_contains("event") : nullptr;
        auto bytes = hex != nullptr && hex->is_string() ? from_hex(std::string(hex->as_string())) : std::nullopt;
        if (!bytes || bytes->empty() || bytes->size() > SYNOD_EVENT_MAX) {
            reply(given ? Result<std::string>(control::invalid_params("an event in hex is expected", "event"))
                        : std::unexpected(given.error()));
            return;
        }
        post([governance, reply, bytes = std::move(*bytes)] {
            governance().submit(bytes, [reply](const Result<void>& done) {
                reply(done ? Result<std::string>(R"({"accepted":true})") : std::unexpected(done.error()));
            });
        });
    };
}

}  // namespace synod::app
