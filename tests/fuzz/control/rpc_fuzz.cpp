// SPDX-License-Identifier: Apache-2.0
//! Bodies at the control door: requests, and answers as the client reads them. What is accepted is
//! bounded, and every answer that is written is JSON.
#include <cstdlib>

#include "core/control/rpc.hpp"
#include "core/control/server.hpp"

namespace {

using namespace synod;
using namespace synod::control;

constexpr std::size_t kDepth = 80;       // deeper than any answer may be

void must(bool holds) {
    if (!holds) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string body(reinterpret_cast<const char*>(data), size);
    const auto request = parse_request(body);
    if (request) {
        must(!request->calls.empty() && request->calls.size() <= kMaxBatch);
        for (const auto& call : request->calls) {
            must(is_json(call.params, kDepth));
            must(!call.refused || call.id.has_value());
            must(call.refused || !call.method.empty());
            const std::string id = call.id.value_or("null");
            must(is_json(encode_response(id, Result<std::string>(body)), kDepth));
            must(is_json(encode_error(id, Error{"a.code", body, body, body}), kDepth));
        }
    } else {
        must(request.error().code.starts_with("control."));
    }
    const auto answer = parse_response(body);
    must(!answer || is_json(*answer, kDepth));
    const std::string error = encode_error("1", Error{"a.code", body, body, body});
    must(is_json(error, kDepth));
    const auto back = parse_response(error);
    must(!back && back.error().code == "a.code");
    std::string method = body.substr(0, 64);
    for (char& c : method) {
        c = static_cast<char>(c & 0x7f);  // a command line's word; what is not UTF-8 is the server's to refuse
    }
    const auto called = parse_request(encode_call(method, ""));
    must(called && called->calls.size() == 1 && (called->calls[0].refused || called->calls[0].method == method));
    return 0;
}
