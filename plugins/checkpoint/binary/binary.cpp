// SPDX-License-Identifier: Apache-2.0
//! The compact checkpoint format: a stream of checked, optionally compressed frames. Runs on the worker that the host
//! calls it on; holds at most a few frames; never hashes for the host and never judges what records mean.
#include "codec.hpp"
#include "format.hpp"

#include <algorithm>

namespace synod_binary {
namespace {

constexpr char kSchema[] = R"json({
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "compression": {"type": "boolean", "default": true,
      "description": "Compress with zstd. Reading takes both."},
    "level": {"type": "integer", "default": 3, "minimum": 1, "maximum": 19,
      "description": "zstd's level: higher is smaller and slower."},
    "frame_kib": {"type": "integer", "default": 256, "minimum": 16, "maximum": 1024,
      "description": "KiB of records in one frame, which is the unit of compression and of damage detection."}
  }
})json";

Settings read(const synod::Value& config) {
    Settings out;
    out.compression = config.get_bool("compression", true);
    out.level = static_cast<int>(std::clamp<int64_t>(config.get_int("level", 3), 1, 19));
    out.frame_bytes = static_cast<size_t>(std::clamp<int64_t>(config.get_int("frame_kib", 256), 16, 1024)) << 10;
    return out;
}

class Binary : public synod::Checkpoint<Binary> {
public:
    static constexpr uint32_t kFormatRev = kVersion;
    explicit Binary(const synod::Context& context) : Checkpoint(context), settings_(read(context.config)) {}

    static uint32_t probe(std::span<const uint8_t> first) {
        return first.size() >= kMagic.size() && std::equal(kMagic.begin(), kMagic.end(), first.begin()) ? 100 : 0;
    }
    void encode(synod::RecordSource& records, synod::Sink& out) override {
        synod_binary::encode(settings_, records, out);
    }
    void decode(synod::Source& in, synod::RecordSink& records) override { synod_binary::decode(in, records); }
    void reconfigure(const synod::Value& config) override { settings_ = read(config); }

private:
    Settings settings_;
};

} // namespace
} // namespace synod_binary

SYNOD_PLUGIN(synod_binary::Binary, {.id = "synod.checkpoint.binary",
                                    .name = "Binary checkpoint",
                                    .version = "1.0.0",
                                    .vendor = "Synod",
                                    .license = "Apache-2.0",
                                    .flags = SYNOD_F_DETERMINISTIC,
                                    .config_schema = synod_binary::kSchema});
