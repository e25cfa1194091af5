// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Every number that steers the sync machine, with its unit and default (behaviour.md 2, 3, 4, 6).
//! The host fills it from the manifest before the machine exists; `Tune` events move some later.

#include <chrono>
#include <cstdint>

#include "core/base/time.hpp"

namespace synod::sync {

struct SyncConfig {
    std::uint64_t seed = 1;  //!< of the peer choice; same seed and events, same actions

    // Discovery.
    std::uint32_t min_peers = 1;                           //!< peers enough to begin at once
    Duration peer_wait = std::chrono::seconds(3);          //!< then begin with at least one
    std::uint32_t discovery_attempts = 30;                 //!< attempts without a peer until Failed
    Duration discovery_interval = std::chrono::seconds(1);

    // Batches and the window.
    std::uint32_t batch_blocks = 128;            //!< blocks, the seed of the batch formula
    std::uint32_t batch_blocks_max = 4096;       //!< blocks
    std::uint32_t headers_max = 4096;            //!< headers a request
    std::uint32_t headers_min = 64;              //!< headers a request, of a peer whose replies come too late
    std::uint64_t soft_bytes = 1U << 20;         //!< bytes; a reply stops here after one block
    std::uint64_t first_soft_bytes = 256U << 10; //!< bytes, while a peer's goodput is unknown
    std::uint64_t min_soft_bytes = 32U << 10;    //!< bytes
    Duration request_aim = std::chrono::seconds(2);  //!< how long one reply should take to flow
    std::uint64_t window_bytes = 64ULL << 20;    //!< bytes asked for, held and in processing
    std::uint32_t window_blocks = 65'536;        //!< blocks from the committed end
    std::uint32_t parallel_downloads = 16;       //!< open block requests in all
    std::uint32_t peer_requests_first = 2;       //!< open block requests of a new peer
    std::uint32_t peer_requests_max = 8;
    std::uint64_t peer_bytes_max = 4ULL << 20;   //!< bytes in flight from one peer
    std::uint32_t workers = 4;                   //!< 2 x this many ranges in processing
    std::uint32_t anchors_max = 262'144;         //!< anchors (10 MiB) that the skeleton may hold
    std::uint64_t block_bytes_guess = 1024;      //!< bytes, until a block was seen

    // Deadlines.
    Duration deadline_min = std::chrono::seconds(1);
    Duration deadline_max = std::chrono::seconds(15);
    Duration rtt_guess = std::chrono::seconds(2);     //!< until a reply was measured
    std::uint32_t deadline_rtts = 3;
    Duration busy_max = std::chrono::seconds(60);     //!< longest retry-after that is believed
    Duration cooldown_first = std::chrono::seconds(30);
    Duration cooldown_max = std::chrono::minutes(10);
    Duration retry_soon = std::chrono::seconds(1);    //!< between two asks of an unhelpful peer
    Duration poll_interval = std::chrono::seconds(2); //!< between asks above the known target

    // Stallers.
    Duration stall_first = std::chrono::seconds(2);
    Duration stall_max = std::chrono::seconds(64);
    double stall_decay = 0.85;                         //!< per committed range
    Duration stall_memory = std::chrono::seconds(60);  //!< second offence within it disconnects
    double slow_sigmas = 1.5;                          //!< below mean - this many sigma is slow
    std::uint32_t slow_min_peers = 4;                  //!< busy peers needed for the statistic
    Duration slow_sample = std::chrono::seconds(10);
    std::uint64_t floor_bytes_per_s = 32U << 10;       //!< absolute floor while a request is open
    std::uint32_t near_tip_blocks = 50;
    std::uint32_t holders_max = 3;                     //!< peers that may race for one range

    // Attempts, watchdog, recovery.
    std::uint32_t download_attempts = 5;    //!< that reached a peer
    std::uint32_t processing_attempts = 3;
    Duration watchdog_min = std::chrono::seconds(10);
    std::uint32_t watchdog_deadlines = 3;
    Duration slowest_block = std::chrono::milliseconds(20);  //!< to validate one; what takes longer hangs
    std::uint32_t stalls_max = 5;           //!< watchdog rounds in a row until Failed
    Duration backoff_first = std::chrono::seconds(1);
    Duration backoff_max = std::chrono::seconds(60);
    std::uint32_t recoveries_max = 5;
    Duration recovery_deadline = std::chrono::minutes(10);
    std::uint32_t unbacked_probes = 3;      //!< refusals below a claim until it is a lie

    // Near the tip.
    std::uint64_t catching_up_blocks = 10;    //!< behind by at most this: CatchingUp
    std::uint64_t headers_again_blocks = 1000;  //!< behind by more than this: DownloadingHeaders
    std::uint64_t slot_lag_max = 3;           //!< slots
    Duration slot = std::chrono::seconds(2);
    Duration push_grace = std::chrono::milliseconds(500);  //!< when Synced, wait for the push first

    // Gate.
    double gate_percentage = 0.995;       //!< fraction; never below kGateFloor
    std::uint64_t gate_behind = 10;       //!< blocks
    double gate_health = 0.7;             //!< network health must be above
    std::uint32_t gate_open_slots = 3;
    std::uint32_t gate_close_misses = 2;
    bool gate_needs_governance = false;
    bool checks_signatures = true;        //!< false: who doesn't check them must not produce
    std::uint64_t disk_floor_bytes = 1ULL << 30;
};

}  // namespace synod::sync
