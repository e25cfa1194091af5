// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/block_server.hpp"
#include "core/base/planted.hpp"

#include <algorithm>

#include "core/app/node/cost_limits.hpp"

namespace synod::app {

namespace {

constexpr std::uint64_t kTypicalBlockBytes = 1'024;

net::Headers refusal(const net::GetHeaders& ask, net::ReplyResult result, std::uint32_t retry_ms = 0) {
    net::Headers out;
    out.id = ask.id;
    out.result = result;
    out.retry_ms = retry_ms;
    out.from = ask.from;
    return out;
}

net::Blocks refusal(std::uint32_t id, std::uint64_t from, net::ReplyResult result,
                    std::uint32_t retry_ms = 0) {
    net::Blocks out;
    out.id = id;
    out.result = result;
    out.retry_ms = retry_ms;
    out.from = from;
    return out;
}

}  // namespace

std::optional<std::uint32_t> BlockServer::must_wait(std::uint64_t peer) {
    const auto link = links_.peers.find(peer);
    if (link == links_.peers.end() || reading_ >= kMaxReadingReplies) {
        return kBusyRetryMs;
    }
    const auto cost = cost_share(link->second.tier, regular_share_);
    const auto now = clock_.mono();
    auto& bucket = buckets_.try_emplace(peer, cost, kCostPeriod, now).first->second;
    const auto wait = bucket.wait(net::kRequestBaseCost, now);
    if (wait.count() == 0) {
        return std::nullopt;
    }
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
    return std::max(kBusyRetryMs, static_cast<std::uint32_t>(ms));
}

void BlockServer::charge(std::uint64_t peer, std::uint64_t bytes) {
    bytes_served_ += bytes;
    if (const auto it = buckets_.find(peer); it != buckets_.end()) {
        it->second.charge(net::request_cost(bytes), clock_.mono());
    }
}

net::ReplyResult BlockServer::tree_parent(std::uint64_t from, const Hash& parent) const {
    const auto committed = keeper_.tree().committed();
    const bool any = SYNOD_PLANTED("serves_upon_any_parent");
    if (from - 1 == committed.height) {
        return any || parent == committed.hash ? net::ReplyResult::ok : net::ReplyResult::other_fork;
    }
    const auto* block = keeper_.tree().on_best_chain(from - 1);
    if (block == nullptr) {
        return net::ReplyResult::not_available;
    }
    return any || parent == block->hash ? net::ReplyResult::ok : net::ReplyResult::other_fork;
}

net::ReplyResult BlockServer::packed_parent(std::uint64_t from, const Hash& parent) const {
    const auto hashes = from == 0 ? Result<std::vector<Hash>>{} : store_.hashes(from - 1, 1);
    if (!hashes || hashes->empty()) {
        return net::ReplyResult::not_available;
    }
    return parent == hashes->front() ? net::ReplyResult::ok : net::ReplyResult::other_fork;
}

void BlockServer::on(std::uint64_t peer, const net::GetHeaders& ask) {
    if (SYNOD_PLANTED("headers_never_answered")) {
        return;
    }
    if (const auto wait = must_wait(peer)) {
        links_.send(peer, refusal(ask, net::ReplyResult::busy, *wait));
        return;
    }
    const auto committed = keeper_.tree().committed().height;
    if (ask.from <= committed) {
        read_headers(peer, ask, committed);
    } else if (const auto fits = tree_parent(ask.from, ask.parent); fits != net::ReplyResult::ok) {
        links_.send(peer, refusal(ask, fits));
    } else {
        headers_from_tree(peer, ask);
    }
}

void BlockServer::headers_from_tree(std::uint64_t peer, const net::GetHeaders& ask) {
    const auto proof = keeper_.head_proof();
    if (!proof || proof->block.height < ask.from) {
        links_.send(peer, refusal(ask, net::ReplyResult::not_available));
        return;
    }
    net::Headers head = refusal(ask, net::ReplyResult::ok);
    auto last = std::min({proof->block.height, ask.from + ask.count - 1, ask.from + kMaxHeadersReply - 1});
    std::vector<SharedBytes> parts;
    for (auto height = ask.from; height <= last; ++height) {
        const auto block = keeper_.block_at(height);
        parts.push_back(block.slice(0, keeper_.header_length()));
    }
    parts.resize(before_change(parts));
    last = ask.from + parts.size() - 1;
    head.count = static_cast<std::uint32_t>(parts.size());
    if (last == proof->block.height) {
        head.head_proof = SharedBytes(proof->proof);
    } else if (auto made = consensus_.prove_head(keeper_.block_at(last).view,
                                                 keeper_.block_at(last + 1).view, {})) {
        head.head_proof = SharedBytes(std::move(*made));
    }
    charge(peer, std::uint64_t{head.count} * keeper_.header_length());
    links_.network->send(peer, net::encode_parts(head, std::move(parts)));
}

void BlockServer::read_headers(std::uint64_t peer, const net::GetHeaders& ask,
                               std::uint64_t packed_end) {
    const auto count = std::min<std::uint64_t>({ask.count, kMaxHeadersReply, packed_end - ask.from + 1});
    charge(peer, count * keeper_.header_length());
    // What certifies the newest packed block stands in the block after it, or was collected.
    const auto* above = keeper_.tree().on_best_chain(packed_end + 1);
    SharedBytes after = above == nullptr ? SharedBytes{} : above->bytes;
    auto certificate = keeper_.certificate_of(keeper_.tree().committed().hash);
    ++reading_;
    pool_.post([this, peer, ask, count, packed_end, after = std::move(after),
                certificate = std::move(certificate), length = keeper_.header_length()] {
        auto head = refusal(ask, packed_parent(ask.from, ask.parent));
        std::vector<SharedBytes> parts;
        if (head.result == net::ReplyResult::ok) {
            // One more than asked for: the block after the last header carries its certificate.
            auto blocks = read_packed(ask.from, std::min(count + 1, packed_end - ask.from + 1));
            const bool to_the_end = ask.from + blocks.size() == packed_end + 1 && blocks.size() <= count;
            if (to_the_end && !after.view.empty()) {
                blocks.push_back(after);
            }
            Result<Bytes> proof = fail("app.no_proof", "nothing certifies these headers");
            if (to_the_end && after.view.empty() && !certificate.empty()) {
                proof = consensus_.prove_head(blocks.back().view, {}, certificate);
            } else if (blocks.size() > 1) {
                const auto child = blocks.back();
                blocks.pop_back();
                proof = consensus_.prove_head(blocks.back().view, child.view, {});
            }
            for (const auto& block : blocks) {
                parts.push_back(block.slice(0, std::min<std::size_t>(length, block.view.size())));
            }
            if (const auto whole = before_change(parts); whole < parts.size()) {
                proof = consensus_.prove_head(blocks[whole - 1].view, blocks[whole].view, {});
                parts.resize(whole);
            }
            if (proof) {
                head.head_proof = SharedBytes(std::move(*proof));
                head.count = static_cast<std::uint32_t>(parts.size());
            } else {
                parts.clear();
                head.result = net::ReplyResult::not_available;
            }
        }
        links_.network->send(peer, net::encode_parts(head, std::move(parts)));
        read_done();
    });
}

std::size_t BlockServer::before_change(const std::vector<SharedBytes>& headers) const {
    // Who certifies what follows a change is known only to those who have the blocks up to it, so a run ends there.
    Bytes run;
    for (const auto& header : headers) {
        run.insert(run.end(), header.view.begin(), header.view.end());
    }
    const auto decoded = consensus_.decode(SYNOD_FORM_HEADERS, run, headers.size());
    if (!decoded) {
        return headers.size();
    }
    const auto changed = [](const pipeline::HeaderView& v) { return (v.flags & SYNOD_VIEW_CHANGES_AUTHORITIES) != 0; };
    const auto at = std::ranges::find_if(decoded->views, changed);
    return at == decoded->views.end() || at == decoded->views.begin()
               ? headers.size()
               : static_cast<std::size_t>(at - decoded->views.begin());
}

std::vector<SharedBytes> BlockServer::read_packed(std::uint64_t from, std::uint64_t count) const {
    std::vector<SharedBytes> out;
    while (out.size() < count) {
        const auto range = store_.read_range(from + out.size(), static_cast<std::uint32_t>(count - out.size()),
                                             kMaxBlocksReplyBytes, SYNOD_BLOCK_MAX);
        if (!range || range->count == 0) {
            break;  // damaged data is never served
        }
        for (const auto& part : range->parts) {
            std::uint32_t begin = 0;
            for (const auto end : part.ends) {
                out.push_back(part.bytes.slice(begin, end - begin));
                begin = end;
            }
        }
    }
    return out;
}

void BlockServer::on(std::uint64_t peer, const net::GetBlocks& ask) {
    if (SYNOD_PLANTED("blocks_never_answered")) {
        return;
    }
    if (const auto wait = must_wait(peer)) {
        links_.send(peer, refusal(ask.id, ask.from, net::ReplyResult::busy, *wait));
        return;
    }
    if (ask.from <= keeper_.tree().committed().height) {
        read_blocks(peer, ask);
    } else if (const auto fits = tree_parent(ask.from, ask.parent); fits != net::ReplyResult::ok) {
        links_.send(peer, refusal(ask.id, ask.from, fits));
    } else {
        blocks_from_tree(peer, ask);
    }
}

void BlockServer::blocks_from_tree(std::uint64_t peer, const net::GetBlocks& ask) {
    auto head = refusal(ask.id, ask.from, net::ReplyResult::ok);
    std::vector<SharedBytes> parts;
    std::uint64_t bytes = 0;
    const auto soft = std::min<std::uint64_t>(ask.soft_bytes, kMaxBlocksReplyBytes);
    for (auto height = ask.from; height < ask.from + ask.count; ++height) {
        const auto block = keeper_.block_at(height);
        if (block.view.empty() || (!parts.empty() && bytes + block.view.size() > soft)) {
            break;
        }
        bytes += block.view.size();
        parts.push_back(block);
    }
    if (SYNOD_PLANTED("serves_beside_what_was_asked")) {
        ++head.from;
    }
    head.count = static_cast<std::uint32_t>(parts.size());
    charge(peer, bytes);
    links_.network->send(peer, net::encode_parts(head, std::move(parts)));
}

void BlockServer::read_blocks(std::uint64_t peer, const net::GetBlocks& ask) {
    const auto soft = std::min<std::uint64_t>(ask.soft_bytes, kMaxBlocksReplyBytes);
    // Before reading, so that what is on its way counts: by a typical block, not by the limit.
    charge(peer, std::min(soft, std::uint64_t{ask.count} * kTypicalBlockBytes));
    ++reading_;
    pool_.post([this, peer, ask, soft] {
        auto head = refusal(ask.id, ask.from, packed_parent(ask.from, ask.parent));
        std::vector<SharedBytes> parts;
        if (head.result == net::ReplyResult::ok) {
            auto range = store_.read_range(ask.from, ask.count, soft, SYNOD_BLOCK_MAX);
            if (!range) {
                head.result = net::ReplyResult::not_available;  // damaged data is never served
            } else {
                for (auto& part : range->parts) {
                    parts.push_back(std::move(part.bytes));
                }
                head.count = range->count;
                if (SYNOD_PLANTED("serves_one_less_than_it_says") && head.count > 1) {
                    head.count -= 1;
                }
            }
        }
        links_.network->send(peer, net::encode_parts(head, std::move(parts)));
        read_done();
    });
}

void BlockServer::read_done() {
    --reading_;
    reading_.notify_all();
}

void BlockServer::finish() {
    for (auto left = reading_.load(); left != 0; left = reading_.load()) {
        reading_.wait(left);
    }
}

void BlockServer::on(std::uint64_t peer, const net::GetByHash& ask) {
    if (const auto wait = must_wait(peer)) {
        links_.send(peer, refusal(ask.id, 0, net::ReplyResult::busy, *wait));
        return;
    }
    auto head = refusal(ask.id, 0, net::ReplyResult::not_available);
    std::vector<SharedBytes> parts;
    if (const auto* block = keeper_.tree().find(ask.hash)) {
        head.result = net::ReplyResult::ok;
        head.from = block->height;
        head.count = 1;
        parts.push_back(block->bytes);
        charge(peer, block->bytes.view.size());
    }
    links_.network->send(peer, net::encode_parts(head, std::move(parts)));
}

}  // namespace synod::app
