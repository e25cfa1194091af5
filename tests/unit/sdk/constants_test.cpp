// SPDX-License-Identifier: Apache-2.0
//! The golden list of every SYNOD_ constant. Renumbering one changes no layout, so that only this list notices; a new
//! constant must be added here, because the test counts the #define lines of the headers.
#include <synod/consensus.h>
#include <synod/plugin.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace {

struct Number {
    const char* name;
    long long golden, now;
};
struct Text {
    const char *name, *golden, *now;
};

#define N(name, value) Number{#name, (value), static_cast<long long>(name)}
#define T(name, value) Text{#name, (value), name}

const Number kNumbers[] = {
    N(SYNOD_ABI_MAJOR, 1),
    N(SYNOD_ABI_MINOR, 4),
    N(SYNOD_OK, 0),
    N(SYNOD_PENDING, 1),
    N(SYNOD_REFUSED, 2),
    N(SYNOD_E_INVALID, -1),
    N(SYNOD_E_CONFIG, -2),
    N(SYNOD_E_UNSUPPORTED, -3),
    N(SYNOD_E_BUSY, -4),
    N(SYNOD_E_CANCELLED, -5),
    N(SYNOD_E_CORRUPT, -6),
    N(SYNOD_E_DEADLINE, -7),
    N(SYNOD_E_INTERNAL, -8),
    N(SYNOD_E_NO_MEMORY, -9),
    N(SYNOD_LOG_TRACE, 0),
    N(SYNOD_LOG_DEBUG, 1),
    N(SYNOD_LOG_INFO, 2),
    N(SYNOD_LOG_WARN, 3),
    N(SYNOD_LOG_ERROR, 4),
    N(SYNOD_LOG_HOST_MISBEHAVING, 5),
    N(SYNOD_LOG_PLUGIN_MISBEHAVING, 6),
    N(SYNOD_METRIC_COUNTER, 1),
    N(SYNOD_METRIC_GAUGE, 2),
    N(SYNOD_METRIC_HISTOGRAM, 3),
    N(SYNOD_OVERFLOW_DROP_OLDEST, 1),
    N(SYNOD_OVERFLOW_DROP_NEWEST, 2),
    N(SYNOD_OVERFLOW_COALESCE, 3),
    N(SYNOD_F_DETERMINISTIC, 1),
    N(SYNOD_F_HOT_SWAP, 2),
    N(SYNOD_F_PINNED, 4),
    N(SYNOD_COL_LATENCY_US, 1),
    N(SYNOD_COL_RELIABILITY, 2),
    N(SYNOD_COL_GOODPUT_BPS, 3),
    N(SYNOD_COL_IS_AUTHORITY, 4),
    N(SYNOD_COL_HISTORY, 5),
    N(SYNOD_COL_REPUTATION, 6),
    N(SYNOD_COL_PARTICIPATION, 7),
    N(SYNOD_COL_MISSED_SLOTS, 8),
    N(SYNOD_COL_EQUIVOCATIONS, 9),
    N(SYNOD_COL_IN_FLIGHT_BYTES, 10),
    N(SYNOD_COL_CONNECTED_S, 11),
    N(SYNOD_NEED_HEADERS, 1),
    N(SYNOD_NEED_BLOCKS, 2),
    N(SYNOD_NEED_CHECKPOINT, 3),
    N(SYNOD_VERDICT_UNKNOWN, 0),
    N(SYNOD_VERDICT_HOLDS, 1),
    N(SYNOD_VERDICT_FAILS, 2),
    N(SYNOD_CHECKPOINT_KEY_MAX, 256),
    N(SYNOD_CHECKPOINT_VALUE_MAX, 16777216),
    N(SYNOD_SIG_THROUGHPUT_BPS, 0),
    N(SYNOD_SIG_LATENCY_P50_US, 1),
    N(SYNOD_SIG_LATENCY_P99_US, 2),
    N(SYNOD_SIG_QUEUE_DEPTH, 3),
    N(SYNOD_SIG_WINDOW_USE, 4),
    N(SYNOD_SIG_GOODPUT_BPS, 5),
    N(SYNOD_SIG_ERROR_RATE, 6),
    N(SYNOD_SIG_CPU, 7),
    N(SYNOD_SIG_MEMORY_BYTES, 8),
    N(SYNOD_SIG_DISK_BUSY, 9),
    N(SYNOD_SIG_TARGET_BPS, 10),
    N(SYNOD_SIG_TARGET_LATENCY_US, 11),
    N(SYNOD_SIG_MEMORY_LIMIT, 12),
    N(SYNOD_SIG_COUNT, 13),
    N(SYNOD_KNOB_BATCH_BLOCKS, 1),
    N(SYNOD_KNOB_REQUESTS_PER_PEER, 2),
    N(SYNOD_KNOB_PARALLEL_DOWNLOADS, 3),
    N(SYNOD_KNOB_WINDOW_BYTES, 4),
    N(SYNOD_KNOB_WORKERS, 5),
    N(SYNOD_KNOB_COMMIT_BLOCKS, 6),
    N(SYNOD_KNOB_CHECKPOINT_INTERVAL, 7),
    N(SYNOD_BLOCK_MAX, 8388608),
    N(SYNOD_HEAD_PROOF_MAX, 65536),
    N(SYNOD_GOSSIP_MAX, 65536),
    N(SYNOD_PAYOUT_MAX, 32),
    N(SYNOD_WORK_TASK_MAX, 4096),
    N(SYNOD_WORK_PROOF_MAX, 65536),
    N(SYNOD_TESTIMONY_MAX, 1024),
    N(SYNOD_EVIDENCE_MAX, 4096),
    N(SYNOD_FORM_BLOCKS, 1),
    N(SYNOD_FORM_HEADERS, 2),
    N(SYNOD_VIEW_CHANGES_AUTHORITIES, 1),
    N(SYNOD_VIEW_HAS_PROOF_RECORD, 2),
    N(SYNOD_VIEW_HAS_EVENTS, 4),
    N(SYNOD_REFUSAL_NOT_YET, 1),
    N(SYNOD_EVENT_MAX, 16384),
    N(SYNOD_LEVEL_BASIC, 1),
    N(SYNOD_LEVEL_FULL, 2),
    N(SYNOD_SIGN_PROPOSE, 1),
    N(SYNOD_SIGN_APPROVE, 2),
    N(SYNOD_SIGN_STALLED, 3),
    N(SYNOD_SIGNED_BLOCK, 1),
    N(SYNOD_SIGNED_PARENT, 2),
};
const Text kTexts[] = {
    T(SYNOD_ENTRY_MAGIC, "SYNODPLG"),
    T(SYNOD_ENTRY_SYMBOL, "synod_entry_v1"),
    T(SYNOD_KIND_CONSENSUS, "synod.consensus/1"),
    T(SYNOD_KIND_SCORING, "synod.scoring/1"),
    T(SYNOD_KIND_VALIDATION, "synod.validation/1"),
    T(SYNOD_KIND_CHECKPOINT, "synod.checkpoint/1"),
    T(SYNOD_KIND_OPTIMIZER, "synod.optimizer/1"),
};

} // namespace

TEST_CASE("every constant of v1 keeps its value") {
    for (const Number& n : kNumbers) {
        CAPTURE(n.name);
        CHECK(n.now == n.golden);
    }
    for (const Text& t : kTexts) {
        CAPTURE(t.name);
        CHECK(std::string(t.now) == t.golden);
    }
}

TEST_CASE("no constant is missing from the golden list") {
    std::set<std::string> golden;
    for (const Number& n : kNumbers) {
        golden.insert(n.name);
    }
    for (const Text& t : kTexts) {
        golden.insert(t.name);
    }
    int headers = 0;
    for (const auto& file : std::filesystem::directory_iterator(SYNOD_SOURCE_DIR "/sdk/include/synod")) {
        if (file.path().extension() != ".h") {
            continue;
        }
        ++headers;
        std::ifstream in(file.path());
        REQUIRE(in.good());
        for (std::string line; std::getline(in, line);) {
            const std::string prefix = "#define SYNOD_";
            if (line.compare(0, prefix.size(), prefix) != 0) {
                continue;
            }
            const size_t from = 8, space = line.find(' ', from);
            if (space == std::string::npos) {
                continue; // an include guard
            }
            CAPTURE(line);
            CHECK(golden.count(line.substr(from, space - from)) == 1);
        }
    }
    CHECK(headers == 6);
}
