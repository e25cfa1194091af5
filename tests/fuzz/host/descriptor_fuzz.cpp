// SPDX-License-Identifier: Apache-2.0
//! A plugin's entry, descriptor and tables with sizes, numbers and texts from the input, on memory
//! that ends exactly where the declared sizes say. Functions are absent or real ones that are never
//! called here.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "core/host/loader.hpp"
#include "core/host/normalise.hpp"

namespace {

using namespace synod;
using namespace synod::host;

void must(bool holds) {
    if (!holds) {
        std::abort();
    }
}

class Input {
  public:
    Input(const std::uint8_t* data, std::size_t size) : at_(data), left_(size) {}
    std::uint8_t byte() {
        if (left_ == 0) {
            return 0;
        }
        --left_;
        return *at_++;
    }
    std::uint32_t number() {
        std::uint32_t out = 0;
        for (int i = 0; i < 4; ++i) {
            out = out << 8 | byte();
        }
        return out;
    }
    //! A text of up to 255 bytes in memory of its own, or null.
    const char* text() {
        const std::size_t length = byte();
        if (length == 255) {
            return nullptr;
        }
        auto& kept = kept_.emplace_back(std::make_unique<char[]>(length + 1));
        for (std::size_t i = 0; i < length; ++i) {
            kept[i] = static_cast<char>(byte());
        }
        kept[length] = 0;
        return kept.get();
    }
    //! A table that says it has `size` bytes and has them, its functions present or not.
    const void* table(std::size_t size) {
        auto& kept = kept_.emplace_back(std::make_unique<char[]>(std::max<std::size_t>(size, 8)));
        const auto declared = static_cast<std::uint32_t>(size);
        std::memset(kept.get(), 0, std::max<std::size_t>(size, 8));
        std::memcpy(kept.get(), &declared, sizeof declared);
        for (std::size_t at = 8; at + sizeof(void*) <= size; at += sizeof(void*)) {
            if (byte() % 2 == 0) {
                void (*function)() = [] { std::abort(); };
                std::memcpy(kept.get() + at, &function, sizeof function);
            }
        }
        return kept.get();
    }

  private:
    const std::uint8_t* at_;
    std::size_t left_;
    std::vector<std::unique_ptr<char[]>> kept_;
};

//! Whatever the declared size, the host's copy has every function but sha256d.
template <typename Api>
void normalised(Input& in) {
    Api out{};
    normalise(in.table(8 + in.byte() % 64 * 8), out);
    must(out.size == sizeof out);
    const char* bytes = reinterpret_cast<const char*>(&out);
    for (std::size_t at = 8; at + sizeof(void*) <= sizeof out; at += sizeof(void*)) {
        void* function = nullptr;
        std::memcpy(&function, bytes + at, sizeof function);
        if constexpr (std::is_same_v<Api, synod_validation_api>) {
            if (at == offsetof(synod_validation_api, sha256d) ||
                at == offsetof(synod_validation_api, preferred_batch)) {
                continue;
            }
        }
        if constexpr (std::is_same_v<Api, synod_scoring_api>) {
            if (at == offsetof(synod_scoring_api, columns) || at == offsetof(synod_scoring_api, n_columns)) {
                continue;
            }
        }
        must(function != nullptr);
    }
}

void entry(Input& in) {
    synod_entry entry{};
    std::memcpy(entry.magic, SYNOD_ENTRY_MAGIC, sizeof entry.magic);
    entry.magic[in.byte() % 8] ^= static_cast<std::uint8_t>(in.byte() % 4 == 1);
    entry.size = in.byte() % 4 == 0 ? in.number() : sizeof entry;
    entry.abi_major = in.byte() % 4 == 0 ? in.number() : SYNOD_ABI_MAJOR;
    entry.abi_minor_needed = in.byte() % 4 == 0 ? in.number() : 0;
    synod_descriptor descriptor{};
    descriptor.size = in.byte() % 4 == 0 ? in.number() : sizeof descriptor;
    descriptor.id = in.text();
    descriptor.name = in.text();
    descriptor.version = in.text();
    descriptor.kind = in.byte() % 2 == 0 ? SYNOD_KIND_SCORING : in.text();
    descriptor.vendor = in.text();
    descriptor.license = in.text();
    descriptor.url = in.text();
    descriptor.config_schema = in.text();
    const char* ids[70];  // more than are taken
    for (const char*& id : ids) {
        id = in.byte() % 64 == 1 ? nullptr : in.text();
    }
    ids[69] = nullptr;
    descriptor.requires_ = in.byte() % 2 == 0 ? nullptr : ids;
    descriptor.provides = in.byte() % 2 == 0 ? nullptr : ids + 10;
    descriptor.api = in.byte() % 8 == 1 ? nullptr
                                        : static_cast<const synod_plugin_api*>(in.table(8 + in.byte() % 32 * 8));
    const synod_descriptor* list[16];  // as many as may be named
    for (const synod_descriptor*& one : list) {
        one = in.byte() % 8 == 1 ? nullptr : &descriptor;
    }
    entry.plugins = in.byte() % 8 == 1 ? nullptr : list;
    entry.n_plugins = in.byte() % 8 == 1 ? in.number() : 1;
    const auto read = read_entry(&entry, "file.so");
    must(read || read.error().code == "plugin.abi" || read.error().code == "plugin.bad_descriptor");
    must(!read || read->size() == entry.n_plugins);
    for (std::size_t i = 0; read && i < read->size(); ++i) {
        const auto& plugin = (*read)[i];
        must(!plugin.id.empty() && plugin.id.size() <= 128 && plugin.needs.size() <= 64 &&
             plugin.api.create != nullptr && plugin.api.query != nullptr);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input in(data, size);
    entry(in);
    normalised<synod_consensus_api>(in);
    normalised<synod_validation_api>(in);
    normalised<synod_scoring_api>(in);
    normalised<synod_optimizer_api>(in);
    normalised<synod_plugin_api>(in);
    Input again(data, size);
    normalised<synod_checkpoint_api>(again);
    return 0;
}
