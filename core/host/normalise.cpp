// SPDX-License-Identifier: Apache-2.0
#include "core/host/normalise.hpp"

#include <array>

namespace synod::host {

void complete_table(synod_plugin_api& t) {
    fill_absent(t.create, t.activate, t.drain, t.deactivate, t.destroy, t.reconfigure, t.save, t.load,
                t.on_event, t.query);
}
void complete_table(synod_consensus_api& t) {
    fill_absent(t.genesis, t.info, t.decode, t.plan, t.plan_headers, t.prove_head, t.check_head, t.fork,
                t.release, t.save, t.load, t.root, t.prove, t.weigh, t.author_of, t.authority_index,
                t.propose, t.vote, t.stalled, t.check_attestation, t.certify, t.accept_certificate,
                t.rule_name, t.explain, t.methods, t.call, t.carried);
}
void complete_table(synod_validation_api& t) {
    // sha256d has no status: without one of its own the host's hash service must know, so it stays null.
    fill_absent(t.validate, t.cancel, t.isa);
}
void complete_table(synod_scoring_api& t) { fill_absent(t.score, t.explain); }
void complete_table(synod_checkpoint_api& t) { fill_absent(t.probe, t.encode, t.decode); }
void complete_table(synod_optimizer_api& t) { fill_absent(t.propose, t.feedback); }

Result<Plugin> read_descriptor(const synod_descriptor* d, const std::string& file,
                               std::uint32_t minor_needed) {
    const auto bad = [&](const std::string& what) {
        return fail("plugin.bad_descriptor", "the plugin's descriptor " + what, file,
                    "report it to the plugin's author");
    };
    if (d == nullptr || d->size < sizeof(synod_descriptor) || d->api == nullptr ||
        d->api->size < sizeof(std::uint32_t) * 2) {
        return bad("is missing or too short");
    }
    const auto usable = [](const char* text) { return text != nullptr && ::strnlen(text, 129) - 1 < 128; };
    if (!usable(d->id) || !usable(d->name) || !usable(d->version) || !usable(d->kind)) {
        return bad("has an empty or overlong id, name, version or kind");
    }
    constexpr std::array<std::string_view, 5> kKinds = {SYNOD_KIND_CONSENSUS, SYNOD_KIND_VALIDATION,
        SYNOD_KIND_SCORING, SYNOD_KIND_CHECKPOINT, SYNOD_KIND_OPTIMIZER};
    if (std::find(kKinds.begin(), kKinds.end(), std::string_view(d->kind)) == kKinds.end()) {
        return bad(std::string("names the unknown kind ") + d->kind);
    }
    Plugin out;
    out.descriptor = d;
    out.id = d->id;
    out.name = d->name;
    out.version = d->version;
    out.kind = d->kind;
    out.schema = d->config_schema != nullptr ? d->config_schema : "";
    out.file = file;
    out.abi_minor_needed = minor_needed;
    normalise(d->api, out.api);
    return out;
}

}  // namespace synod::host
