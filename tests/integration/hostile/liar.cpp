// SPDX-License-Identifier: Apache-2.0
//! A peer that lies: speaks the real wire protocol over the real network with a forged chain behind
//! it, and spoils its replies in one chosen way. Prints "lie" and what it did, a line for each, so
//! that a test knows that it was asked. The I/O thread answers; the main thread waits for SIGTERM.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "core/app/commands/chain_offline.hpp"
#include "core/app/evidence/evidence.hpp"
#include "core/app/mining/mining.hpp"
#include "core/app/node/duties.hpp"
#include "core/app/node/replay.hpp"
#include "core/app/node/signer.hpp"
#include "core/net/messages.hpp"
#include "core/net/network.hpp"

namespace {

using namespace synod;

constexpr std::uint64_t kFalseHeights = 5'000;  //!< claimed above what it has
constexpr std::uint32_t kMaxHeaders = 2'048;    //!< a reply
constexpr std::size_t kSignatureAt = 119;       //!< the author's signature follows the prefix
constexpr std::size_t kRecordBytes = 400;
constexpr std::size_t kCertificateAt = kSignatureAt + 64 + 8;

enum class Lie {
    none,
    bad_signature,      //!< an author's signature in the middle of a reply
    bad_end_signature,  //!< that of the last block asked for: its child comes from somebody else
    bad_certificate,
    wrong_body,
    false_height,
    fork,
    refuse,  //!< says of every request that it is on another fork
    stall,   //!< answers headers and pings, never blocks
    silent,  //!< answers pings alone
    false_record,  //!< relays a finality record that is none
    forged_evidence,     //!< relays evidence against an innocent, with a signature that doesn't hold
    malformed_evidence,  //!< relays evidence that can't be read
    true_evidence,       //!< no lie: its two chains show what an authority did
    genesis_twins,       //!< relays evidence that each of --accused signed two blocks on genesis for one slot
    two_blocks,          //!< with each ping pushes two blocks of one slot and its approvals of both
};

const std::map<std::string, Lie> kLies{
    {"none", Lie::none},
    {"bad-signature", Lie::bad_signature},
    {"bad-end-signature", Lie::bad_end_signature},
    {"bad-certificate", Lie::bad_certificate},
    {"wrong-body", Lie::wrong_body},
    {"false-height", Lie::false_height},
    {"fork", Lie::fork},
    {"refuse", Lie::refuse},
    {"stall", Lie::stall},
    {"silent", Lie::silent},
    {"false-record", Lie::false_record},
    {"forged-evidence", Lie::forged_evidence},
    {"malformed-evidence", Lie::malformed_evidence},
    {"true-evidence", Lie::true_evidence},
    {"genesis-twins", Lie::genesis_twins},
    {"two-blocks", Lie::two_blocks},
};

volatile std::sig_atomic_t stop_asked = 0;
void ask_to_stop(int) { stop_asked = 1; }

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "liar: %s\n", why.c_str());
    std::exit(2);
}

//! All blocks of a forged chain by height, in memory.
std::vector<Bytes> read_chain(app::Runtime& runtime, const std::string& dir, Bytes* certificate) {
    auto store = runtime.open_store(dir, false, true, false);
    auto stored = store ? (*store)->load() : Result<store::StoredState>(std::unexpected(store.error()));
    auto forks = stored ? (*store)->fork_blocks()
                        : Result<std::vector<store::ForkBlock>>(std::unexpected(stored.error()));
    if (!forks) {
        give_up(forks.error().text());
    }
    std::vector<Bytes> out;
    while (out.size() < stored->packed_count) {
        auto range = (*store)->read_range(out.size(), 1'024, 8u << 20, SYNOD_BLOCK_MAX);
        if (!range || range->count == 0) {
            give_up("the chain can't be read");
        }
        for (const auto& part : range->parts) {
            std::uint32_t begin = 0;
            for (const auto end : part.ends) {
                const auto block = part.bytes.view.subspan(begin, end - begin);
                out.emplace_back(block.begin(), block.end());
                begin = end;
            }
        }
    }
    for (const auto& block : *forks) {  // by height; a forged chain has one branch
        out.emplace_back(block.bytes.view.begin(), block.bytes.view.end());
    }
    if (certificate != nullptr) {
        *certificate = stored->head_certificate.value_or(Bytes{});
    }
    return out;
}

//! Two blocks on the chain's head for the newest slot that is the key's, which differ in their transaction, and
//! approvals of both. [worker]
std::vector<net::Message> two_blocks(app::Runtime& runtime, pipeline::State state, const std::vector<Bytes>& chain,
                              const Bytes& certificate, const app::SecretKey& key) {
    auto& consensus = runtime.consensus();
    for (std::size_t height = 1; height < chain.size(); ++height) {
        auto next = app::put_block(consensus, state, SharedBytes(chain[height]));
        if (!next) {
            give_up(next.error().text());
        }
        state = std::move(*next);
    }
    const auto info = consensus.info(state);
    if (!info) {
        give_up(info.error().text());
    }
    auto slot = info->slot_base + (app::unix_now() - info->slot_base_ms) / info->slot_ms;
    PublicKey author;
    while (consensus.author_of(state, slot, &author) && author != key.public_key()) {
        --slot;
    }
    const auto index = consensus.authority_index(state, key.public_key());
    if (!index) {
        give_up(index.error().text());
    }
    const auto sign = [&](pipeline::Unsigned made) {
        const auto signature = key.sign({made.request.message, made.request.message_length});
        std::ranges::copy(signature.data, made.bytes.begin() + made.request.signature_offset);
        return SharedBytes(std::move(made.bytes));
    };
    std::vector<net::Message> out;
    for (const std::uint8_t byte : {1, 2}) {
        const Bytes transaction{byte};
        const synod_bytes span{transaction.data(), transaction.size()};
        synod_payload payload{};
        payload.size = sizeof payload;
        payload.transactions = &span;
        payload.n_transactions = 1;
        auto made = consensus.propose(state, slot, certificate, payload);
        if (!made) {
            give_up(made.error().text());
        }
        const auto block = sign(std::move(*made));
        const auto after = app::put_block(consensus, state, block);
        if (!after) {
            give_up(after.error().text());
        }
        auto vote = consensus.vote(*after, *index, 0, {});
        if (!vote) {
            give_up(vote.error().error.text());
        }
        out.insert(out.begin(), net::Gossip{app::kGossipAttestation, sign(std::move(*vote))});
        out.emplace_back(net::NewBlock{block});
    }
    return out;
}

//! What convicts each of the keys in `files`, which commas divide. [worker]
std::vector<net::Message> convictions(app::Runtime& runtime, const pipeline::State& genesis, const std::string& files) {
    std::vector<net::Message> out;
    std::istringstream in(files);
    for (std::string file; std::getline(in, file, ',');) {
        const auto key = app::SecretKey::load(file);
        if (!key) {
            give_up(key.error().text());
        }
        std::vector<Bytes> testimonies;
        for (const auto& message : two_blocks(runtime, genesis, {}, {}, **key)) {
            if (const auto* block = std::get_if<net::NewBlock>(&message)) {
                auto testimony = runtime.consensus().testify(block->block.view, {});
                if (!testimony) {
                    give_up(testimony.error().error.text());
                }
                testimonies.push_back(std::move(*testimony));
            }
        }
        auto evidence = runtime.consensus().accuse(genesis, testimonies.at(0), testimonies.at(1));
        if (!evidence) {
            give_up(evidence.error().error.text());
        }
        out.emplace_back(net::Gossip{app::kGossipEvidence, SharedBytes(std::move(*evidence))});
    }
    return out;
}

class Liar : public net::NetworkHandler {
  public:
    Liar(app::Runtime& runtime, pipeline::State genesis, Lie lie, std::vector<Bytes> chain, Bytes certificate,
         std::vector<Bytes> fork, std::vector<net::Message> pushed)
        : consensus_(runtime.consensus()),
          genesis_(std::move(genesis)),
          lie_(lie),
          chain_(std::move(chain)),
          certificate_(std::move(certificate)),
          fork_(std::move(fork)),
          pushed_(std::move(pushed)) {}

    void attach(net::Network& network) { network_.store(&network); }

    void on_peer_up(const net::PeerInfo& peer) override {
        if (lie_ == Lie::genesis_twins) {
            for (const auto& conviction : pushed_) {
                told("relays evidence");
                say(peer.id, conviction);
            }
            return;
        }
        net::Status status;
        status.height = tip();
        status.hash = hash_at(status.height);
        status.committed_height = status.height - 3;
        status.committed_hash = hash_at(status.committed_height);
        status.unix_ms = app::unix_now();
        status.head_proof = SharedBytes(proof_of(tip()));
        if (lie_ == Lie::false_height) {
            status.height += kFalseHeights;
            status.hash.data.fill(0x5a);
            told("claims height " + std::to_string(status.height));
        }
        say(peer.id, status);
        if (lie_ == Lie::false_record) {
            told("relays a finality record");
            say(peer.id, net::Gossip{app::kGossipRecord, SharedBytes(Bytes(kRecordBytes, 0x5a))});
        }
        if (lie_ == Lie::malformed_evidence) {
            told("relays evidence of nothing");
            say(peer.id, net::Gossip{app::kGossipEvidence, SharedBytes(Bytes(kRecordBytes, 0x5a))});
        } else if (lie_ == Lie::forged_evidence || lie_ == Lie::true_evidence) {
            auto bytes = evidence();
            if (lie_ == Lie::forged_evidence) {
                bytes.back() ^= 0x01;
            }
            told("relays evidence");
            say(peer.id, net::Gossip{app::kGossipEvidence, SharedBytes(std::move(bytes))});
        }
    }
    void on_peer_down(std::uint64_t, std::string reason, std::string text) override {
        std::printf("down %s %s\n", reason.c_str(), text.c_str());
        std::fflush(stdout);
    }
    void on_dial_failed(std::string, std::uint16_t, Error) override {}

    void on_frame(std::uint64_t peer, SharedBytes frame) override {
        auto message = net::decode_message(frame);
        if (!message) {
            return;
        }
        if (const auto* ping = std::get_if<net::Ping>(&*message)) {
            say(peer, net::Pong{ping->nonce, app::unix_now()});
            if (lie_ == Lie::genesis_twins) {
                return;
            }
            for (const auto& one : pushed_) {
                told("pushes one of two blocks, or its approval");
                say(peer, one);
            }
        } else if (lie_ == Lie::genesis_twins) {
            return;  // it has no chain
        } else if (const auto* headers = std::get_if<net::GetHeaders>(&*message)) {
            answer(peer, *headers);
        } else if (const auto* blocks = std::get_if<net::GetBlocks>(&*message)) {
            answer(peer, *blocks);
        } else if (const auto* peers = std::get_if<net::GetPeers>(&*message)) {
            say(peer, net::Peers{peers->id, {}});
        }
    }

  private:
    //! The two chains' first blocks of authority 3 are of one slot and convict it.
    [[nodiscard]] Bytes evidence() const {
        std::size_t height = 1;
        for (;; ++height) {
            const auto decoded = consensus_.decode(SYNOD_FORM_BLOCKS, chain_.at(height), 1);
            if (!decoded || decoded->views.at(0).author == 3) {
                break;
            }
        }
        const auto one = consensus_.testify(chain_.at(height), {});
        const auto other = consensus_.testify(fork_.at(height), {});
        if (!one || !other) {
            give_up("its chains say nothing");
        }
        auto out = consensus_.accuse(genesis_, *one, *other);
        if (!out) {
            give_up(out.error().error.text());
        }
        return *out;
    }
    [[nodiscard]] std::uint64_t tip() const { return chain_.size() - 1; }
    void say(std::uint64_t peer, const net::Message& message) {
        if (auto* network = network_.load()) {
            network->send(peer, net::encode_message(message));
        }
    }
    static void told(const std::string& what) {
        std::printf("lie %s\n", what.c_str());
        std::fflush(stdout);
    }
    [[nodiscard]] Hash hash_at(std::uint64_t height) const {
        auto decoded = consensus_.decode(SYNOD_FORM_BLOCKS, chain_[height], 1);
        if (!decoded || decoded->views.size() != 1) {
            give_up("a block of its own can't be decoded");
        }
        return Hash::copy(decoded->views[0].hash);
    }
    [[nodiscard]] Bytes proof_of(std::uint64_t height) const {
        auto proof = height == tip()
                         ? consensus_.prove_head(chain_[height], {}, certificate_)
                         : consensus_.prove_head(chain_[height], chain_[height + 1], {});
        return proof ? *proof : Bytes{};
    }

    void answer(std::uint64_t peer, const net::GetHeaders& ask) {
        net::Headers reply;
        reply.id = ask.id;
        reply.from = ask.from;
        if (lie_ == Lie::silent) {
            told("silent to headers from " + std::to_string(ask.from));
            return;
        }
        if (lie_ == Lie::refuse) {
            told("another fork, headers from " + std::to_string(ask.from));
            reply.result = net::ReplyResult::other_fork;
        } else if (ask.from == 0 || ask.from > tip()) {
            reply.result = net::ReplyResult::not_available;
        } else if (hash_at(ask.from - 1) != ask.parent) {
            reply.result = net::ReplyResult::other_fork;
        } else {
            const auto last = std::min({tip(), ask.from + ask.count - 1, ask.from + kMaxHeaders - 1});
            Bytes run;
            for (auto height = ask.from; height <= last; ++height) {
                const auto& block = chain_[height];
                run.insert(run.end(), block.begin(), block.begin() + kSignatureAt);
            }
            reply.count = static_cast<std::uint32_t>(last - ask.from + 1);
            reply.run = SharedBytes(std::move(run));
            reply.head_proof = SharedBytes(proof_of(last));
        }
        say(peer, reply);
    }

    //! The blocks of a reply, spoiled.
    void spoil(std::vector<Bytes>& blocks, const net::GetBlocks& ask) {
        const auto at = [&](std::size_t i) { return " at height " + std::to_string(ask.from + i); };
        const auto middle = blocks.size() / 2;
        switch (lie_) {
            case Lie::bad_signature:
                blocks[middle][kSignatureAt + 7] ^= 0x10;
                told("signature" + at(middle));
                break;
            case Lie::bad_end_signature:
                // Where ranges end: the block is the last that one peer brings.
                for (std::size_t i = 0; i < blocks.size(); ++i) {
                    if ((ask.from + i) % 128 == 0) {
                        blocks[i][kSignatureAt + 7] ^= 0x10;
                        told("end signature" + at(i));
                    }
                }
                break;
            case Lie::bad_certificate:
                if (blocks[middle].size() > kCertificateAt + 64) {
                    blocks[middle][kCertificateAt + 5] ^= 0x01;
                    told("certificate" + at(middle));
                }
                break;
            case Lie::wrong_body:
                blocks[middle].back() ^= 0x01;
                told("body" + at(middle));
                break;
            case Lie::fork:
                for (std::size_t i = 0; i < blocks.size(); ++i) {
                    blocks[i] = fork_[std::min<std::size_t>(ask.from + i, fork_.size() - 1)];
                }
                told("fork" + at(0));
                break;
            default: break;
        }
    }

    void answer(std::uint64_t peer, const net::GetBlocks& ask) {
        if (lie_ == Lie::stall || lie_ == Lie::silent) {
            told("silent to blocks from " + std::to_string(ask.from));
            return;
        }
        net::Blocks reply;
        reply.id = ask.id;
        reply.from = ask.from;
        std::vector<Bytes> blocks;
        std::uint64_t bytes = 0;
        if (lie_ == Lie::refuse) {
            told("another fork, blocks from " + std::to_string(ask.from));
            reply.result = net::ReplyResult::other_fork;
        } else if (ask.from == 0 || ask.from > tip()) {
            reply.result = net::ReplyResult::not_available;
        } else {
            for (auto height = ask.from; height <= tip() && blocks.size() < ask.count; ++height) {
                bytes += chain_[height].size();
                if (!blocks.empty() && bytes > ask.soft_bytes) {
                    break;
                }
                blocks.push_back(chain_[height]);
            }
            spoil(blocks, ask);
        }
        reply.count = static_cast<std::uint32_t>(blocks.size());
        Bytes run;
        for (const auto& block : blocks) {
            run.insert(run.end(), block.begin(), block.end());
        }
        reply.run = SharedBytes(std::move(run));
        say(peer, reply);
    }

    const pipeline::Consensus& consensus_;
    const pipeline::State genesis_;
    const Lie lie_;
    const std::vector<Bytes> chain_;
    const Bytes certificate_;
    const std::vector<Bytes> fork_;
    const std::vector<net::Message> pushed_;  // with each ping; convictions once a link
    std::atomic<net::Network*> network_{nullptr};
};

int run(std::map<std::string, std::string> given) {
    const auto lie = kLies.find(given["--lie"]);
    if (lie == kLies.end()) {
        give_up("no such lie");
    }
    auto runtime = app::offline_runtime(given["--genesis"], "reference");
    if (!runtime) {
        give_up(runtime.error().text());
    }
    auto key = app::SecretKey::load(given["--key"]);
    if (!key) {
        give_up(key.error().text());
    }
    Bytes certificate;
    auto chain = given["--chain"].empty() ? std::vector<Bytes>{} : read_chain(**runtime, given["--chain"], &certificate);
    auto fork = given["--fork"].empty() ? std::vector<Bytes>{}
                                        : read_chain(**runtime, given["--fork"], nullptr);
    std::optional<Result<pipeline::Consensus::Genesis>> genesis;
    (*runtime)->pipeline().on_consensus_and_wait([&] { genesis.emplace((*runtime)->consensus().genesis()); });
    if (!*genesis) {
        give_up(genesis->error().text());
    }
    std::vector<net::Message> pushed;
    if (lie->second == Lie::two_blocks) {
        (*runtime)->pipeline().on_consensus_and_wait(
            [&] { pushed = two_blocks(**runtime, (*genesis)->state, chain, certificate, **key); });
    }
    if (lie->second == Lie::genesis_twins) {
        (*runtime)->pipeline().on_consensus_and_wait(
            [&] { pushed = convictions(**runtime, (*genesis)->state, given["--accused"]); });
    }
    Liar liar(**runtime, (*genesis)->state, lie->second, std::move(chain), std::move(certificate), std::move(fork),
              std::move(pushed));
    net::NetworkConfig config;
    config.listen_port = static_cast<std::uint16_t>(std::stoul(given["--port"]));
    config.network_id = Hash::copy((*runtime)->info().network_id);
    config.genesis = Hash::copy((*runtime)->info().genesis_hash);
    config.identity = net::Identity::from_seed((*key)->seed());
    std::signal(SIGTERM, ask_to_stop);
    auto network = net::Network::start(std::move(config), liar);
    if (!network) {
        give_up(network.error().text());
    }
    liar.attach(**network);
    std::puts("ready");
    std::fflush(stdout);
    while (stop_asked == 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    (*network)->stop();
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    ::setenv("SYNOD_PLUGIN_DIR", SYNOD_BINARY_DIR "/plugins", 1);
    std::map<std::string, std::string> given;
    for (int i = 1; i + 1 < count; i += 2) {
        given[arguments[i]] = arguments[i + 1];
    }
    return run(std::move(given));
}
