// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/lent_batch.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <numeric>

namespace synod::pipeline {

namespace {

constexpr std::size_t kKeyBytes = 32, kSignatureBytes = 64, kDigestBytes = 32, kHeaderBytes = 80;

std::size_t bytes_of(const synod_bytes* column, std::uint64_t rows) {
    return std::transform_reduce(column, column + rows, std::size_t{0}, std::plus{},
                                 [](const synod_bytes& b) { return static_cast<std::size_t>(b.n); });
}

std::size_t bytes_of(const synod_check_batch& b) {
    const auto leaves =
        std::accumulate(b.merkles.leaf_counts, b.merkles.leaf_counts + b.merkles.n, std::size_t{0});
    return b.signatures.n * (kKeyBytes + kSignatureBytes) + bytes_of(b.signatures.messages, b.signatures.n) +
           b.digests.n * kDigestBytes + bytes_of(b.digests.spans, b.digests.n) + leaves * kDigestBytes +
           b.merkles.n * kDigestBytes + b.targets.n * (kHeaderBytes + kDigestBytes);
}

}  // namespace

LentBatch::LentBatch(const synod_check_batch& of)
    : batch_(of),
      bytes_(bytes_of(of)),
      verdicts_(of.signatures.n + of.digests.n + of.merkles.n + of.targets.n, SYNOD_VERDICT_UNKNOWN) {
    keys_ = copy(of.signatures.keys, of.signatures.n, kKeyBytes);
    signatures_ = copy(of.signatures.signatures, of.signatures.n, kSignatureBytes);
    messages_ = copy(of.signatures.messages, of.signatures.n);
    batch_.signatures = {of.signatures.n, keys_.data(), signatures_.data(), messages_.data(),
                         unknown(of.signatures.n)};
    spans_ = copy(of.digests.spans, of.digests.n);
    digests_ = copy(of.digests.digests, of.digests.n, kDigestBytes);
    batch_.digests = {of.digests.n, spans_.data(), digests_.data(), unknown(of.digests.n)};
    leaf_counts_.assign(of.merkles.leaf_counts, of.merkles.leaf_counts + of.merkles.n);
    for (std::uint64_t i = 0; i < of.merkles.n; ++i) {
        leaves_.push_back(copy(of.merkles.leaves[i], static_cast<std::size_t>(leaf_counts_[i]) * kDigestBytes));
    }
    roots_ = copy(of.merkles.roots, of.merkles.n, kDigestBytes);
    batch_.merkles = {of.merkles.n, leaves_.data(), leaf_counts_.data(), roots_.data(), unknown(of.merkles.n)};
    headers_ = copy(of.targets.headers, of.targets.n, kHeaderBytes);
    targets_ = copy(of.targets.targets, of.targets.n, kDigestBytes);
    batch_.targets = {of.targets.n, headers_.data(), targets_.data(), unknown(of.targets.n)};
}

const std::uint8_t* LentBatch::copy(const std::uint8_t* bytes, std::size_t n) {
    auto* out = bytes_.data() + used_;
    if (n > 0) {
        std::memcpy(out, bytes, n);
    }
    used_ += n;
    return out;
}

std::vector<const std::uint8_t*> LentBatch::copy(const std::uint8_t* const* column, std::uint64_t rows,
                                                 std::size_t n) {
    std::vector<const std::uint8_t*> out;
    for (std::uint64_t i = 0; i < rows; ++i) {
        out.push_back(copy(column[i], n));
    }
    return out;
}

std::vector<synod_bytes> LentBatch::copy(const synod_bytes* column, std::uint64_t rows) {
    std::vector<synod_bytes> out;
    for (std::uint64_t i = 0; i < rows; ++i) {
        out.push_back({copy(column[i].p, static_cast<std::size_t>(column[i].n)), column[i].n});
    }
    return out;
}

std::uint8_t* LentBatch::unknown(std::uint64_t rows) {
    auto* out = verdicts_.data() + verdicts_used_;
    verdicts_used_ += static_cast<std::size_t>(rows);
    return out;
}

void LentBatch::give_back(const synod_check_batch& to) const {
    std::copy_n(batch_.signatures.verdicts, batch_.signatures.n, to.signatures.verdicts);
    std::copy_n(batch_.digests.verdicts, batch_.digests.n, to.digests.verdicts);
    std::copy_n(batch_.merkles.verdicts, batch_.merkles.n, to.merkles.verdicts);
    std::copy_n(batch_.targets.verdicts, batch_.targets.n, to.targets.verdicts);
}

void LentBatch::abandon(std::shared_ptr<const LentBatch> lent) {
    static std::mutex mutex;
    static auto* const kept = new std::vector<std::shared_ptr<const LentBatch>>();
    const std::scoped_lock lock(mutex);
    kept->push_back(std::move(lent));
}

}  // namespace synod::pipeline
