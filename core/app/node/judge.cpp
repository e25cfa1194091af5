// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/judge.hpp"

#include "core/base/codec.hpp"

namespace synod::app {

namespace {

constexpr std::size_t kMaxReasonBytes = 256;  // of a stored reason or rule

//! A ban as it is kept over restarts; one that ended long ago is one that was lifted.
store::Commit ban_record(const PublicKey& identity, UnixMs until, const std::string& reason,
                         const std::string& rule, std::uint64_t height) {
    store::Commit change;
    change.put_records.push_back(
        {"bans", Bytes(identity.data.begin(), identity.data.end()),
         synod::Writer().put(until).text(reason).text(rule).put(height).take()});
    return change;
}

}  // namespace

void Judge::restore(const std::vector<store::Record>& bans, Instant now, UnixMs unix_now) {
    for (const auto& record : bans) {
        Reader in(record.value);
        if (record.key.size() != PublicKey::size()) {
            continue;
        }
        peers::Ban ban{PublicKey::copy(record.key.data()), in.get<std::uint64_t>(), {}};
        ban.why.reason = in.text(kMaxReasonBytes);
        ban.why.rule = in.text(kMaxReasonBytes);
        ban.why.height = in.get<std::uint64_t>();
        if (in.done() && ban.until > unix_now) {
            ledger_.restore(ban, now);
        }
    }
}

Sentence Judge::charge(const PublicKey& identity, std::uint64_t group, const Charge& charge,
                       bool needed, Instant now, UnixMs unix_now) {
    if (charge.digest) {
        const auto blame = self_fault_.failed(*charge.digest, identity, group);
        if (blame.self_fault_suspected) {
            ++self_faults_;
            for (const auto& cleared : blame.cleared) {
                if (ledger_.banned(cleared, unix_now)) {
                    store_change_(ban_record(cleared, 0, {}, {}, 0));
                }
                ledger_.pardon(cleared);
            }
            return Sentence::kSelfFault;
        }
    }
    const auto reason = charge.reason.substr(0, kMaxReasonBytes);
    const auto rule = charge.rule.substr(0, kMaxReasonBytes);
    const auto verdict =
        ledger_.report(identity, charge.severity, {reason, rule, charge.height, unix_now}, now);
    if (verdict == peers::Verdict::kNone) {
        return Sentence::kNone;
    }
    if (needed) {
        ledger_.unban(identity);
        ++self_faults_;
        liveness_.timed_out(identity, reason, now);
        return Sentence::kCoolDown;
    }
    if (verdict == peers::Verdict::kDisconnect) {
        return Sentence::kDisconnect;
    }
    store_change_(ban_record(identity, unix_now + peers::kBanMs, reason, rule, charge.height));
    return Sentence::kBan;
}

}  // namespace synod::app
