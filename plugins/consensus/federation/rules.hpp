// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The numbers and names of the rules of this chain. A number never changes its meaning: it is what a refusal and a
//! failed check carry. Pure data, any thread.
#include <cstdint>

namespace synod::federation {

enum class RuleId : uint32_t {
    kNone = 0,
    kShape = 1,
    kHeight = 2,
    kParentLink = 3,
    kSlotOrder = 4,
    kSlotFuture = 5,
    kAuthor = 6,
    kAuthoritySet = 7,
    kBodyRoot = 8,
    kStateRoot = 9,
    kRecordShape = 10,
    kRecordRange = 11,
    kRecordRoot = 12,
    kRecordChain = 13,
    kRecordBits = 14,
    kRecordProof = 15,
    kRecordTarget = 16,
    kWorkOverdue = 17,
    kGovernanceUnsupported = 18,
    kAuthorSignature = 19,
    kCertificateShape = 20,
    kCertificateSignature = 21,
    kVoteSlot = 22,
    kVoteLock = 23,
    kVoteAuthor = 24,
    kAttestationShape = 25,
    kAttestationAuthor = 26,
    kAttestationBlock = 27,
    kAttestationSignature = 28,
    kQuorum = 29,
    kProofShape = 30,
    kWorkNone = 31,
    kRecordParentChain = 32,
    kRecordIndex = 33,
    kRecordGovernance = 34,
    kSetUnknown = 35,
    kHalted = 36,
    kBlockBytes = 37,
    kEventShape = 38,
    kEventNetwork = 39,
    kEventSequence = 40,
    kEventLink = 41,
    kEventHeight = 42,
    kEventEffect = 43,
    kEventApprovals = 44,
    kEventSignature = 45,
    kEventPending = 46,
    kEventEvidence = 47,
    kEvidenceShape = 64,
    kEvidenceAuthor = 65,
    kEvidenceAgrees = 66,
    kEvidenceSignature = 67,
};

/// Never null; "unknown-rule" for a number that names none.
constexpr const char* rule_text(uint32_t rule) {
    constexpr const char* kOfEvidence[] = {"evidence-shape", "evidence-author", "evidence-agrees", "evidence-signature"};
    constexpr uint32_t kFirst = static_cast<uint32_t>(RuleId::kEvidenceShape);
    if (rule >= kFirst && rule - kFirst < sizeof(kOfEvidence) / sizeof(kOfEvidence[0])) {
        return kOfEvidence[rule - kFirst];
    }
    constexpr const char* kNames[] = {
        "none",           "shape",         "height",       "parent-link",            "slot-order",
        "slot-future",    "author",        "authority-set", "body-root",             "state-root",
        "record-shape",   "record-range",  "record-root",  "record-chain",           "record-bits",
        "record-proof",   "record-target", "work-overdue", "governance-unsupported", "author-signature",
        "certificate-shape", "certificate-signature", "vote-slot", "vote-lock",      "vote-author",
        "attestation-shape", "attestation-author", "attestation-block", "attestation-signature", "quorum",
        "proof-shape",    "work-none",     "record-parent-chain", "record-index",    "record-governance",
        "set-unknown",    "halted",        "block-bytes",  "event-shape",            "event-network",
        "event-sequence", "event-link",    "event-height", "event-effect",           "event-approvals",
        "event-signature", "event-pending", "event-evidence"};
    return rule < sizeof(kNames) / sizeof(kNames[0]) ? kNames[rule] : "unknown-rule";
}

/// A broken rule with the values that disagree.
struct Broken {
    RuleId rule = RuleId::kNone;
    char detail[160] = {};
    explicit operator bool() const noexcept { return rule != RuleId::kNone; }
};

/// printf-like; the detail is cut at its capacity.
__attribute__((format(printf, 2, 3))) Broken broken(RuleId rule, const char* format, ...);

} // namespace synod::federation
