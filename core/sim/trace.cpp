// SPDX-License-Identifier: Apache-2.0
#include "core/sim/trace.hpp"

#include <cinttypes>

#include "core/net/messages.hpp"

namespace synod::sim {

namespace {

std::uint64_t mix(std::uint64_t state, std::uint64_t value) {
    state = (state ^ value) * 0x9e3779b97f4a7c15ULL;
    return state ^ (state >> 32U);
}

}  // namespace

std::uint64_t fingerprint(ByteView bytes) {
    auto out = mix(0xcbf29ce484222325ULL, bytes.size());
    for (; bytes.size() >= sizeof out; bytes = bytes.subspan(sizeof out)) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), sizeof word);
        out = mix(out, word);
    }
    for (const auto byte : bytes) {
        out = mix(out, byte);
    }
    return out;
}

void Trace::add(std::uint64_t value) { number_ = mix(number_, value); }

void Trace::line(Instant when, std::string_view who, std::string_view what) {
    ++lines_;
    add(static_cast<std::uint64_t>(when.count()));
    const auto bytes = [](std::string_view text) {
        return ByteView{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
    };
    add(fingerprint(bytes(who)));
    add(fingerprint(bytes(what)));
    if (file_) {
        std::fprintf(file_.get(), "%lld %.*s %.*s\n", static_cast<long long>(when.count()),
                     static_cast<int>(who.size()), who.data(), static_cast<int>(what.size()), what.data());
    }
}

void Trace::frame(Instant when, std::uint32_t from, std::uint32_t to, ByteView bytes) {
    ++lines_;
    const auto print = fingerprint(bytes);
    add(static_cast<std::uint64_t>(when.count()));
    add(std::uint64_t{from} << 32U | to);
    add(print);
    if (file_) {
        const auto type = bytes.empty() ? std::string_view("empty") : net::type_name(bytes[0]);
        std::fprintf(file_.get(), "%lld %u>%u %.*s %zu %016" PRIx64 "\n", static_cast<long long>(when.count()),
                     from, to, static_cast<int>(type.size()), type.data(), bytes.size(), print);
    }
}

}  // namespace synod::sim
