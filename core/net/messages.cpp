// SPDX-License-Identifier: Apache-2.0
#include "core/net/messages.hpp"

#include "core/base/codec.hpp"

namespace synod::net {

namespace {

constexpr std::string_view kNames[] = {
    "unknown",     "status",   "get_headers", "headers", "get_blocks", "blocks",    "get_by_hash",
    "announce",    "new_block", "gossip",     "ping",    "pong",       "get_peers", "peers",
    "goodbye",
};
constexpr std::size_t kFixedPartBytes = 160;  // more than any message without its large fields

//! Reads a frame's fields; knows the frame, so that large fields become slices of it.
struct In {
    const SharedBytes& frame;
    Reader reader;
    bool valid = true;

    explicit In(const SharedBytes& f) : frame(f), reader(f.view.subspan(1)) {}
    template <typename T>
    void operator()(T& value) {
        value = reader.get<T>();
    }
    template <std::size_t N, typename Tag>
    void operator()(FixedBytes<N, Tag>& value) {
        value = reader.fixed<FixedBytes<N, Tag>>();
    }
    void operator()(ReplyResult& value) {
        const auto raw = reader.get<std::uint8_t>();
        valid = valid && raw <= static_cast<std::uint8_t>(ReplyResult::busy);
        value = static_cast<ReplyResult>(raw);
    }
    void blob(SharedBytes& value, std::size_t max) {
        value = SharedBytes(frame.owner, reader.blob(max));
    }
    void text(std::string& value, std::size_t max) { value = reader.text(max); }
    void count(std::uint32_t& value, std::uint32_t min) {
        value = reader.get<std::uint32_t>();
        valid = valid && value >= min && value <= kMaxRangeCount;
    }
    void peers(std::vector<ListedPeer>& list) {
        const auto n = reader.get<std::uint16_t>();
        if (n > kMaxPeersListed) {
            valid = false;
            return;
        }
        for (std::size_t i = 0; i < n && reader.ok(); ++i) {
            auto& peer = list.emplace_back();
            peer.ip = reader.text(kMaxIpTextBytes);
            peer.port = reader.get<std::uint16_t>();
            peer.identity = reader.fixed<PublicKey>();
        }
    }
};

//! Writes fields; the twin of In.
struct Out {
    Writer& writer;

    template <typename T>
    void operator()(const T& value) {
        writer.put(value);
    }
    template <std::size_t N, typename Tag>
    void operator()(const FixedBytes<N, Tag>& value) {
        writer.fixed(value);
    }
    void operator()(const ReplyResult& value) { writer.put(static_cast<std::uint8_t>(value)); }
    void blob(const SharedBytes& value, std::size_t) { writer.blob(value.view); }
    void text(const std::string& value, std::size_t) { writer.text(value); }
    void count(const std::uint32_t& value, std::uint32_t) { writer.put(value); }
    void peers(const std::vector<ListedPeer>& list) {
        writer.put(static_cast<std::uint16_t>(list.size()));
        for (const auto& peer : list) {
            writer.text(peer.ip).put(peer.port).fixed(peer.identity);
        }
    }
};

// One list of fields a message, for both directions: `M` is const when writing.

template <typename F, typename M>
void reply_head(F& f, M& m) {
    f(m.id);
    f(m.result);
    f(m.retry_ms);
    f(m.from);
    f.count(m.count, 0);
}

template <typename T, typename U>
concept Is = std::same_as<std::remove_const_t<T>, U>;

template <typename F, Is<Status> M>
void fields(F& f, M& m) {
    f(m.height);
    f(m.hash);
    f(m.slot);
    f(m.committed_height);
    f(m.committed_hash);
    f(m.final_height);
    f(m.unix_ms);
    f.blob(m.head_proof, kMaxHeadProofBytes);
}
template <typename F, Is<GetHeaders> M>
void fields(F& f, M& m) {
    f(m.id);
    f(m.from);
    f.count(m.count, 1);
    f(m.parent);
}
template <typename F, Is<Headers> M>
void fields(F& f, M& m) {
    reply_head(f, m);
    f.blob(m.run, kMaxFrameBytes);
    f.blob(m.head_proof, kMaxHeadProofBytes);
}
template <typename F, Is<GetBlocks> M>
void fields(F& f, M& m) {
    f(m.id);
    f(m.from);
    f.count(m.count, 1);
    f(m.parent);
    f(m.soft_bytes);
}
template <typename F, Is<Blocks> M>
void fields(F& f, M& m) {
    reply_head(f, m);
    f.blob(m.run, kMaxFrameBytes);
}
template <typename F, Is<GetByHash> M>
void fields(F& f, M& m) {
    f(m.id);
    f(m.hash);
}
template <typename F, Is<Announce> M>
void fields(F& f, M& m) {
    f(m.height);
    f(m.hash);
    f(m.slot);
}
template <typename F, Is<NewBlock> M>
void fields(F& f, M& m) {
    f.blob(m.block, kMaxFrameBytes);
}
template <typename F, Is<Gossip> M>
void fields(F& f, M& m) {
    f(m.kind);
    f.blob(m.payload, kMaxGossipBytes);
}
template <typename F, typename M>
    requires Is<M, Ping> || Is<M, Pong>
void fields(F& f, M& m) {
    f(m.nonce);
    f(m.unix_ms);
}
template <typename F, Is<GetPeers> M>
void fields(F& f, M& m) {
    f(m.id);
}
template <typename F, Is<Peers> M>
void fields(F& f, M& m) {
    f(m.id);
    f.peers(m.list);
}
template <typename F, Is<Goodbye> M>
void fields(F& f, M& m) {
    f(m.reason);
    f.text(m.text, kMaxGoodbyeTextBytes);
}

template <std::size_t I = 0>
Result<Message> decode_type(std::size_t index, const SharedBytes& frame) {
    if constexpr (I < std::variant_size_v<Message>) {
        if (index != I) {
            return decode_type<I + 1>(index, frame);
        }
        std::variant_alternative_t<I, Message> message;
        In in(frame);
        fields(in, message);
        if (!in.valid || !in.reader.done()) {
            return fail("net.message_malformed",
                        "a " + std::string(kNames[I + 1]) + " message of " +
                            std::to_string(frame.view.size()) + " bytes does not decode",
                        "message");
        }
        return Message(std::move(message));
    } else {
        return fail("net.message_unknown_type",
                    "no message has the type " + std::to_string(index + 1), "message");
    }
}

std::size_t bytes_of(const std::vector<SharedBytes>& parts) {
    std::size_t out = 0;
    for (const auto& part : parts) {
        out += part.view.size();
    }
    return out;
}

template <typename M>
Writer start(MessageType type, const M& head, std::size_t run_bytes) {
    Writer writer;
    writer.put(static_cast<std::uint8_t>(type));
    Out out{writer};
    reply_head(out, head);
    writer.put(static_cast<std::uint32_t>(run_bytes));
    return writer;
}

}  // namespace

static_assert(std::size(kNames) == std::variant_size_v<Message> + 1);

MessageType type_of(const Message& message) {
    return static_cast<MessageType>(message.index() + 1);
}

std::string_view type_name(std::uint8_t type) {
    return type < std::size(kNames) ? kNames[type] : kNames[0];
}

Bytes encode_message(const Message& message) {
    Writer writer;
    writer.put(static_cast<std::uint8_t>(type_of(message)));
    std::visit(
        [&writer](const auto& m) {
            if constexpr (requires { m.run; }) {
                writer.reserve(kFixedPartBytes + m.run.view.size());
            }
            Out out{writer};
            fields(out, m);
        },
        message);
    return writer.take();
}

std::vector<SharedBytes> encode_parts(const Blocks& head, std::vector<SharedBytes> payloads) {
    auto writer = start(MessageType::blocks, head, bytes_of(payloads));
    payloads.insert(payloads.begin(), SharedBytes(writer.take()));
    return payloads;
}

std::vector<SharedBytes> encode_parts(const Headers& head, std::vector<SharedBytes> payloads) {
    auto writer = start(MessageType::headers, head, bytes_of(payloads));
    payloads.insert(payloads.begin(), SharedBytes(writer.take()));
    Writer tail;
    tail.blob(head.head_proof.view);
    payloads.emplace_back(tail.take());
    return payloads;
}

std::vector<SharedBytes> encode_parts(const NewBlock& message) {
    Writer writer;
    writer.put(static_cast<std::uint8_t>(MessageType::new_block));
    writer.put(static_cast<std::uint32_t>(message.block.view.size()));
    return {SharedBytes(writer.take()), message.block};
}

Result<Message> decode_message(const SharedBytes& frame) {
    if (frame.view.empty()) {
        return fail("net.message_empty", "a frame without a type byte", "message");
    }
    if (frame.view[0] == 0) {
        return fail("net.message_unknown_type", "no message has the type 0", "message");
    }
    return decode_type(frame.view[0] - 1u, frame);
}

}  // namespace synod::net
