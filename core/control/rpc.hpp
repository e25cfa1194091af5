// SPDX-License-Identifier: Apache-2.0
#pragma once
//! JSON-RPC 2.0 (www.jsonrpc.org/specification) as pure functions: text in, calls out; results in,
//! text out. No sockets, no clock; any thread. Input is hostile: every size is bounded.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace synod::control {

inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kInternalError = -32603;
inline constexpr int kNodeError = -32000;  //!< data holds the node's own error

//! Errors of the mining methods, by Bitcoin Core's numbers where it has one for the case.
inline constexpr int kUnknownWork = -8;      //!< RPC_INVALID_PARAMETER, as Namecoin Core's
inline constexpr int kNotSynced = -10;       //!< RPC_CLIENT_IN_INITIAL_DOWNLOAD
inline constexpr int kUnreadableProof = -22; //!< RPC_DESERIALIZATION_ERROR
inline constexpr int kProofRefused = -26;    //!< RPC_VERIFY_REJECTED
inline constexpr int kDuplicateWork = -27;   //!< RPC_VERIFY_ALREADY_IN_CHAIN
inline constexpr int kStaleWork = -28000;
inline constexpr int kNoWork = -28001;

//! Who speaks. kOperators: JSON-RPC 2.0 alone. kPools: mining software too, which sends 1.0 or no
//! version and wants result and error side by side; a request without an id is answered with null.
enum class Dialect : std::uint8_t { kOperators, kPools };

//! One request of a batch, or the reason why it is none.
struct RpcCall {
    std::optional<std::string> id;  //!< JSON text; nothing for a notification
    bool both = false;              //!< the answer has result and error, one of them null
    std::string method;
    std::string params = "{}";    //!< JSON text of an object or an array
    std::optional<Error> refused;  //!< control.invalid_request
};

struct RpcRequest {
    bool batch = false;
    std::vector<RpcCall> calls;  //!< 1 to kMaxBatch
};

//! What a method answers to parameters that it can't take: control.invalid_params, which becomes -32602.
inline std::unexpected<Error> invalid_params(std::string what, std::string where) {
    return fail("control.invalid_params", std::move(what), std::move(where));
}

//! Errors: control.parse_failed, control.invalid_request (not an object or array, an empty or too
//! long batch). A single bad call of a batch is marked `refused` instead.
Result<RpcRequest> parse_request(std::string_view body, Dialect dialect = Dialect::kOperators);

//! The response object of one call. `id` is JSON text. A result that is not JSON within the limits
//! becomes control.bad_result.
std::string encode_response(const std::string& id, const Result<std::string>& result, bool both = false);
//! The response object for an error alone; text that is not UTF-8 is made so.
std::string encode_error(const std::string& id, const Error& error, bool both = false);

//! A single call with id 1, for the client. Precondition: `params_json` is JSON, or empty for none.
std::string encode_call(const std::string& method, const std::string& params_json);
//! The `result` of the single response `body` as JSON text, or its error as the synod::Error that
//! the server was given. Errors of its own: control.bad_reply.
Result<std::string> parse_response(std::string_view body);

//! Whether it is JSON of at most `depth` nested arrays and objects.
bool is_json(std::string_view text, std::size_t depth);

}  // namespace synod::control
