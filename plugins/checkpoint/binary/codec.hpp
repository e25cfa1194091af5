// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Encoder and decoder of the binary format: plain functions, memory bounded by a few frames, no state between calls.
#include <synod/plugin.hpp>

namespace synod_binary {

struct Settings {
    bool compression = true;
    int level = 3;                   // zstd's, 1..19
    size_t frame_bytes = 256u << 10; // a frame is closed once it holds this many bytes
};

/// Throws synod::Failure: SYNOD_E_INVALID for a record over the kind's limits, the sink's status when it refuses.
void encode(const Settings& settings, synod::RecordSource& records, synod::Sink& out);
/// Throws synod::Failure: SYNOD_E_CORRUPT with the offset for bytes that can't be a checkpoint of this format.
void decode(synod::Source& in, synod::RecordSink& records);

} // namespace synod_binary
