// SPDX-License-Identifier: Apache-2.0
//! Checkpoints from a peer: as they come, and with every checksum made right, so that what lies
//! behind them is reached too. What decodes encodes to a checkpoint of the same records.
#include <cstdlib>

#include <synod/testing.hpp>

#include "plugins/checkpoint/binary/format.hpp"

extern "C" const synod_entry synod_entry_v1_checkpoint_binary;

namespace {

using namespace synod::testing;
using namespace synod_binary;
using Input = std::vector<uint8_t>;

void must(bool holds) {
    if (!holds) {
        std::abort();
    }
}

struct Plugin {
    FakeHost host;
    Driver driver{synod_entry_v1_checkpoint_binary, host};
    const synod_checkpoint_api* api = nullptr;
    Plugin() {
        must(driver.created() && driver.activate() >= 0);
        api = driver.table<synod_checkpoint_api>();
    }
};

void mend(Input& bytes) {
    if (bytes.size() < kHeaderSize) {
        return;
    }
    Crc64 crc;
    crc.add({bytes.data(), 12});
    put(bytes.data() + 12, static_cast<uint32_t>(crc.value()));
    uint64_t number = 0;
    for (size_t at = kHeaderSize; at + kFrameHeaderSize <= bytes.size();) {
        uint8_t* h = bytes.data() + at;
        const FrameHeader f{get<uint32_t>(h), get<uint32_t>(h + 4), get<uint32_t>(h + 8), get<uint32_t>(h + 12)};
        at += kFrameHeaderSize;
        if (f.stored > bytes.size() - at) {
            return;
        }
        const auto right = frame_header(number++, f, {bytes.data() + at, f.stored});
        std::copy(right.begin(), right.end(), h);
        at += f.stored;
    }
}

void decode(Plugin& plugin, const Input& bytes) {
    (void)plugin.api->probe({bytes.data(), bytes.size()});
    MemorySource source(bytes, 777);
    RecordList records({}, 1u << 16);
    const synod_status status =
        plugin.api->decode(plugin.driver.instance(), source.raw(), records.sink(), plugin.driver.fresh());
    must(status == SYNOD_OK || plugin.driver.error().message[0] != 0);
    if (status != SYNOD_OK) {
        return;
    }
    const std::vector<Record> wanted = records.records;
    RecordList given(wanted);
    MemorySink sink;
    must(plugin.api->encode(plugin.driver.instance(), given.source(), sink.raw(), plugin.driver.fresh()) == SYNOD_OK);
    MemorySource again(sink.bytes);
    RecordList got;
    must(plugin.api->decode(plugin.driver.instance(), again.raw(), got.sink(), plugin.driver.fresh()) == SYNOD_OK);
    must(got.records == wanted);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static Plugin plugin;
    Input bytes(data, data + size);
    decode(plugin, bytes);
    mend(bytes);
    decode(plugin, bytes);
    return 0;
}
