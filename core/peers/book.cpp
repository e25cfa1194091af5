// SPDX-License-Identifier: Apache-2.0
#include "core/peers/book.hpp"

#include <algorithm>
#include <tuple>

#include "core/base/codec.hpp"

namespace synod::peers {

namespace {

constexpr std::uint8_t kVersion = 1;

//! splitmix64's finaliser (Steele, Lea, Flood, OOPSLA 2014): spreads, needs no secrecy.
std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

//! Drawn by (seed, endpoint).
std::uint64_t number_of(std::uint64_t seed, const Endpoint& endpoint) {
    auto drawn = mix(seed ^ (std::uint64_t{endpoint.port} << 32));
    for (const char c : endpoint.address) {
        drawn = mix(drawn + 0x9e3779b97f4a7c15ull + static_cast<std::uint8_t>(c));
    }
    return drawn;
}

bool usable(const Endpoint& e) {
    const auto allowed = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
               c == ':' || c == '-';
    };
    return e.port != 0 && !e.address.empty() && e.address.size() <= kMaxAddressBytes &&
           std::ranges::all_of(e.address, allowed);
}

}  // namespace

Duration dial_wait(std::uint64_t seed, const Endpoint& endpoint, std::uint32_t failures) {
    auto wait = kDialWaitFirst;
    for (std::uint32_t i = 1; i < failures && wait < kDialWaitMax; ++i) {
        wait *= 2;
    }
    wait = std::min(wait, kDialWaitMax);
    const auto half = static_cast<std::uint64_t>(wait.count()) / 2;
    return wait * 3 / 4 +
           Duration(static_cast<std::int64_t>(number_of(seed ^ failures, endpoint) % half));
}

bool AddressBook::is_anchor(const Endpoint& endpoint) const {
    return std::ranges::find(anchors_, endpoint) != anchors_.end();
}

bool AddressBook::make_room() {
    if (rows_.size() < kMaxKnownEndpoints) {
        return true;
    }
    auto worst = rows_.end();
    for (auto it = rows_.begin(); it != rows_.end(); ++it) {
        if (it->second.known.last_success == 0 && !is_anchor(it->first) &&
            (worst == rows_.end() || it->second.known.failures > worst->second.known.failures)) {
            worst = it;
        }
    }
    if (worst == rows_.end()) {
        return false;
    }
    rows_.erase(worst);
    return true;
}

bool AddressBook::source_full(std::uint64_t source) const {
    const auto theirs = std::ranges::count_if(rows_, [&](const auto& row) {
        return row.second.source == source && row.second.known.last_success == 0;
    });
    return source != 0 && static_cast<std::size_t>(theirs) >= kMaxPerSource;
}

Result<void> AddressBook::add(const Endpoint& endpoint, std::optional<PublicKey> identity,
                              std::uint64_t source) {
    if (!usable(endpoint)) {
        return fail("peers.bad_address", "not an address and port that can be dialled");
    }
    if (rows_.contains(endpoint)) {
        return {};  // hearsay doesn't change what is known
    }
    if (source_full(source)) {
        return fail("peers.source_full", "one network has named " + std::to_string(kMaxPerSource) +
                                             " endpoints that never worked");
    }
    if (!make_room()) {
        return fail("peers.book_full", "the address book holds " +
                                           std::to_string(kMaxKnownEndpoints) +
                                           " endpoints that all have worked");
    }
    auto& row = rows_[endpoint];
    row.known.identity = identity;
    row.source = source;
    return {};
}

Result<void> AddressBook::succeeded(const Endpoint& endpoint, const PublicKey& identity,
                                    UnixMs unix_now) {
    if (auto added = add(endpoint, identity); !added) {
        return added;
    }
    auto& row = rows_[endpoint];
    row.known.identity = identity;
    row.known.last_success = std::max<UnixMs>(1, unix_now);
    row.known.failures = 0;
    row.not_before = Instant{};
    return {};
}

void AddressBook::failed(const Endpoint& endpoint, UnixMs unix_now, Instant now) {
    const auto it = rows_.find(endpoint);
    if (it == rows_.end()) {
        return;
    }
    auto& row = it->second;
    row.known.last_failure = std::max<UnixMs>(1, unix_now);
    row.known.failures = std::min(row.known.failures + 1, kMaxFailuresCounted);
    row.not_before = now + dial_wait(seed_, endpoint, row.known.failures);
}

void AddressBook::forget(Endpoint endpoint) {
    rows_.erase(endpoint);
    std::erase(anchors_, endpoint);
}

bool AddressBook::may_dial(const Endpoint& endpoint, Instant now) const {
    const auto it = rows_.find(endpoint);
    return it != rows_.end() && now >= it->second.not_before;
}

std::vector<Endpoint> AddressBook::candidates(Instant now, std::size_t max) const {
    std::vector<const std::pair<const Endpoint, Row>*> ready;
    for (const auto& row : rows_) {
        if (now >= row.second.not_before) {
            ready.push_back(&row);
        }
    }
    std::ranges::sort(ready, {}, [&](const auto* row) {
        const auto& known = row->second.known;
        return std::tuple(!is_anchor(row->first), known.failures, ~known.last_success,
                          row->first);
    });
    std::vector<Endpoint> out;
    for (std::size_t i = 0; i < std::min(max, ready.size()); ++i) {
        out.push_back(ready[i]->first);
    }
    return out;
}

std::vector<Endpoint> AddressBook::shuffled(Instant now, std::uint64_t dice) const {
    using Drawn = std::pair<std::uint64_t, const Endpoint*>;
    std::map<std::uint64_t, std::vector<Drawn>> of_source;
    std::vector<std::tuple<std::size_t, std::uint64_t, const Endpoint*>> turns;  // round, place, who
    for (const auto& [endpoint, row] : rows_) {
        if (now < row.not_before) {
            continue;
        }
        if (row.known.last_success > 0) {
            turns.emplace_back(0, number_of(dice, endpoint), &endpoint);
        } else {
            of_source[row.source].emplace_back(number_of(dice, endpoint), &endpoint);
        }
    }
    for (auto& [source, endpoints] : of_source) {
        std::ranges::stable_sort(endpoints, {}, &Drawn::first);
        for (std::size_t round = 0; round < endpoints.size(); ++round) {
            turns.emplace_back(round, mix(dice ^ mix(source)), endpoints[round].second);
        }
    }
    std::ranges::sort(turns);
    std::vector<Endpoint> out;
    for (const auto& turn : turns) {
        out.push_back(*std::get<2>(turn));
    }
    return out;
}

const Known* AddressBook::find(const Endpoint& endpoint) const {
    const auto it = rows_.find(endpoint);
    return it == rows_.end() ? nullptr : &it->second.known;
}

void AddressBook::set_anchors(const std::vector<Endpoint>& endpoints) {
    anchors_.clear();
    for (const auto& endpoint : endpoints) {
        if (anchors_.size() < kMaxAnchors && rows_.contains(endpoint) && !is_anchor(endpoint)) {
            anchors_.push_back(endpoint);
        }
    }
}

Bytes AddressBook::encode() const {
    Writer out;
    out.put(kVersion).put(static_cast<std::uint32_t>(rows_.size()));
    for (const auto& [endpoint, row] : rows_) {
        const auto& known = row.known;
        out.text(endpoint.address).put(endpoint.port);
        out.put(static_cast<std::uint8_t>(known.identity.has_value()));
        if (known.identity) {
            out.fixed(*known.identity);
        }
        out.put(known.last_success).put(known.last_failure).put(known.failures);
    }
    out.put(static_cast<std::uint32_t>(anchors_.size()));
    for (const auto& anchor : anchors_) {
        out.text(anchor.address).put(anchor.port);
    }
    return out.take();
}

Result<void> AddressBook::restore(ByteView bytes) {
    Reader in(bytes);
    const auto corrupt = [&] {
        return fail("peers.book_corrupt", "the stored address book can't be read",
                    "offset " + std::to_string(bytes.size() - in.left()),
                    "start without it: peers are found again");
    };
    AddressBook read(seed_);
    const auto version = in.get<std::uint8_t>();
    const auto count = in.get<std::uint32_t>();
    if (!in.ok() || version != kVersion || count > kMaxKnownEndpoints) {
        return corrupt();
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        Endpoint endpoint{in.text(kMaxAddressBytes), in.get<std::uint16_t>()};
        const auto has_identity = in.get<std::uint8_t>();
        Known known;
        if (has_identity == 1) {
            known.identity = in.fixed<PublicKey>();
        }
        known.last_success = in.get<std::uint64_t>();
        known.last_failure = in.get<std::uint64_t>();
        known.failures = in.get<std::uint32_t>();
        const bool ascending = read.rows_.empty() || read.rows_.rbegin()->first < endpoint;
        if (!in.ok() || has_identity > 1 || known.failures > kMaxFailuresCounted || !ascending ||
            !usable(endpoint)) {
            return corrupt();
        }
        read.rows_.emplace(std::move(endpoint), Row{known, Instant{}});
    }
    const auto n_anchors = in.get<std::uint32_t>();
    if (!in.ok() || n_anchors > kMaxAnchors) {
        return corrupt();
    }
    for (std::uint32_t i = 0; i < n_anchors; ++i) {
        const Endpoint anchor{in.text(kMaxAddressBytes), in.get<std::uint16_t>()};
        if (!in.ok() || !read.rows_.contains(anchor) || read.is_anchor(anchor)) {
            return corrupt();
        }
        read.anchors_.push_back(anchor);
    }
    if (!in.done()) {
        return corrupt();
    }
    rows_.swap(read.rows_);
    anchors_.swap(read.anchors_);
    return {};
}

}  // namespace synod::peers
