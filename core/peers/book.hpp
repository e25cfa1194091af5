// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The address book: which endpoints are known, how dialling them went, when to try again, and the
//! anchors that a restart tries first. Plain values on the control thread; time is passed in. It
//! neither dials nor resolves, and trusts no hearsay over an endpoint that has worked.

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace synod::peers {

inline constexpr std::size_t kMaxKnownEndpoints = 4'096;
//! Endpoints of one network's hearsay: whoever floods the book fills its own share only.
inline constexpr std::size_t kMaxPerSource = 256;
inline constexpr std::size_t kMaxAnchors = 8;
inline constexpr std::size_t kMaxAddressBytes = 253;  // a host name, RFC 1035 section 2.3.4
inline constexpr Duration kDialWaitFirst = std::chrono::milliseconds(500);
inline constexpr Duration kDialWaitMax = std::chrono::minutes(1);  // a federation's node is found again soon
inline constexpr std::uint32_t kMaxFailuresCounted = 1'000;

//! One text an endpoint: the caller writes numeric addresses in their canonical form.
struct Endpoint {
    std::string address;
    std::uint16_t port = 0;
    auto operator<=>(const Endpoint&) const = default;
};

struct Known {
    std::optional<PublicKey> identity;  //!< as last proven by a handshake, or as told
    UnixMs last_success = 0;            //!< 0: never
    UnixMs last_failure = 0;            //!< 0: never
    std::uint32_t failures = 0;         //!< in a row
    bool operator==(const Known&) const = default;
};

//! How long to wait after the `failures`-th failure in a row (>= 1): kDialWaitFirst doubling to
//! kDialWaitMax, times a factor in [.75, 1.25) drawn from (seed, endpoint, failures), so that nodes
//! which lost the same peer don't return in step. Pure; at most 1.25 x kDialWaitMax.
Duration dial_wait(std::uint64_t seed, const Endpoint& endpoint, std::uint32_t failures);

class AddressBook {
  public:
    explicit AddressBook(std::uint64_t seed) : seed_(seed) {}

    //! Hearsay or configuration. A full book gives up its worst endpoint that never worked; when
    //! all worked, the newcomer is refused. `source` is the network group of who said so, 0 for the
    //! manifest; it isn't kept over restarts. Errors: peers.bad_address, peers.book_full,
    //! peers.source_full.
    Result<void> add(const Endpoint& endpoint, std::optional<PublicKey> identity = {},
                     std::uint64_t source = 0);
    //! A dial ended in a proven handshake. Adds the endpoint when it isn't known.
    Result<void> succeeded(const Endpoint& endpoint, const PublicKey& identity, UnixMs unix_now);
    //! A dial failed; unknown endpoints are ignored. `now` starts the wait.
    void failed(const Endpoint& endpoint, UnixMs unix_now, Instant now);
    void forget(Endpoint endpoint);  //!< by value: it may be one of anchors()

    [[nodiscard]] bool may_dial(const Endpoint& endpoint, Instant now) const;
    //! Up to `max` endpoints that may be dialled: anchors, then fewest failures, then the latest
    //! success, then by name.
    [[nodiscard]] std::vector<Endpoint> candidates(Instant now, std::size_t max) const;
    //! All endpoints that may be dialled, in an order that `dice` gives and no preference does. The networks
    //! that named them take turns, so whoever floods the book is drawn no more often for it; an endpoint
    //! that has worked needs nobody's word and has a turn of its own.
    [[nodiscard]] std::vector<Endpoint> shuffled(Instant now, std::uint64_t dice) const;
    [[nodiscard]] const Known* find(const Endpoint& endpoint) const;
    [[nodiscard]] std::size_t size() const { return rows_.size(); }

    //! The first kMaxAnchors known ones of `endpoints`, each once, in their order.
    void set_anchors(const std::vector<Endpoint>& endpoints);
    [[nodiscard]] const std::vector<Endpoint>& anchors() const { return anchors_; }

    //! u8 version 1; u32 count, then each endpoint in ascending order: text address, u16 port, u8 0
    //! or 1 and the identity, u64 last success, u64 last failure, u32 failures; u32 count of
    //! anchors, then text address, u16 port each. Waits aren't kept: a restart may try everybody
    //! once.
    [[nodiscard]] Bytes encode() const;
    //! Strict: one value has one encoding. Replaces all, or changes nothing. Errors:
    //! peers.book_corrupt.
    Result<void> restore(ByteView bytes);

  private:
    struct Row {
        Known known;
        Instant not_before{};
        std::uint64_t source = 0;
    };
    bool make_room();
    [[nodiscard]] bool source_full(std::uint64_t source) const;
    [[nodiscard]] bool is_anchor(const Endpoint& endpoint) const;

    const std::uint64_t seed_;
    std::map<Endpoint, Row> rows_;
    std::vector<Endpoint> anchors_;
};

}  // namespace synod::peers
