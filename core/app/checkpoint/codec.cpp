// SPDX-License-Identifier: Apache-2.0
#include "core/app/checkpoint/codec.hpp"

#include <synod/checkpoint.h>

#include <algorithm>
#include <array>

#include "core/host/guard.hpp"

namespace synod::app {

namespace {

constexpr std::size_t kProbeBytes = 4'096;
constexpr std::uint32_t kSureEnough = 50;  // of 100

struct Row {
    std::uint32_t section = 0;
    Bytes key, value;
};

//! The records, one after the other.
struct Source {
    const std::vector<Row>& rows;
    std::size_t next = 0;
    synod_record_source raw{sizeof(synod_record_source), 0, this, &give};

    static synod_status give(void* ctx, synod_record* out) {
        auto& self = *static_cast<Source*>(ctx);
        if (self.next == self.rows.size()) {
            return 1;
        }
        const auto& row = self.rows[self.next++];
        *out = {
            row.section, 0, {row.key.data(), row.key.size()}, {row.value.data(), row.value.size()}};
        return SYNOD_OK;
    }
};

//! The first error of our own side is kept: it says more than the plugin's account of it.
struct Output {
    const std::function<Result<void>(ByteView)>& write;
    Result<void> good{};
    synod_sink raw{sizeof(synod_sink), 0, this, &take};

    static synod_status take(void* ctx, synod_bytes bytes) {
        auto& self = *static_cast<Output*>(ctx);
        if (bytes.n != 0 && bytes.p == nullptr) {
            return SYNOD_E_INVALID;
        }
        if (self.good && bytes.n != 0) {
            self.good = self.write({bytes.p, bytes.n});
        }
        return self.good ? SYNOD_OK : SYNOD_E_CANCELLED;
    }
};

struct Input {
    CheckpointReader& reader;
    bool broken = false;
    synod_source raw{sizeof(synod_source), 0, this, &give};

    static std::int64_t give(void* ctx, std::uint8_t* buffer, std::uint64_t capacity) {
        auto& self = *static_cast<Input*>(ctx);
        if (buffer == nullptr || capacity == 0) {
            return SYNOD_E_INVALID;
        }
        const auto n =
            self.reader.read(buffer, std::min<std::uint64_t>(capacity, kMaxCheckpointFileBytes));
        self.broken = self.broken || !n;
        return n ? static_cast<std::int64_t>(*n) : SYNOD_E_INTERNAL;
    }
};

struct Records {
    checkpoint::Assembler assembler;
    Result<void> good{};
    synod_record_sink raw{sizeof(synod_record_sink), 0, this, &take};

    static synod_status take(void* ctx, const synod_record* record) {
        auto& self = *static_cast<Records*>(ctx);
        if (record == nullptr || (record->key.n != 0 && record->key.p == nullptr) ||
            (record->value.n != 0 && record->value.p == nullptr)) {
            return SYNOD_E_INVALID;
        }
        if (self.good) {
            self.good = self.assembler.put(record->section, {record->key.p, record->key.n},
                                           {record->value.p, record->value.n});
        }
        return self.good ? SYNOD_OK : SYNOD_E_CANCELLED;
    }
};

//! Whether the format takes the file for its own.
Result<void> probe(host::Instance& format, const std::filesystem::path& file) {
    auto reader = CheckpointReader::open(file);
    if (!reader) {
        return std::unexpected(reader.error());
    }
    std::array<std::uint8_t, kProbeBytes> first{};
    std::size_t n = 0;
    while (n < first.size()) {
        const auto more = reader->read(first.data() + n, first.size() - n);
        if (!more) {
            return fail("checkpoint.io", "reading failed", file.string());
        }
        if (*more == 0) {
            break;
        }
        n += *more;
    }
    const auto* table = format.table<synod_checkpoint_api>();
    if (table == nullptr || table->probe({first.data(), n}) < kSureEnough) {
        return fail("checkpoint.other_format", "it doesn't begin as a file of this format does",
                    file.filename().string(), "damaged, or written by another format plugin");
    }
    return {};
}

}  // namespace

Result<Hash> encode_checkpoint(host::Instance& format, const checkpoint::Contents& contents,
                               const std::function<Result<void>(ByteView)>& write) {
    std::vector<Row> rows;
    auto root = checkpoint::write_records(
        contents, [&](std::uint32_t section, ByteView key, ByteView value) -> Result<void> {
            rows.push_back({section, {key.begin(), key.end()}, {value.begin(), value.end()}});
            return {};
        });
    if (!root) {
        return root;
    }
    Source source{rows};
    Output output{write};
    const synod_record_source* from = &source.raw;
    const synod_sink* to = &output.raw;
    auto done = host::call<&synod_checkpoint_api::encode>(format, "checkpoint.encode", from, to);
    if (!output.good) {
        return std::unexpected(output.good.error());
    }
    if (!done) {
        return std::unexpected(done.error());
    }
    return root;
}

Result<checkpoint::Assembler::Finished> decode_checkpoint(host::Instance& format,
                                                          const std::filesystem::path& file) {
    if (auto ours = probe(format, file); !ours) {
        return std::unexpected(ours.error());
    }
    auto reader = CheckpointReader::open(file);
    if (!reader) {
        return std::unexpected(reader.error());
    }
    Input input{*reader};
    Records records;
    const synod_source* from = &input.raw;
    const synod_record_sink* to = &records.raw;
    auto done = host::call<&synod_checkpoint_api::decode>(format, "checkpoint.decode", from, to);
    const auto name = file.filename().string();
    if (!records.good) {
        auto error = records.good.error();
        error.where = name + (error.where.empty() ? "" : ", " + error.where);
        return std::unexpected(std::move(error));
    }
    if (input.broken) {
        return fail("checkpoint.io", "reading failed", name, "look at the disk");
    }
    if (!done) {
        const bool damage = done.error().code == "plugin.corrupt_input";
        return fail(damage ? "checkpoint.damaged" : done.error().code, done.error().message,
                    name + (done.error().where.empty() ? "" : ", " + done.error().where),
                    damage ? "use another checkpoint" : done.error().hint);
    }
    auto finished = records.assembler.finish();
    if (!finished) {
        auto error = finished.error();
        error.where = name + (error.where.empty() ? "" : ", " + error.where);
        return std::unexpected(std::move(error));
    }
    return finished;
}

}  // namespace synod::app
