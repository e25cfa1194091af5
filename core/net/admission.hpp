// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Who may connect: caps on all links, on inbound ones, on links of one address and of one subnet,
//! and on handshakes a second. Asked before any cryptography is done for a stranger. Pure: time is
//! injected; memory is bounded by the links that it admitted. Not thread-safe.

#include <map>
#include <optional>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/net/token_bucket.hpp"

namespace synod::net {

//! An IPv6 address; IPv4 in its mapped form ::ffff:a.b.c.d (RFC 4291, 2.5.5.2).
struct IpAddress {
    std::array<std::uint8_t, 16> bytes{};
    auto operator<=>(const IpAddress&) const = default;

    [[nodiscard]] bool is_v4() const;
    [[nodiscard]] bool is_loopback() const;
    //! The subnet as an address with its other bits zero: IPv4 /16, IPv6 /32.
    [[nodiscard]] IpAddress group() const;
};

//! Reads a numeric IPv4 or IPv6 address; nothing for anything else. Asks no resolver.
std::optional<IpAddress> parse_ip(std::string_view text);

struct AdmissionLimits {
    std::size_t max_total = 100;       //!< links, both directions
    std::size_t max_inbound = 70;      //!< links; leaves an outbound share of 30 %
    std::size_t max_per_address = 4;   //!< links, both directions; checked for inbound ones
    std::size_t max_per_group = 16;    //!< links, both directions; checked for inbound ones
    std::uint64_t handshakes_per_second = 50;  //!< inbound; twice that in one burst
    bool exempt_loopback = true;       //!< several nodes on one machine: no address or group cap
};

class Admission {
  public:
    Admission(AdmissionLimits limits, Instant now);

    //! Counts a link from `from`. Errors (nothing is counted then): net.full, net.inbound_full,
    //! net.address_full, net.subnet_full, net.handshake_rate.
    Result<void> admit_inbound(const IpAddress& from, Instant now);
    //! Counts a link that this node dials. Error: net.full.
    Result<void> admit_outbound(const IpAddress& to);
    //! Ends a link admitted before. Precondition: it was.
    void release(const IpAddress& address, bool inbound);

    [[nodiscard]] std::size_t total() const { return total_; }
    [[nodiscard]] std::size_t inbound() const { return inbound_; }

  private:
    void count(const IpAddress& address);

    AdmissionLimits limits_;
    TokenBucket handshakes_;
    std::size_t total_ = 0;
    std::size_t inbound_ = 0;
    std::map<IpAddress, std::size_t> per_address_;
    std::map<IpAddress, std::size_t> per_group_;
};

}  // namespace synod::net
