// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Asks a running node's control door for a page, such as its metrics. Blocks the calling thread.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <string>

#include "core/control/files.hpp"

namespace synod::testing {

//! The whole answer to GET `path`; empty when nothing listens.
inline std::string get(const control::ControlFile& at, const std::string& path) {
    namespace asio = boost::asio;
    asio::io_context io;
    asio::ip::tcp::socket socket(io);
    boost::system::error_code failed;
    socket.connect({asio::ip::make_address(at.address), at.port}, failed);
    std::string out;
    if (!failed) {
        asio::write(socket, asio::buffer("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), failed);
        asio::read(socket, asio::dynamic_buffer(out), failed);
    }
    return out;
}

}  // namespace synod::testing
