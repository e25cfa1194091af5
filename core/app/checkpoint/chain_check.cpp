// SPDX-License-Identifier: Apache-2.0
#include "core/app/checkpoint/chain_check.hpp"

#include <boost/json.hpp>

namespace synod::app {

namespace {

std::string at(const checkpoint::BlockRef& ref) {
    return "height " + std::to_string(ref.height) + " block " + to_hex(ref.hash.view());
}

//! The stored block of that height and hash.
Result<SharedBytes> stored_block(store::Store& store, const checkpoint::BlockRef& ref) {
    auto hashes = store.hashes(ref.height, 1);
    if (!hashes) {
        return std::unexpected(hashes.error());
    }
    if (hashes->empty() || hashes->front() != ref.hash) {
        return fail("checkpoint.off_chain",
                    hashes->empty()
                        ? "the store doesn't reach so far"
                        : "our block of that height is " + to_hex(hashes->front().view()),
                    at(ref));
    }
    return store.read_block(ref.height);
}

//! The state root that the block's header commits, as the plugin explains the block.
Result<Hash> header_state_root(const pipeline::Consensus& consensus, ByteView block) {
    auto text = consensus.explain_block(block);
    if (!text) {
        return std::unexpected(text.error());
    }
    boost::system::error_code bad;
    const auto explained = boost::json::parse(*text, bad);
    if (!bad && explained.is_object()) {
        if (const auto* root = explained.as_object().if_contains("state_root");
            root && root->is_string()) {
            if (auto hash = fixed_from_hex<Hash>(std::string_view(root->as_string()))) {
                return *hash;
            }
        }
    }
    return fail("checkpoint.unsupported",
                "the consensus plugin doesn't say what state root a block has", "consensus.explain",
                "use verification: basic");
}

Result<Bytes> header_of(const pipeline::Consensus& consensus, ByteView block,
                        const checkpoint::BlockRef& ref) {
    auto decoded = consensus.decode(SYNOD_FORM_BLOCKS, block, 1);
    if (!decoded) {
        return std::unexpected(decoded.error());
    }
    if (decoded->views.size() != 1 || Hash::copy(decoded->views[0].hash) != ref.hash) {
        return fail("checkpoint.off_chain", "the stored block doesn't read as it should", at(ref));
    }
    const auto n = std::min<std::size_t>(decoded->views[0].header_length, block.size());
    return Bytes(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(n));
}

//! The header form is that of the block, and the state's bytes load into a state after it.
Result<void> check_header(const pipeline::Consensus& consensus,
                          const checkpoint::Contents& contents) {
    const auto& block = contents.metadata.block;
    auto decoded = consensus.decode(SYNOD_FORM_HEADERS, contents.chain.header, 1);
    if (!decoded || decoded->views.size() != 1 ||
        decoded->consumed != contents.chain.header.size() ||
        decoded->views[0].height != block.height ||
        Hash::copy(decoded->views[0].hash) != block.hash) {
        return fail("checkpoint.header_mismatch", "its header is not its block's", at(block));
    }
    return {};
}

Result<CheckedState> load_state(pipeline::Consensus& consensus,
                                const checkpoint::Contents& contents) {
    const auto& block = contents.metadata.block;
    CheckedState out;
    auto state = consensus.load(contents.chain.state);
    if (!state) {
        return fail("checkpoint.state_unreadable", state.error().text(), at(block));
    }
    auto weight = consensus.weigh(*state);
    auto root = weight ? consensus.root(*state) : std::unexpected(weight.error());
    if (!root) {
        return std::unexpected(root.error());
    }
    const checkpoint::BlockRef head{weight->height, Hash::copy(weight->hash)};
    const checkpoint::BlockRef final_block{weight->final_height, Hash::copy(weight->final_hash)};
    if (head != block || final_block != contents.chain.final_) {
        return fail("checkpoint.state_mismatch",
                    "its state stands at " + at(head) + ", final " + at(final_block), at(block));
    }
    if (*root != contents.chain.state_root) {
        return fail("checkpoint.state_root",
                    "its state has the root " + to_hex(root->view()) + ", it says " +
                        to_hex(contents.chain.state_root.view()),
                    at(block));
    }
    out.state = *state;
    out.weight = *weight;
    return out;
}

Result<std::shared_ptr<pipeline::CheckSet>> check_certificate(
    pipeline::Consensus& consensus, const pipeline::State& state,
    const checkpoint::Contents& contents) {
    if (contents.chain.head_proof.empty()) {
        return nullptr;
    }
    auto checks = std::make_shared<pipeline::CheckSet>();
    auto view = consensus.check_head(state, contents.chain.head_proof, *checks);
    if (!view) {
        return fail("checkpoint.certificate", view.error().error.text(),
                    at(contents.metadata.block));
    }
    if (Hash::copy(view->hash) != contents.metadata.block.hash) {
        return fail("checkpoint.certificate",
                    "it certifies another block, " + to_hex({view->hash, 32}),
                    at(contents.metadata.block));
    }
    return checks;
}

}  // namespace

Result<checkpoint::Contents> gather_checkpoint(pipeline::Consensus& consensus, store::Store& store,
                                               const CommittedBlock& from,
                                               checkpoint::Metadata metadata) {
    auto weight = consensus.weigh(from.state);
    auto root = weight ? consensus.root(from.state) : std::unexpected(weight.error());
    auto saved = root ? consensus.save(from.state) : std::unexpected(root.error());
    if (!saved) {
        return std::unexpected(saved.error());
    }
    checkpoint::Contents out;
    out.metadata = std::move(metadata);
    out.metadata.block = {weight->height, Hash::copy(weight->hash)};
    out.metadata.id = checkpoint::make_id(out.metadata);
    out.chain.committed = from.block;
    out.chain.final_ = {weight->final_height, Hash::copy(weight->final_hash)};
    out.chain.state_root = *root;
    out.chain.state = std::move(*saved);
    auto block = stored_block(store, out.metadata.block);
    if (!block) {
        return std::unexpected(block.error());
    }
    auto header = header_of(consensus, block->view, out.metadata.block);
    if (!header) {
        return std::unexpected(header.error());
    }
    out.chain.header = std::move(*header);
    auto child = out.metadata.block == from.block ? from.child : SharedBytes{};
    if (child.view.empty()) {
        if (auto next = store.read_block(out.metadata.block.height + 1)) {
            child = *next;
        }
    }
    if (!child.view.empty()) {
        // Without a certificate the checkpoint is one all the same: the block is committed.
        if (auto proof = consensus.prove_head(block->view, child.view, {})) {
            out.chain.head_proof = std::move(*proof);
        }
    }
    return out;
}

Result<CheckedState> check_checkpoint(pipeline::Consensus& consensus, store::Store& store,
                                      const checkpoint::Contents& contents, const Hash& genesis) {
    if (contents.metadata.genesis != genesis) {
        return fail("checkpoint.other_chain", "its genesis is " +
                                                  to_hex(contents.metadata.genesis.view()) +
                                                  ", ours " + to_hex(genesis.view()));
    }
    if (auto good = check_header(consensus, contents); !good) {
        return std::unexpected(good.error());
    }
    auto block = stored_block(store, contents.metadata.block);
    if (!block) {
        return std::unexpected(block.error());
    }
    auto out = load_state(consensus, contents);
    if (!out) {
        return out;
    }
    auto root = header_state_root(consensus, block->view);
    if (!root) {
        return std::unexpected(root.error());
    }
    if (*root != contents.chain.state_root) {
        return fail("checkpoint.state_root",
                    "its state has the root " + to_hex(contents.chain.state_root.view()) +
                        ", the block's header " + to_hex(root->view()),
                    at(contents.metadata.block));
    }
    auto certificate = check_certificate(consensus, out->state, contents);
    if (!certificate) {
        return std::unexpected(certificate.error());
    }
    out->certificate = std::move(*certificate);
    return out;
}

}  // namespace synod::app
