// SPDX-License-Identifier: Apache-2.0
#include "core/app/node/signer.hpp"
#include "core/base/planted.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace synod::app {

std::shared_ptr<SecretKey> SecretKey::from_seed(ByteView seed32) {
    auto out = std::shared_ptr<SecretKey>(new SecretKey());
    crypto_sign_ed25519_seed_keypair(out->public_key_.data.data(), out->secret_.data(), seed32.data());
    return out;
}

SecretKey::~SecretKey() { sodium_memzero(secret_.data(), secret_.size()); }

Signature SecretKey::sign(ByteView message) const {
    Signature out;
    crypto_sign_ed25519_detached(out.data.data(), nullptr, message.data(), message.size(),
                                 secret_.data());
    return out;
}

Result<std::shared_ptr<SecretKey>> SecretKey::load(const std::string& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail("key.missing", std::string("can't open the key file: ") + std::strerror(errno), file,
                    "make one with `synod keygen " + file + "`");
    }
    struct stat info {};
    std::array<char, 80> text{};
    const bool readable = ::fstat(fd, &info) == 0;
    const auto n = ::read(fd, text.data(), text.size());
    ::close(fd);
    if (!readable || (info.st_mode & 077) != 0) {
        return fail("key.permissions", "others can read the key file", file, "chmod 600 " + file);
    }
    std::string_view line(text.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) {
        line.remove_suffix(1);
    }
    auto seed = from_hex(line);
    sodium_memzero(text.data(), text.size());
    if (!seed || seed->size() != 32) {
        return fail("key.malformed", "not 64 hexadecimal characters", file,
                    "make a new one with `synod keygen`");
    }
    auto out = from_seed(*seed);
    sodium_memzero(seed->data(), seed->size());
    return out;
}

Bytes random_seed() {
    Bytes out(32);
    randombytes_buf(out.data(), out.size());
    return out;
}

Result<void> write_seed(const std::string& file, ByteView seed32) {
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail(errno == EEXIST ? "key.exists" : "key.io", std::strerror(errno), file,
                    errno == EEXIST ? "an existing key is never overwritten" : "");
    }
    const auto text = to_hex(seed32) + "\n";
    const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                         ::fsync(fd) == 0;
    ::close(fd);
    if (!written) {
        return fail("key.io", std::strerror(errno), file);
    }
    return {};
}

Result<std::optional<store::SignRecord>> Signer::stored() { return store_->load(key_->public_key()); }

Result<store::SignRecord> Signer::record() {
    auto found = stored();
    if (!found) {
        return std::unexpected(found.error());
    }
    auto record = found->value_or(store::SignRecord{});
    record.last_approved_slot = std::max(record.last_approved_slot, began_.load());
    return record;
}

Result<Bytes> Signer::sign(pipeline::Unsigned made) {
    const auto& request = made.request;
    if (request.purpose != SYNOD_SIGN_STALLED && request.slot <= began_) {
        return fail("signer.before_start", "slot " + std::to_string(request.slot) + " began before this process",
                    "signer", "wait for the next slot");
    }
    Result<void> stored;
    if (SYNOD_PLANTED("signed_slot_forgotten")) {
        // what a restart must not forget is not written
    } else if (request.purpose == SYNOD_SIGN_PROPOSE) {
        stored = store_->record_proposal(key_->public_key(), request.slot);
    } else if (request.purpose == SYNOD_SIGN_APPROVE) {
        const bool locked = !SYNOD_PLANTED("lock_forgotten");
        stored = store_->record_approval(key_->public_key(), request.slot, locked ? request.new_lock.slot : 0,
                                         locked ? Hash::copy(request.new_lock.hash) : Hash{});
    }
    if (!stored) {
        return std::unexpected(stored.error());
    }
    const auto signature = key_->sign({request.message, request.message_length});
    std::ranges::copy(signature.data, made.bytes.begin() + request.signature_offset);
    if (witness_) {
        witness_(request);
    }
    return std::move(made.bytes);
}

}  // namespace synod::app
