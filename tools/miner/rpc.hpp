// SPDX-License-Identifier: Apache-2.0
#pragma once
//! One JSON-RPC 1.0 call over HTTP with the Basic scheme, as pool software makes it. Blocking; one thread.

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <string>

namespace miner {

//! A call, from the connection to the last byte, takes no longer.
inline constexpr std::chrono::seconds kCallTime{10};
inline constexpr std::size_t kMaxAnswerBytes = 1u << 20;

struct Node {
    std::string address = "127.0.0.1";  //!< numeric
    std::uint16_t port = 0;
    std::string password;  //!< empty: none is sent
};

struct Answer {
    bool reached = false;        //!< false: `problem` says why there is no answer
    boost::json::value result;   //!< null beside a problem
    std::string problem;         //!< the node's words
    std::string code;            //!< the node's stable code, for example mining.stale
};

Answer call(const Node& node, const std::string& method, const boost::json::array& params);

}  // namespace miner
