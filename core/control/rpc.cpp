// SPDX-License-Identifier: Apache-2.0
#include "core/control/rpc.hpp"

#include <boost/json.hpp>

#include "core/control/server.hpp"

namespace synod::control {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxReplyDepth = 64;   // nested arrays and objects in an answer
constexpr std::size_t kMaxMethodBytes = 128;  // of a method's name
constexpr std::size_t kMaxIdBytes = 256;      // of an id's JSON text: it is sent back

json::value parse(std::string_view text, std::size_t depth, boost::system::error_code& error) {
    json::parse_options options;
    options.max_depth = depth;
    return json::parse(json::string_view(text.data(), text.size()), error, {}, options);
}

Error invalid_request(std::string message) {
    return {"control.invalid_request", std::move(message), "request",
            "send a JSON-RPC 2.0 request object"};
}

RpcCall refused(RpcCall call, std::string message) {
    call.refused = invalid_request(std::move(message));
    if (!call.id) {
        call.id = "null";  // what is no request is no notification either: it gets an answer
    }
    return call;
}

RpcCall read_call(const json::value& value, Dialect dialect) {
    RpcCall out;
    out.both = dialect == Dialect::kPools;
    const auto* object = value.if_object();
    if (object == nullptr) {
        return refused(std::move(out), "a request must be an object");
    }
    if (const auto* id = object->if_contains("id")) {
        if (!id->is_string() && !id->is_number() && !id->is_null()) {
            return refused(std::move(out), "`id` must be a string, a number or null");
        }
        auto text = json::serialize(*id);
        if (text.size() > kMaxIdBytes) {
            return refused(std::move(out), "`id` is too long");
        }
        out.id = std::move(text);
    }
    const auto* version = object->if_contains("jsonrpc");
    const bool two = version != nullptr && version->is_string() && version->as_string() == "2.0";
    if (!two && dialect == Dialect::kOperators) {
        return refused(std::move(out), "`jsonrpc` must be \"2.0\"");
    }
    if (dialect == Dialect::kPools && !out.id) {
        out.id = "null";
    }
    out.both = !two;
    const auto* method = object->if_contains("method");
    if (method == nullptr || !method->is_string() || method->as_string().empty() ||
        method->as_string().size() > kMaxMethodBytes) {
        return refused(std::move(out), "`method` must be a short string");
    }
    out.method = std::string(method->as_string());
    if (const auto* params = object->if_contains("params")) {
        if (!params->is_object() && !params->is_array()) {
            return refused(std::move(out), "`params` must be an object or an array");
        }
        out.params = json::serialize(*params);
    }
    return out;
}

int mining_code(const std::string& code) {
    return code == "mining.unknown_work"   ? kUnknownWork
           : code == "mining.not_synced"   ? kNotSynced
           : code == "mining.record_shape" ? kUnreadableProof
           : code == "mining.duplicate"    ? kDuplicateWork
           : code == "mining.stale"        ? kStaleWork
           : code == "mining.no_work"      ? kNoWork
                                           : kProofRefused;
}

int rpc_code(const std::string& code) {
    if (code == "control.parse_failed") {
        return kParseError;
    }
    if (code == "control.invalid_request") {
        return kInvalidRequest;
    }
    if (code == "control.method_not_found") {
        return kMethodNotFound;
    }
    if (code == "control.invalid_params") {
        return kInvalidParams;
    }
    if (code == "control.bad_result" || code == "control.internal") {
        return kInternalError;
    }
    if (code.starts_with("mining.")) {
        return mining_code(code);
    }
    return kNodeError;
}

std::string text_of(const json::object& object, const char* key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

Error read_error(const json::value& value) {
    Error out{"control.bad_reply", "the answer holds neither a result nor an error", "control", {}};
    const auto* object = value.if_object();
    if (object == nullptr) {
        return out;
    }
    out.message = text_of(*object, "message");
    const auto* data = object->if_contains("data");
    if (const auto* detail = data != nullptr ? data->if_object() : nullptr) {
        out = {text_of(*detail, "code"), text_of(*detail, "message"), text_of(*detail, "where"),
               text_of(*detail, "hint")};
    }
    return out;
}

}  // namespace

bool is_json(std::string_view text, std::size_t depth) {
    boost::system::error_code error;
    parse(text, depth, error);
    return !error;
}

Result<RpcRequest> parse_request(std::string_view body, Dialect dialect) {
    boost::system::error_code error;
    const auto value = parse(body, kMaxJsonDepth, error);
    if (error) {
        return fail("control.parse_failed", "the request is not JSON: " + error.message(),
                    "request",
                    "at most " + std::to_string(kMaxJsonDepth) + " nested arrays and objects");
    }
    RpcRequest out;
    const auto* list = value.if_array();
    if (list == nullptr) {
        out.calls.push_back(read_call(value, dialect));
        return out;
    }
    if (list->empty() || list->size() > kMaxBatch) {
        return std::unexpected(invalid_request(
            "a batch holds 1 to " + std::to_string(kMaxBatch) + " requests, this one " +
            std::to_string(list->size())));
    }
    out.batch = true;
    for (const auto& item : *list) {
        out.calls.push_back(read_call(item, dialect));
    }
    return out;
}

std::string encode_error(const std::string& id, const Error& error, bool both) {
    const json::object data{{"code", error.code},
                            {"message", error.message},
                            {"where", error.where},
                            {"hint", error.hint}};
    auto text = json::serialize(
        json::object{{"code", rpc_code(error.code)}, {"message", error.message}, {"data", data}});
    if (!is_json(text, kMaxReplyDepth)) {  // a peer's text, for example: not UTF-8
        for (char& c : text) {
            if (static_cast<unsigned char>(c) >= 0x80) {
                c = '?';
            }
        }
    }
    return both ? R"({"result":null,"error":)" + text + R"(,"id":)" + id + "}"
                : R"({"jsonrpc":"2.0","id":)" + id + R"(,"error":)" + text + "}";
}

std::string encode_response(const std::string& id, const Result<std::string>& result, bool both) {
    if (!result) {
        return encode_error(id, result.error(), both);
    }
    if (result->size() > kMaxReplyBytes) {
        return encode_error(id, {"control.reply_too_large",
                                 "the answer has " + std::to_string(result->size()) + " bytes",
                                 "method", "ask for less at once"}, both);
    }
    if (!is_json(*result, kMaxReplyDepth)) {
        return encode_error(id, {"control.bad_result", "the method's answer is not JSON", "method",
                                 "this is an error in the node; please report it"}, both);
    }
    return both ? R"({"result":)" + *result + R"(,"error":null,"id":)" + id + "}"
                : R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":)" + *result + "}";
}

std::string encode_call(const std::string& method, const std::string& params_json) {
    auto out = R"({"jsonrpc":"2.0","id":1,"method":)" + json::serialize(json::string(method));
    if (!params_json.empty()) {
        out += R"(,"params":)" + params_json;
    }
    return out + "}";
}

Result<std::string> parse_response(std::string_view body) {
    boost::system::error_code error;
    const auto value = parse(body, kMaxReplyDepth + 1, error);
    const auto* object = value.if_object();
    if (error || object == nullptr) {
        return fail("control.bad_reply", "the answer is not a JSON-RPC response", "control",
                    "is it a node that listens there?");
    }
    if (const auto* result = object->if_contains("result")) {
        return json::serialize(*result);
    }
    const auto* problem = object->if_contains("error");
    return std::unexpected(read_error(problem != nullptr ? *problem : json::value()));
}

}  // namespace synod::control
