// SPDX-License-Identifier: Apache-2.0
#include "core/app/forge/block_maker.hpp"

#include <sodium.h>

#include <algorithm>
#include <boost/json.hpp>
#include <string_view>

namespace synod::app::forge {

namespace {

using pipeline::CheckSet;
using pipeline::Unsigned;

constexpr std::string_view kTransactionTag = "synod forge transaction";
constexpr std::size_t kSignatureBytes = 64;

void sign(const SecretKey& key, Unsigned& made) {
    const auto& request = made.request;
    const auto signature = key.sign({request.message, request.message_length});
    std::copy_n(signature.data.begin(), kSignatureBytes, made.bytes.begin() + request.signature_offset);
}

//! The text under `name` in a flat JSON object, as bytes of hex.
Result<Bytes> hex_member(const std::string& json, std::string_view name) {
    boost::system::error_code error;
    const auto value = boost::json::parse(json, error);
    const auto* object = error ? nullptr : value.if_object();
    const auto* member = object == nullptr ? nullptr : object->if_contains(name);
    const auto* text = member == nullptr ? nullptr : member->if_string();
    auto bytes = text == nullptr ? std::nullopt : from_hex({text->data(), text->size()});
    if (!bytes) {
        return fail("plugin.misbehaving", "its answer has no " + std::string(name), "consensus.call");
    }
    return std::move(*bytes);
}

}  // namespace

BlockMaker::BlockMaker(pipeline::Consensus& consensus, pipeline::Workers& pool,
                       const Authorities& authorities, const Load& load, pipeline::State genesis)
    : consensus_(consensus),
      pool_(pool),
      authorities_(authorities),
      load_(load),
      state_(std::move(genesis)),
      votes_(authorities.size()),
      transactions_(std::size_t{load.transactions} * load.bytes) {
    for (std::uint32_t i = 0; i < load.transactions; ++i) {
        spans_.push_back({transactions_.data() + std::size_t{i} * load.bytes, load.bytes});
    }
    Bytes input(kTransactionTag.begin(), kTransactionTag.end());
    for (int i = 0; i < 8; ++i) {
        input.push_back(static_cast<std::uint8_t>(load.seed >> (8 * i)));
    }
    crypto_generichash(stream_key_.data(), stream_key_.size(), input.data(), input.size(), nullptr, 0);
}

Result<void> BlockMaker::begin() {
    auto weight = consensus_.weigh(state_);
    auto info = consensus_.info(state_);
    if (!weight || !info) {
        return std::unexpected(weight ? info.error() : weight.error());
    }
    weight_ = *weight;
    quorum_ = info->quorum;
    return {};
}

void BlockMaker::fill_transactions(std::uint64_t height) {
    if (transactions_.empty()) {
        return;
    }
    std::array<std::uint8_t, crypto_stream_chacha20_NONCEBYTES> nonce{};
    for (std::size_t i = 0; i < nonce.size(); ++i) {
        nonce[i] = static_cast<std::uint8_t>(height >> (8 * i));
    }
    crypto_stream_chacha20(transactions_.data(), transactions_.size(), nonce.data(),
                           stream_key_.data());
}

Result<Bytes> BlockMaker::mine_record(std::uint64_t slot) {
    auto bundle = consensus_.call(state_, "bundle.next", "{}");
    if (!bundle) {
        return std::unexpected(bundle.error());
    }
    auto header = hex_member(*bundle, "bundle");
    if (!header) {
        return std::unexpected(header.error());
    }
    const auto seed = static_cast<std::uint32_t>(weight_.height);
    const auto seconds = static_cast<std::uint32_t>(slot * load_.slot_ms / 1000);
    const auto params = R"({"bundle":")" + to_hex(*header) + R"(","seed":)" + std::to_string(seed) +
                        R"(,"time":)" + std::to_string(seconds) + "}";
    auto record = consensus_.call(state_, "record.mine", params);
    if (!record) {
        return std::unexpected(record.error());
    }
    return hex_member(*record, "record");
}

Result<Unsigned> BlockMaker::propose(std::uint64_t slot) {
    const auto height = weight_.height + 1;
    fill_transactions(height);
    synod_payload payload{};
    payload.size = sizeof payload;
    payload.transactions = spans_.data();
    payload.n_transactions = spans_.size();
    Bytes record;
    synod_bytes record_span{};
    if (load_.record_every != 0 && height % load_.record_every == 0 &&
        weight_.committed_height > weight_.final_height) {
        auto mined = mine_record(slot);
        if (!mined) {
            return std::unexpected(mined.error());
        }
        record = std::move(*mined);
        record_span = {record.data(), record.size()};
        payload.records = &record_span;
        payload.n_records = 1;
    }
    return consensus_.propose(state_, slot, certificate_, payload);
}

Result<Bytes> BlockMaker::approve() {
    // Any quorum will do; it turns, so that every authority's key is in use.
    const auto n = static_cast<std::uint32_t>(authorities_.size());
    std::vector<Unsigned> approvals;
    std::vector<std::uint32_t> voters;
    approvals.reserve(quorum_);
    for (std::uint32_t i = 0; i < quorum_; ++i) {
        const auto author = static_cast<std::uint32_t>((weight_.height + i) % n);
        auto& vote = votes_[author];
        auto made = consensus_.vote(state_, author, vote.last_slot, vote.lock);
        if (!made) {
            return std::unexpected(made.error().error);
        }
        vote.last_slot = made->request.slot;
        vote.lock = made->request.new_lock;
        approvals.push_back(std::move(*made));
        voters.push_back(author);
    }
    pool_.parallel(quorum_, [&](std::uint32_t i) { sign(*authorities_[voters[i]], approvals[i]); });
    std::vector<Bytes> attestations;
    for (auto& approval : approvals) {
        attestations.push_back(std::move(approval.bytes));
    }
    auto certificate = consensus_.certify(state_, attestations);
    if (!certificate) {
        return std::unexpected(certificate.error().error);
    }
    return std::move(*certificate);
}

Result<Made> BlockMaker::next() {
    const auto slot = weight_.slot + 1;
    PublicKey key;
    auto author = consensus_.author_of(state_, slot, &key);
    if (!author) {
        return std::unexpected(author.error());
    }
    if (*author >= authorities_.size() || authorities_[*author]->public_key() != key) {
        return fail("forge.author", "the author of this slot is none of the forge's keys",
                    "slot " + std::to_string(slot));
    }
    auto block = propose(slot);
    if (!block) {
        return std::unexpected(block.error());
    }
    sign(*authorities_[*author], *block);
    auto decoded = consensus_.decode(SYNOD_FORM_BLOCKS, block->bytes, 1);
    if (!decoded || decoded->views.size() != 1) {
        return fail("plugin.misbehaving", "its proposal can't be read back", "consensus.propose");
    }
    CheckSet unproven;  // signed with our own keys a moment ago
    synod_plan_options options{};
    options.size = sizeof options;
    options.level = SYNOD_LEVEL_FULL;
    options.vouched = 1;
    options.max_slot = ~0ull;
    if (auto planned = consensus_.plan(state_, block->bytes, decoded->views, options, unproven); !planned) {
        return std::unexpected(planned.error().error);
    }
    auto weight = consensus_.weigh(state_);
    if (!weight) {
        return std::unexpected(weight.error());
    }
    weight_ = *weight;
    auto certificate = approve();
    if (!certificate) {
        return std::unexpected(certificate.error());
    }
    certificate_ = std::move(*certificate);
    CheckSet own;
    if (auto taken = consensus_.accept_certificate(state_, certificate_, own); !taken) {
        return std::unexpected(taken.error().error);
    }
    weight = consensus_.weigh(state_);
    if (!weight) {
        return std::unexpected(weight.error());
    }
    weight_ = *weight;
    return Made{decoded->views[0], std::move(block->bytes)};
}

}  // namespace synod::app::forge
