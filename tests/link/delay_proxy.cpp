// SPDX-License-Identifier: Apache-2.0
//! A TCP proxy that holds every byte back for a while in each direction, for where the kernel has no
//! queue that delays. delay_proxy LISTEN_PORT HOST PORT DELAY_MS: listens on 127.0.0.1 until it is ended.
//! What it holds is bounded, so that a slow reader is felt by the sender as on a real line.

#include <boost/asio.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kPieceBytes = 64 << 10;
constexpr std::size_t kHeldBytes = 8 << 20;  // a direction

struct Link : std::enable_shared_from_this<Link> {
    Link(tcp::socket a, tcp::socket b, Clock::duration d) : near(std::move(a)), far(std::move(b)), delay(d) {}
    tcp::socket near, far;
    const Clock::duration delay;

    struct Way {
        Way(tcp::socket& f, tcp::socket& t) : from(f), to(t), timer(f.get_executor()) {}
        tcp::socket &from, &to;
        asio::steady_timer timer;
        std::deque<std::pair<Clock::time_point, std::vector<char>>> held;
        std::size_t bytes = 0;
        bool reading = false, writing = false;
    };
    Way there{near, far}, back{far, near};

    void start() {
        read(there);
        read(back);
    }
    void end() {
        boost::system::error_code ignored;
        near.close(ignored);
        far.close(ignored);
        there.timer.cancel();
        back.timer.cancel();
    }
    void read(Way& way) {
        if (way.reading || way.bytes >= kHeldBytes) {
            return;
        }
        way.reading = true;
        auto piece = std::make_shared<std::vector<char>>(kPieceBytes);
        way.from.async_read_some(asio::buffer(*piece), [self = shared_from_this(), &way, piece](auto error, std::size_t n) {
            way.reading = false;
            if (error) {
                self->end();
                return;
            }
            piece->resize(n);
            way.bytes += n;
            way.held.emplace_back(Clock::now() + self->delay, std::move(*piece));
            self->write(way);
            self->read(way);
        });
    }
    void write(Way& way) {
        if (way.writing || way.held.empty()) {
            return;
        }
        way.writing = true;
        way.timer.expires_at(way.held.front().first);
        way.timer.async_wait([self = shared_from_this(), &way](auto error) {
            if (error) {
                return;
            }
            asio::async_write(way.to, asio::buffer(way.held.front().second), [self, &way](auto failed, std::size_t n) {
                way.writing = false;
                if (failed) {
                    self->end();
                    return;
                }
                way.bytes -= n;
                way.held.pop_front();
                self->write(way);
                self->read(way);
            });
        });
    }
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fputs("delay_proxy LISTEN_PORT HOST PORT DELAY_MS\n", stderr);
        return 2;
    }
    asio::io_context io;
    const tcp::endpoint target(asio::ip::make_address(argv[2]), static_cast<std::uint16_t>(std::atoi(argv[3])));
    const std::chrono::milliseconds delay(std::atoi(argv[4]));
    tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), static_cast<std::uint16_t>(std::atoi(argv[1]))});
    const std::function<void()> accept = [&] {
        acceptor.async_accept([&](auto error, tcp::socket near) {
            if (error) {
                return;
            }
            auto far = std::make_shared<tcp::socket>(io);
            auto waiting = std::make_shared<tcp::socket>(std::move(near));
            far->async_connect(target, [&, far, waiting](auto failed) {
                if (!failed) {
                    waiting->set_option(tcp::no_delay(true));
                    far->set_option(tcp::no_delay(true));
                    std::make_shared<Link>(std::move(*waiting), std::move(*far), delay)->start();
                }
            });
            accept();
        });
    };
    accept();
    io.run();
    return 0;
}
