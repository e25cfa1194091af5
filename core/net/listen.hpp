// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Opens a listening TCP socket, one way for every room that has one. The thread that owns the acceptor.
//! Header only.

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>

#include "core/base/result.hpp"

namespace synod::net {

//! Answers the port, which the system chose when the endpoint's is 0. `area` names the caller in the
//! error <area>.listen_failed.
inline Result<std::uint16_t> listen(boost::asio::ip::tcp::acceptor& acceptor,
                                    const boost::asio::ip::tcp::endpoint& endpoint, const std::string& area) {
    using Acceptor = boost::asio::ip::tcp::acceptor;
    boost::system::error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) {
        acceptor.set_option(Acceptor::reuse_address(true), error);
    }
    if (!error) {
        acceptor.bind(endpoint, error);
    }
    if (!error) {
        acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
    }
    const auto bound = error ? endpoint : acceptor.local_endpoint(error);
    if (error) {
        const bool v6 = endpoint.address().is_v6();
        return fail(area + ".listen_failed",
                    "cannot listen on " + (v6 ? "[" : std::string()) + endpoint.address().to_string() +
                        (v6 ? "]:" : ":") + std::to_string(endpoint.port()) + ": " + error.message(),
                    area, "choose a free port and an address of this machine");
    }
    return bound.port();
}

}  // namespace synod::net
