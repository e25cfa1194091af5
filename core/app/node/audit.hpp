// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Mode optimistic: what was stored on a certificate's word is verified in full behind the tip, in
//! order, while sync has nothing to do. How far it came is kept, so that a restart goes on from there.
//! Control thread.

#include <functional>

#include "core/app/node/chain_keeper.hpp"

namespace synod::app {

//! Blocks verified at a time: a new block at the tip waits for no more than these.
inline constexpr std::uint32_t kAuditBlocks = 256;
//! Blocks between two notes of how far it came.
inline constexpr std::uint64_t kAuditNoteBlocks = 2'048;

class Audit {
  public:
    struct Listener {
        std::function<bool()> idle;  //!< sync leaves the workers free
        //! A stored block breaks a rule, though a certificate vouched for it. Nothing is verified after it.
        std::function<void(const Error&)> failed;
        std::function<void(store::Record)> keep;  //!< to be stored
        std::function<void(const std::string&)> note;  //!< for the log
    };

    //! Reads how far an earlier run came; waits for the consensus strand. What can't be read begins anew
    //! with the genesis. The keeper is loaded.
    Audit(ChainKeeper& keeper, pipeline::Pipeline& pipeline, Listener listener);

    //! Begins with the next blocks when there are any and nothing else is to be done. Cheap otherwise.
    void step();
    //! The highest block up to which everything was verified in full.
    [[nodiscard]] std::uint64_t verified() const { return at_.block.height; }

  private:
    struct Cursor {
        chain::Pointer block;
        pipeline::State state;  //!< after it
    };
    void take_up();
    void begin_anew();
    [[nodiscard]] Result<std::vector<pipeline::Piece>> blocks_after(std::uint64_t height, std::uint32_t& count) const;
    void done(std::expected<pipeline::ChainSegment, pipeline::Fault> result);
    void keep_note();
    void complain(const std::string& text);

    ChainKeeper& keeper_;
    pipeline::Pipeline& pipeline_;
    Listener listener_;
    Cursor at_;
    Cursor committed_;  // the newest that no reorganisation can undo
    std::uint64_t noted_ = 0;
    std::string complaint_;  // the newest
    bool running_ = false;
    bool failed_ = false;
};

}  // namespace synod::app
