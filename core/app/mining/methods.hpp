// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The JSON-RPC methods of mining software over a node's Mining, in the shapes of Namecoin Core:
//! createauxblock, submitauxblock, getauxblock. Called on the I/O thread; answered through the control
//! thread.

#include <functional>

#include "core/app/mining/mining.hpp"
#include "core/control/server.hpp"

namespace synod::app {

struct MiningDoor {
    std::function<void(std::function<void()>)> post;  //!< to the control thread
    std::function<Mining&()> mining;                  //!< on the control thread
    std::function<bool()> synced;                     //!< on the control thread
    Bytes payout;                                     //!< of getauxblock, which names none
};

//! createauxblock ADDRESS -> {hash, chainid, previousblockhash, coinbasevalue, bits, height, _target};
//! an address is the payout's 20 to 32 bytes in hex, 0x before them or not. submitauxblock HASH AUXPOW
//! -> true. getauxblock -> as createauxblock for the configured payout; with two parameters as
//! submitauxblock. Errors: control.invalid_params, mining.*.
control::Handlers mining_methods(MiningDoor door);

//! 20 to 32 bytes of hex. Errors: control.invalid_params.
Result<Bytes> read_payout(std::string_view text);

}  // namespace synod::app
