// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The requests that wait for a reply: what was asked of whom, how much may come back and until
//! when. Judges each reply before anything expensive looks at it. Pure: time is injected; bounded;
//! not thread-safe.

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace synod::net {

inline constexpr std::size_t kMaxOpenRequests = 4'096;     //!< requests
inline constexpr std::size_t kMaxRememberedExpired = 4'096;  //!< request ids that may come late

enum class RequestKind : std::uint8_t { headers, blocks, by_hash, peers };

//! What a reply may hold.
struct RequestLimits {
    std::uint64_t from = 0;       //!< first height asked for
    std::uint32_t count = 0;      //!< items at most
    std::uint64_t max_bytes = 0;  //!< of the whole reply frame
};

struct OpenRequest {
    std::uint32_t id = 0;
    std::uint64_t peer = 0;
    RequestKind kind = RequestKind::headers;
    RequestLimits limits;
    Instant opened{};
    Instant deadline{};
};

//! What a reply says of itself. `count` 0 stands for a refusal (busy, other fork): no range then.
struct ReplyClaim {
    std::uint32_t id = 0;
    std::uint64_t peer = 0;
    RequestKind kind = RequestKind::headers;
    std::uint64_t from = 0;
    std::uint32_t count = 0;
    std::uint64_t bytes = 0;  //!< of the whole frame
};

enum class ReplyVerdict : std::uint8_t { ok, unsolicited, late, out_of_range, too_large };

struct ReplyMatch {
    ReplyVerdict verdict = ReplyVerdict::unsolicited;
    //! The request, closed by this reply; nothing for an unsolicited reply and for one so late that
    //! expire() had already returned its request.
    std::optional<OpenRequest> request;
};

//! A stable reason code such as "net.reply_unsolicited"; "ok" for ok.
constexpr const char* reason_code(ReplyVerdict verdict) {
    switch (verdict) {
        case ReplyVerdict::ok: return "ok";
        case ReplyVerdict::unsolicited: return "net.reply_unsolicited";
        case ReplyVerdict::late: return "net.reply_late";
        case ReplyVerdict::out_of_range: return "net.reply_out_of_range";
        case ReplyVerdict::too_large: return "net.reply_too_large";
    }
    return "net.reply_unsolicited";
}

class RequestTable {
  public:
    explicit RequestTable(std::size_t max_open = kMaxOpenRequests) : max_open_(max_open) {}

    //! An id that is not in use.
    std::uint32_t next_id() {
        do {
            ++last_id_;
        } while (open_.contains(last_id_));
        return last_id_;
    }
    //! Errors: net.request_table_full, net.request_id_in_use.
    Result<void> open(std::uint32_t id, std::uint64_t peer, RequestKind kind, RequestLimits limits,
                      Instant now, Instant deadline) {
        if (open_.contains(id)) {
            return fail("net.request_id_in_use", "request id " + std::to_string(id) + " is open",
                        "requests");
        }
        if (open_.size() >= max_open_) {
            return fail("net.request_table_full",
                        std::to_string(max_open_) + " requests are open already", "requests");
        }
        open_.emplace(id, OpenRequest{id, peer, kind, limits, now, deadline});
        return {};
    }
    //! Judges a reply and closes its request, whatever the verdict; an unsolicited reply (wrong id,
    //! peer or kind) closes nothing.
    ReplyMatch match(const ReplyClaim& reply, Instant now) {
        const auto at = open_.find(reply.id);
        if (at == open_.end()) {
            const bool was_open = was_expired(reply);
            return {was_open ? ReplyVerdict::late : ReplyVerdict::unsolicited, std::nullopt};
        }
        if (at->second.peer != reply.peer || at->second.kind != reply.kind) {
            return {ReplyVerdict::unsolicited, std::nullopt};
        }
        ReplyMatch out{judge(at->second, reply, now), at->second};
        open_.erase(at);
        return out;
    }
    //! Nobody waits for this one any more. Its reply may still come: it counts as late.
    void cancel(std::uint32_t id) {
        if (const auto at = open_.find(id); at != open_.end()) {
            remember(at->second);
            open_.erase(at);
        }
    }
    //! Closes and returns every request whose deadline has passed, lowest id first.
    std::vector<OpenRequest> expire(Instant now) {
        return take([now](const OpenRequest& r) { return r.deadline <= now; }, true);
    }
    //! Closes and returns every request to `peer`, lowest id first.
    std::vector<OpenRequest> peer_closed(std::uint64_t peer) {
        return take([peer](const OpenRequest& r) { return r.peer == peer; }, false);
    }
    [[nodiscard]] std::size_t size() const { return open_.size(); }
    [[nodiscard]] std::size_t open_to(std::uint64_t peer) const {
        std::size_t n = 0;
        for (const auto& [id, request] : open_) {
            n += request.peer == peer ? 1 : 0;
        }
        return n;
    }

  private:
    static ReplyVerdict judge(const OpenRequest& asked, const ReplyClaim& reply, Instant now) {
        if (reply.bytes > asked.limits.max_bytes) {
            return ReplyVerdict::too_large;
        }
        if (reply.count > asked.limits.count) {
            return ReplyVerdict::out_of_range;
        }
        const bool ranged =
            asked.kind == RequestKind::headers || asked.kind == RequestKind::blocks;
        if (ranged && reply.count > 0 && reply.from != asked.limits.from) {
            return ReplyVerdict::out_of_range;
        }
        return now > asked.deadline ? ReplyVerdict::late : ReplyVerdict::ok;
    }
    template <typename Which>
    std::vector<OpenRequest> take(Which which, bool remember) {
        std::vector<OpenRequest> out;
        for (auto at = open_.begin(); at != open_.end();) {
            if (which(at->second)) {
                out.push_back(at->second);
                at = open_.erase(at);
            } else {
                ++at;
            }
        }
        std::sort(out.begin(), out.end(),
                  [](const OpenRequest& a, const OpenRequest& b) { return a.id < b.id; });
        for (const auto& request : out) {
            if (remember) {
                this->remember(request);
            }
        }
        return out;
    }
    void remember(const OpenRequest& request) {
        expired_.push_back({request.id, request.peer});
        if (expired_.size() > kMaxRememberedExpired) {
            expired_.pop_front();
        }
    }
    //! A late reply is late once; a second one was never asked for.
    bool was_expired(const ReplyClaim& reply) {
        for (auto at = expired_.begin(); at != expired_.end(); ++at) {
            if (at->id == reply.id && at->peer == reply.peer) {
                expired_.erase(at);
                return true;
            }
        }
        return false;
    }

    struct Expired {
        std::uint32_t id;
        std::uint64_t peer;
    };
    std::size_t max_open_;
    std::uint32_t last_id_ = 0;
    std::unordered_map<std::uint32_t, OpenRequest> open_;
    std::deque<Expired> expired_;
};

}  // namespace synod::net
