// SPDX-License-Identifier: Apache-2.0
#include "core/app/checkpoint/methods.hpp"

#include <boost/json.hpp>

#include "core/control/rpc.hpp"

namespace synod::app {

namespace {

namespace json = boost::json;

//! One member of the parameters as text; `otherwise` when it is absent. Errors:
//! control.invalid_params.
Result<std::string> text_of(const std::string& params, const char* key, const char* otherwise) {
    boost::system::error_code bad;
    const auto parsed = json::parse(params, bad);
    const auto* object = bad ? nullptr : parsed.if_object();
    const auto* value = object == nullptr ? nullptr : object->if_contains(key);
    if (value == nullptr && otherwise != nullptr) {
        return otherwise;
    }
    if (value == nullptr || !value->is_string()) {
        return control::invalid_params(std::string("`") + key + "` must be a text", key);
    }
    return std::string(value->as_string());
}

void answer(const control::Reply& reply, const Result<CheckpointInfo>& info) {
    reply(info ? Result<std::string>(to_json(*info)) : std::unexpected(info.error()));
}

}  // namespace

std::string to_json(const std::filesystem::path& dir, const std::vector<CheckpointInfo>& list) {
    json::array out;
    for (const auto& info : list) {
        out.push_back(json::parse(to_json(info)));
    }
    return json::serialize(json::object{{"dir", dir.string()}, {"checkpoints", std::move(out)}});
}

void add_checkpoint_methods(control::Handlers& handlers,
                            std::function<void(std::function<void()>)> deliver,
                            Checkpointer& checkpointer) {
    auto& methods = handlers.methods;
    methods["checkpoint.create"] = [deliver, &checkpointer](const std::string& params,
                                                            control::Reply reply) {
        const auto name = text_of(params, "kind", "on-demand");
        const auto kind = name ? checkpoint::kind_of(*name) : std::nullopt;
        if (!kind || *kind == checkpoint::Kind::kInterval) {
            reply(name ? control::invalid_params("`kind` is on-demand, upgrade or emergency", "kind")
                       : std::unexpected(name.error()));
            return;
        }
        deliver([&checkpointer, kind = *kind, reply] {
            checkpointer.create_now(
                kind, [reply](const Result<CheckpointInfo>& made) { answer(reply, made); });
        });
    };
    methods["checkpoint.list"] = [deliver, &checkpointer](const std::string&,
                                                          control::Reply reply) {
        deliver([&checkpointer, reply] {
            checkpointer.list(
                [&checkpointer, reply](const Result<std::vector<CheckpointInfo>>& list) {
                    reply(list ? Result<std::string>(to_json(checkpointer.dir(), *list))
                               : std::unexpected(list.error()));
                });
        });
    };
    methods["checkpoint.verify"] = [deliver, &checkpointer](const std::string& params,
                                                            control::Reply reply) {
        const auto id = text_of(params, "id", nullptr);
        const auto name = text_of(params, "level", "full");
        const auto level = name ? checkpoint::level_of(*name) : std::nullopt;
        if (!id || !level || *level == checkpoint::Level::kNone) {
            reply(id && name ? control::invalid_params("`level` is basic or full", "level")
                             : std::unexpected(id ? name.error() : id.error()));
            return;
        }
        deliver([&checkpointer, id = *id, level = *level, reply] {
            checkpointer.verify(
                id, level, [reply](const Result<CheckpointInfo>& good) { answer(reply, good); });
        });
    };
    methods["checkpoint.remove"] = [deliver, &checkpointer](const std::string& params,
                                                            control::Reply reply) {
        const auto id = text_of(params, "id", nullptr);
        if (!id) {
            reply(std::unexpected(id.error()));
            return;
        }
        deliver([&checkpointer, id = *id, reply] {
            checkpointer.remove(
                id, [reply](const Result<CheckpointInfo>& gone) { answer(reply, gone); });
        });
    };
}

}  // namespace synod::app
