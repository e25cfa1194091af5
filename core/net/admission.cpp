// SPDX-License-Identifier: Apache-2.0
#include "core/net/admission.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cassert>
#include <string>

namespace synod::net {

namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::size_t at(const std::map<IpAddress, std::size_t>& counts, const IpAddress& key) {
    const auto found = counts.find(key);
    return found == counts.end() ? 0 : found->second;
}

void drop(std::map<IpAddress, std::size_t>& counts, const IpAddress& key) {
    const auto found = counts.find(key);
    assert(found != counts.end());
    if (--found->second == 0) {
        counts.erase(found);
    }
}

}  // namespace

bool IpAddress::is_v4() const {
    return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
}

bool IpAddress::is_loopback() const {
    if (is_v4()) {
        return bytes[12] == 127;
    }
    IpAddress one;
    one.bytes[15] = 1;
    return *this == one;
}

IpAddress IpAddress::group() const {
    IpAddress out;
    const std::ptrdiff_t kept = is_v4() ? 14 : 4;
    std::copy(bytes.begin(), bytes.begin() + kept, out.bytes.begin());
    return out;
}

std::optional<IpAddress> parse_ip(std::string_view text) {
    const std::string copy(text);
    IpAddress out;
    if (inet_pton(AF_INET6, copy.c_str(), out.bytes.data()) == 1) {
        return out;
    }
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), out.bytes.begin());
    if (inet_pton(AF_INET, copy.c_str(), out.bytes.data() + kMappedPrefix.size()) == 1) {
        return out;
    }
    return std::nullopt;
}

Admission::Admission(AdmissionLimits limits, Instant now)
    : limits_(limits),
      handshakes_(std::max<std::uint64_t>(limits.handshakes_per_second, 1) * 2,
                  std::chrono::seconds(2), now) {}

Result<void> Admission::admit_inbound(const IpAddress& from, Instant now) {
    const bool exempt = limits_.exempt_loopback && from.is_loopback();
    if (total_ >= limits_.max_total) {
        return fail("net.full", "all " + std::to_string(limits_.max_total) + " links are taken",
                    "admission");
    }
    if (inbound_ >= limits_.max_inbound) {
        return fail("net.inbound_full",
                    "all " + std::to_string(limits_.max_inbound) + " inbound links are taken",
                    "admission");
    }
    if (!exempt && at(per_address_, from) >= limits_.max_per_address) {
        return fail("net.address_full", "too many links with one address", "admission");
    }
    if (!exempt && at(per_group_, from.group()) >= limits_.max_per_group) {
        return fail("net.subnet_full", "too many links with one subnet", "admission");
    }
    if (!handshakes_.try_take(1, now)) {
        return fail("net.handshake_rate", "too many handshakes a second", "admission");
    }
    count(from);
    ++inbound_;
    return {};
}

Result<void> Admission::admit_outbound(const IpAddress& to) {
    if (total_ >= limits_.max_total) {
        return fail("net.full", "all " + std::to_string(limits_.max_total) + " links are taken",
                    "admission");
    }
    count(to);
    return {};
}

void Admission::count(const IpAddress& address) {
    ++total_;
    ++per_address_[address];
    ++per_group_[address.group()];
}

void Admission::release(const IpAddress& address, bool inbound) {
    assert(total_ > 0 && (!inbound || inbound_ > 0));
    --total_;
    inbound_ -= inbound ? 1 : 0;
    drop(per_address_, address);
    drop(per_group_, address.group());
}

}  // namespace synod::net
