// SPDX-License-Identifier: Apache-2.0
//! Writes the corpus of the federation's, the proofs' and the checkpoint's targets: fuzz_make_corpus tests/fuzz. Run it by
//! hand after a format changed; the files are committed, because libFuzzer starts from them too.
#include "plugins/consensus/federation/auxpow/bundle.hpp"
#include "tests/fuzz/federation/world.hpp"

#include <filesystem>
#include <fstream>

extern "C" const synod_entry synod_entry_v1_checkpoint_binary;

namespace {

using namespace synod::testing;

std::filesystem::path root;

void write(const std::string& name, const ByteVector& bytes) {
    const auto path = root / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

ByteVector from_hex(const std::string& text) {
    ByteVector out(text.size() / 2);
    size_t n = 0;
    (void)sodium_hex2bin(out.data(), out.size(), text.data(), text.size(), nullptr, &n, nullptr);
    return out;
}

std::string field(const std::string& json, const std::string& key) {
    const size_t at = json.find("\"" + key + "\":\"") + key.size() + 4;
    return json.substr(at, json.find('"', at) - at);
}

void blocks(FuzzWorld& w) {
    write("federation/corpus/blocks/run", w.run);
    const std::string bundle = field(w.chain.call(w.head, "bundle.next", "{}"), "bundle");
    const ByteVector record =
        from_hex(field(w.chain.call(w.head, "record.mine", R"({"bundle":")" + bundle + R"(","seed":1})"), "record"));
    const uint64_t slot = w.chain.weigh(w.head).slot + 1;
    write("federation/corpus/blocks/with_record",
          w.chain.block(w.head, slot, w.chain.certificate(w.head), {ByteVector(9, 't')}, {record}));
    ByteVector headers;
    std::vector<synod_header_view> views(kWorldBlocks);
    uint64_t n = 0, used = 0;
    w.chain.check(w.chain.api->decode(w.chain.self(), SYNOD_FORM_BLOCKS, synod::to_bytes(std::span(w.run)), views.data(),
                                      views.size(), &n, &used, w.chain.driver.fresh()));
    for (const synod_header_view& v : views) {
        const auto at = w.run.begin() + static_cast<std::ptrdiff_t>(v.offset);
        headers.insert(headers.end(), at, at + v.header_length);
    }
    write("federation/corpus/blocks/headers", headers);
    write("auxpow/corpus/record", record);
    const auto parts = synod::federation::decode_record(record);
    must(static_cast<bool>(parts));
    write("auxpow/corpus/proof", synod::federation::encode_auxpow(parts->proof));
    const synod_header_view& last = views.back();
    const synod_bytes block{w.run.data() + last.offset, last.length};
    const ByteVector certificate = w.chain.certificate(w.head);
    MemorySink proof;
    w.chain.check(w.chain.api->prove_head(w.chain.self(), block, {}, synod::to_bytes(std::span(certificate)), proof.raw(),
                                          w.chain.driver.fresh()));
    write("federation/corpus/votes/head_proof", proof.bytes);
    write("federation/corpus/votes/certificate", certificate);
}

void votes(FuzzWorld& w) {
    ByteVector all;
    for (uint32_t i = 0; i < w.chain.quorum; ++i) {
        MemorySink out;
        synod_sign_request request{};
        request.size = sizeof(request);
        const synod_lock lock{};
        w.chain.check(w.chain.api->vote(w.chain.self(), w.head, i, 0, &lock, out.raw(), &request, &w.chain.refusal,
                                        w.chain.driver.fresh()));
        w.chain.authorities[i].sign(request, out.bytes);
        all.insert(all.end(), out.bytes.begin(), out.bytes.end());
        if (i == 0) {
            write("federation/corpus/votes/approval", out.bytes);
        }
    }
    write("federation/corpus/votes/approvals", all);
    MemorySink out;
    synod_sign_request request{};
    request.size = sizeof(request);
    w.chain.check(w.chain.api->stalled(w.chain.self(), w.head, 1, 500, out.raw(), &request, w.chain.driver.fresh()));
    w.chain.authorities[1].sign(request, out.bytes);
    write("federation/corpus/votes/stalled", out.bytes);
}

void states(FuzzWorld& w) {
    for (const auto& [name, state] : {std::pair{"genesis", w.chain.genesis}, std::pair{"head", w.head}}) {
        MemorySink out;
        w.chain.check(w.chain.api->save(w.chain.self(), state, out.raw(), w.chain.driver.fresh()));
        write(std::string("federation/corpus/state/") + name, out.bytes);
    }
}

void checkpoint() {
    FakeHost host;
    for (const bool packed : {true, false}) {
        Driver driver(synod_entry_v1_checkpoint_binary, host,
                      packed ? R"({"compression":true,"level":3,"frame_bytes":4096})"
                             : R"({"compression":false,"frame_bytes":4096})");
        must(driver.created() && driver.activate() >= 0);
        RecordList records({{1, "head", std::string(120, 'h')}, {2, "", ""}, {3, "state", std::string(300, 's')}});
        MemorySink out;
        const auto* api = driver.table<synod_checkpoint_api>();
        must(api->encode(driver.instance(), records.source(), out.raw(), driver.fresh()) == SYNOD_OK);
        write(packed ? "checkpoint/corpus/packed" : "checkpoint/corpus/plain", out.bytes);
    }
}

} // namespace

int main(int argc, char** argv) {
    root = argc > 1 ? argv[1] : "tests/fuzz";
    FuzzWorld& w = FuzzWorld::get();
    blocks(w);
    votes(w);
    states(w);
    checkpoint();
    return 0;
}
