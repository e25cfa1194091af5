// SPDX-License-Identifier: Apache-2.0
#include "core/peers/misbehaviour.hpp"

#include <algorithm>
#include <cmath>

namespace synod::peers {

double points(Severity severity) {
    switch (severity) {
        case Severity::kSlight: return 1;
        case Severity::kMedium: return 10;
        case Severity::kGrave: return kDisconnectAt;
        case Severity::kFatal: return kMaxPoints;
    }
    return kMaxPoints;
}

double Misbehaviour::decayed(const Entry& entry, Instant now) {
    const auto age = std::max<double>(0, static_cast<double>((now - entry.as_of).count()));
    return entry.points * std::exp2(-age / static_cast<double>(kHalfLife.count()));
}

Misbehaviour::Entry& Misbehaviour::entry_for(const PublicKey& identity, Instant now) {
    if (entries_.size() >= kMaxLedgerEntries && !entries_.contains(identity)) {
        auto least = entries_.begin();
        for (auto it = entries_.begin(); it != entries_.end(); ++it) {
            if (it->second.banned_until == 0 && decayed(it->second, now) < decayed(least->second, now)) {
                least = it;
            }
        }
        entries_.erase(least);
    }
    return entries_[identity];
}

Verdict Misbehaviour::report(const PublicKey& identity, Severity severity, Offence offence,
                             Instant now) {
    auto& entry = entry_for(identity, now);
    entry.points = std::min(kMaxPoints, decayed(entry, now) + points(severity));
    entry.as_of = now;
    const auto at = offence.at;
    entry.offences.push_back(std::move(offence));
    if (entry.offences.size() > kMaxEvidence) {
        entry.offences.pop_front();
    }
    if (entry.points >= kBanAt) {
        entry.banned_until = at + kBanMs;
        return Verdict::kBan;
    }
    return entry.points >= kDisconnectAt ? Verdict::kDisconnect : Verdict::kNone;
}

void Misbehaviour::unban(const PublicKey& identity) {
    if (const auto it = entries_.find(identity); it != entries_.end()) {
        it->second.banned_until = 0;
    }
}

Standing Misbehaviour::standing(const PublicKey& identity, Instant now, UnixMs unix_now) const {
    Standing out;
    if (const auto it = entries_.find(identity); it != entries_.end()) {
        out.points = decayed(it->second, now);
        if (it->second.banned_until > unix_now) {
            out.banned_until = it->second.banned_until;
        }
        out.offences.assign(it->second.offences.begin(), it->second.offences.end());
    }
    return out;
}

bool Misbehaviour::banned(const PublicKey& identity, UnixMs unix_now) const {
    const auto it = entries_.find(identity);
    return it != entries_.end() && it->second.banned_until > unix_now;
}

std::vector<Ban> Misbehaviour::bans(UnixMs unix_now) const {
    std::vector<Ban> out;
    for (const auto& [identity, entry] : entries_) {
        if (entry.banned_until > unix_now) {
            out.push_back({identity, entry.banned_until,
                           entry.offences.empty() ? Offence{} : entry.offences.back()});
        }
    }
    std::ranges::sort(out, {}, &Ban::identity);
    return out;
}

void Misbehaviour::restore(const Ban& ban, Instant now) {
    auto& entry = entry_for(ban.identity, now);
    entry.banned_until = ban.until;
    entry.points = kMaxPoints;
    entry.as_of = now;
    entry.offences.push_back(ban.why);
}

}  // namespace synod::peers
