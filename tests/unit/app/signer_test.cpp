// SPDX-License-Identifier: Apache-2.0
//! What the signer refuses: a slot twice, and slots that began before the process.
#include "core/app/node/signer.hpp"

#include <doctest/doctest.h>
#include <sodium.h>
#include <unistd.h>

#include <filesystem>

using namespace synod;
using namespace synod::app;

namespace {

class Folder {
  public:
    Folder() {
        auto name = (std::filesystem::temp_directory_path() / "synod-signer-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] std::string path() const { return path_; }

  private:
    std::string path_;
};

std::unique_ptr<Signer> signer_in(const Folder& folder) {
    REQUIRE(sodium_init() >= 0);
    auto store = store::SignerStore::open(folder.path(), true);
    REQUIRE(store);
    return std::make_unique<Signer>(SecretKey::from_seed(Bytes(32, 7)), std::move(*store));
}

pipeline::Unsigned of(std::uint32_t purpose, std::uint64_t slot) {
    pipeline::Unsigned out{Bytes(100, 0), {}};
    out.request.size = sizeof out.request;
    out.request.purpose = purpose;
    out.request.slot = slot;
    out.request.message_length = 48;
    out.request.signature_offset = 36;
    return out;
}

std::string outcome(Signer& signer, std::uint32_t purpose, std::uint64_t slot) {
    const auto made = signer.sign(of(purpose, slot));
    return made ? "signed" : made.error().code;
}

}  // namespace

TEST_CASE("signer: one proposal and one approval a slot, also after a restart") {
    const Folder folder;
    auto signer = signer_in(folder);
    CHECK_FALSE(*signer->stored());
    CHECK(outcome(*signer, SYNOD_SIGN_PROPOSE, 10) == "signed");
    CHECK(outcome(*signer, SYNOD_SIGN_APPROVE, 10) == "signed");
    CHECK(outcome(*signer, SYNOD_SIGN_PROPOSE, 10) == "store.slot_not_newer");
    signer.reset();
    signer = signer_in(folder);
    REQUIRE(*signer->stored());
    CHECK((*signer->stored())->last_proposed_slot == 10);
    CHECK(outcome(*signer, SYNOD_SIGN_APPROVE, 10) == "store.slot_not_newer");
    CHECK(outcome(*signer, SYNOD_SIGN_PROPOSE, 11) == "signed");
}

TEST_CASE("signer: nothing is signed for a slot up to the start, which leaves no trace in the folder") {
    const Folder folder;
    auto signer = signer_in(folder);
    signer->begin_after(20);
    for (const std::uint64_t slot : {19u, 20u}) {
        CHECK(outcome(*signer, SYNOD_SIGN_PROPOSE, slot) == "signer.before_start");
        CHECK(outcome(*signer, SYNOD_SIGN_APPROVE, slot) == "signer.before_start");
    }
    CHECK(signer->record()->last_approved_slot == 20);  // what the vote goes by
    CHECK_FALSE(*signer->stored());
    CHECK(outcome(*signer, SYNOD_SIGN_STALLED, 20) == "signed");  // says nothing of a block
    CHECK(outcome(*signer, SYNOD_SIGN_PROPOSE, 21) == "signed");
}
