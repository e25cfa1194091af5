// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Answers other nodes' questions about our chain. What is packed is read on a worker and sent as it
//! is stored, undecoded; what is above the committed block comes from the tree. Each peer pays in
//! cost units; over its share it is told to wait, without a penalty. Called on the control thread.

#include <atomic>
#include <unordered_map>

#include "core/app/node/chain_keeper.hpp"
#include "core/app/node/cost_limits.hpp"
#include "core/app/node/links.hpp"
#include "core/net/token_bucket.hpp"
#include "core/pipeline/worker_pool.hpp"

namespace synod::app {

//! Replies being read at once; past it askers are told that we are busy.
inline constexpr std::uint32_t kMaxReadingReplies = 64;
inline constexpr std::uint32_t kBusyRetryMs = 200;
inline constexpr std::uint32_t kMaxHeadersReply = 4'096;
inline constexpr std::uint64_t kMaxBlocksReplyBytes = 4u << 20;

class BlockServer {
  public:
    //! `regular_share`: what a regular peer may ask for in kCostPeriod (cost_limits.hpp), units.
    BlockServer(store::Store& store, ChainKeeper& keeper, Links& links, pipeline::Workers& pool,
                const pipeline::Consensus& consensus, host::Clock& clock,
                std::uint64_t regular_share = kRegularCost)
        : store_(store), keeper_(keeper), links_(links), pool_(pool), consensus_(consensus),
          clock_(clock), regular_share_(regular_share) {}

    void on(std::uint64_t peer, const net::GetHeaders& ask);
    void on(std::uint64_t peer, const net::GetBlocks& ask);
    void on(std::uint64_t peer, const net::GetByHash& ask);
    void forget(std::uint64_t peer) { buckets_.erase(peer); }
    //! Returns when no reply is being read any more. Control thread, before what it stands on goes.
    void finish();
    [[nodiscard]] std::uint64_t bytes_served() const { return bytes_served_; }

  private:
    //! Whether `parent` is our block before `from`: above the committed block, on the control thread.
    net::ReplyResult tree_parent(std::uint64_t from, const Hash& parent) const;
    //! The same among the packed ones, on a worker.
    net::ReplyResult packed_parent(std::uint64_t from, const Hash& parent) const;
    //! Milliseconds until the peer may ask again; nothing when it may now.
    std::optional<std::uint32_t> must_wait(std::uint64_t peer);
    void charge(std::uint64_t peer, std::uint64_t bytes);
    void read_done();  // on a worker, the last thing that a task does
    void headers_from_tree(std::uint64_t peer, const net::GetHeaders& ask);
    void blocks_from_tree(std::uint64_t peer, const net::GetBlocks& ask);
    void read_headers(std::uint64_t peer, const net::GetHeaders& ask, std::uint64_t packed_end);
    //! How many of the header forms at the front are of one set of authorities.
    std::size_t before_change(const std::vector<SharedBytes>& headers) const;
    //! Up to `count` packed blocks from a height; fewer when they can't be read. On a worker.
    std::vector<SharedBytes> read_packed(std::uint64_t from, std::uint64_t count) const;
    void read_blocks(std::uint64_t peer, const net::GetBlocks& ask);

    store::Store& store_;
    ChainKeeper& keeper_;
    Links& links_;
    pipeline::Workers& pool_;
    const pipeline::Consensus& consensus_;
    host::Clock& clock_;
    const std::uint64_t regular_share_;
    std::unordered_map<std::uint64_t, net::TokenBucket> buckets_;
    std::atomic<std::uint32_t> reading_{0};
    std::atomic<std::uint64_t> bytes_served_{0};
};

}  // namespace synod::app
