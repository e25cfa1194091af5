// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/plugins/support/entries.hpp"

#include <random>
#include <vector>

extern "C" const synod_entry synod_entry_v1_checkpoint_binary;

namespace {

using namespace synod::testing;
using Bytes = std::vector<uint8_t>;

std::vector<Record> sample(size_t n, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<Record> out;
    for (size_t i = 0; i < n; ++i) {
        std::string key(random() % (SYNOD_CHECKPOINT_KEY_MAX + 1), '\0'), value(random() % 700, '\0');
        for (char& c : key) {
            c = static_cast<char>(random());
        }
        for (char& c : value) {
            c = static_cast<char>('a' + random() % 4);
        }
        out.push_back({static_cast<uint32_t>(i / 100), key, value});
    }
    return out;
}
Bytes encode(Driver& d, const std::vector<Record>& records) {
    RecordList list(records);
    MemorySink sink;
    REQUIRE(d.table<synod_checkpoint_api>()->encode(d.instance(), list.source(), sink.raw(), d.fresh()) == SYNOD_OK);
    return sink.bytes;
}
synod_status decode(Driver& d, const Bytes& bytes, std::vector<Record>* out = nullptr, size_t chunk = SIZE_MAX) {
    MemorySource source(bytes, chunk);
    RecordList list;
    const synod_status s = d.table<synod_checkpoint_api>()->decode(d.instance(), source.raw(), list.sink(), d.fresh());
    if (out != nullptr) {
        *out = list.records;
    }
    return s;
}
const char* const kConfigs[] = {R"({"compression":true,"frame_kib":16})", R"({"compression":false,"frame_kib":16})"};

} // namespace

TEST_CASE("the library exports its entry alone") { CHECK(plugin_test::exported_symbols() == "synod_entry_v1\n"); }

TEST_CASE("descriptor and probe") {
    plugin_test::with_both(synod_entry_v1_checkpoint_binary, [](const synod_entry& e) {
        plugin_test::check_descriptor(e, "synod.checkpoint.binary", SYNOD_KIND_CHECKPOINT);
        FakeHost host;
        Driver d(e, host);
        const auto* api = d.table<synod_checkpoint_api>();
        const Bytes file = encode(d, {});
        CHECK(api->probe({file.data(), file.size()}) == 100);
        CHECK(api->probe({file.data(), 7}) == 0);
        CHECK(api->probe({nullptr, 0}) == 0);
        CHECK(api->probe(synod::to_bytes(std::string_view("{\"format\":\"json\"}"))) == 0);
    });
}

TEST_CASE("what is encoded is decoded, in reads of any size, whatever the reader's settings") {
    plugin_test::with_both(synod_entry_v1_checkpoint_binary, [](const synod_entry& e) {
        FakeHost host;
        Driver reader(e, host);
        for (const char* config : kConfigs) {
            CAPTURE(config);
            Driver writer(e, host, config);
            for (const size_t n : {0u, 1u, 2u, 1000u}) {
                const auto records = sample(n, n);
                const Bytes file = encode(writer, records);
                CHECK(file == encode(writer, records)); // equal records, equal bytes
                for (const size_t chunk : {size_t{1}, size_t{7}, SIZE_MAX}) {
                    std::vector<Record> back;
                    CHECK(decode(reader, file, &back, chunk) == SYNOD_OK);
                    CHECK(back == records);
                }
            }
        }
    });
}

TEST_CASE("the largest record passes, a larger one is refused") {
    plugin_test::with_both(synod_entry_v1_checkpoint_binary, [](const synod_entry& e) {
        FakeHost host;
        Driver d(e, host, R"({"level":1})");
        const std::vector<Record> largest = {{7, std::string(SYNOD_CHECKPOINT_KEY_MAX, 'k'),
                                              std::string(SYNOD_CHECKPOINT_VALUE_MAX, 'v')},
                                             {8, "", ""}};
        std::vector<Record> back;
        CHECK(decode(d, encode(d, largest), &back) == SYNOD_OK);
        CHECK(back == largest);
        for (const Record& bad : {Record{0, std::string(SYNOD_CHECKPOINT_KEY_MAX + 1, 'k'), ""},
                                  Record{0, "", std::string(SYNOD_CHECKPOINT_VALUE_MAX + 1, 'v')}}) {
            RecordList list({bad});
            MemorySink sink;
            CHECK(d.table<synod_checkpoint_api>()->encode(d.instance(), list.source(), sink.raw(), d.fresh()) ==
                  SYNOD_E_INVALID);
        }
    });
}

TEST_CASE("every truncation and every flipped bit is found") {
    plugin_test::with_both(synod_entry_v1_checkpoint_binary, [](const synod_entry& e) {
        FakeHost host;
        for (const char* config : kConfigs) {
            CAPTURE(config);
            Driver d(e, host, config);
            auto records = sample(3, 9);
            for (Record& r : records) {
                r.value.resize(40);
            }
            const Bytes file = encode(d, records);
            for (size_t n = 0; n < file.size(); ++n) {
                CAPTURE(n);
                REQUIRE(decode(d, Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(n))) == SYNOD_E_CORRUPT);
                REQUIRE(std::string(d.error().where).substr(0, 5) == "byte ");
            }
            for (size_t bit = 0; bit < 8 * file.size(); ++bit) {
                CAPTURE(bit);
                Bytes damaged = file;
                damaged[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
                std::vector<Record> got;
                REQUIRE(decode(d, damaged, &got) == SYNOD_E_CORRUPT);
                REQUIRE((got.empty() || got == records)); // no record of a damaged frame is handed on
            }
            Bytes longer = file;
            longer.push_back(0);
            CHECK(decode(d, longer) == SYNOD_E_CORRUPT);
            CHECK(std::string(d.error().where) == "byte " + std::to_string(file.size()));
        }
    });
}

TEST_CASE("frames that are missing, repeated or swapped are found") {
    plugin_test::with_both(synod_entry_v1_checkpoint_binary, [](const synod_entry& e) {
        FakeHost host;
        Driver d(e, host, R"({"compression":false,"frame_kib":16})");
        const std::vector<Record> records(40, Record{1, "key", std::string(1000, 'x')});
        const Bytes file = encode(d, records);
        const auto stored_at = [&](size_t at) {
            return static_cast<size_t>(file[at + 4] | file[at + 5] << 8 | file[at + 6] << 16);
        };
        const size_t first = 16, second = first + 24 + stored_at(first), third = second + 24 + stored_at(second);
        REQUIRE(third < file.size());
        REQUIRE(stored_at(first) == stored_at(second));
        const auto at = [&](size_t i) { return file.begin() + static_cast<std::ptrdiff_t>(i); };
        Bytes missing(file.begin(), at(first));
        missing.insert(missing.end(), at(second), file.end());
        CHECK(decode(d, missing) == SYNOD_E_CORRUPT);
        Bytes repeated(file.begin(), at(second));
        repeated.insert(repeated.end(), at(first), file.end());
        CHECK(decode(d, repeated) == SYNOD_E_CORRUPT);
        CHECK(std::string(d.error().where) == "byte " + std::to_string(second));
    });
}

TEST_CASE("random bytes behind a good header never do more than fail") {
    plugin_test::with_both(synod_entry_v1_checkpoint_binary, [](const synod_entry& e) {
        FakeHost host;
        Driver d(e, host);
        const Bytes file = encode(d, {});
        std::mt19937_64 random(3);
        for (int i = 0; i < 2000; ++i) {
            Bytes bytes(file.begin(), file.begin() + 16);
            for (size_t n = random() % 200; n > 0; --n) {
                bytes.push_back(static_cast<uint8_t>(random()));
            }
            REQUIRE(decode(d, bytes) == SYNOD_E_CORRUPT);
        }
    });
}

TEST_CASE("memory follows the frame, not the checkpoint") {
    plugin_test::with_both(synod_entry_v1_checkpoint_binary, [](const synod_entry& e) {
        FakeHost host;
        Driver d(e, host, R"({"compression":false,"frame_kib":16})");
        const std::vector<Record> records(5000, Record{1, "key", std::string(1000, 'x')}); // 5 MB
        RecordList list(records);
        MemorySink sink;
        REQUIRE(d.table<synod_checkpoint_api>()->encode(d.instance(), list.source(), sink.raw(), d.fresh()) == SYNOD_OK);
        CHECK(sink.largest_write <= (16u << 10) + 1100);
        MemorySource source(sink.bytes);
        RecordList back;
        REQUIRE(d.table<synod_checkpoint_api>()->decode(d.instance(), source.raw(), back.sink(), d.fresh()) == SYNOD_OK);
        CHECK(source.largest_read <= (16u << 10) + 1100);
        CHECK(back.records == records);
        Driver packed(e, host);
        CHECK(encode(packed, records).size() < sink.bytes.size() / 50);
    });
}

TEST_CASE("the host's refusals come back as they are") {
    plugin_test::with_both(synod_entry_v1_checkpoint_binary, [](const synod_entry& e) {
        FakeHost host;
        Driver d(e, host);
        const auto* api = d.table<synod_checkpoint_api>();
        const auto records = sample(50, 1);
        const Bytes file = encode(d, records);
        MemorySink small(100);
        RecordList list(records);
        CHECK(api->encode(d.instance(), list.source(), small.raw(), d.fresh()) == SYNOD_E_BUSY);
        MemorySource source(file);
        RecordList few({}, 10);
        CHECK(api->decode(d.instance(), source.raw(), few.sink(), d.fresh()) == SYNOD_E_NO_MEMORY);
        MemorySource failing(file, 64, 128);
        RecordList any;
        CHECK(api->decode(d.instance(), failing.raw(), any.sink(), d.fresh()) == SYNOD_E_INTERNAL);
        CHECK(api->decode(d.instance(), nullptr, any.sink(), d.fresh()) == SYNOD_E_INVALID);
    });
}
