// SPDX-License-Identifier: Apache-2.0
#include "core/host/normalise.hpp"

#include <array>
#include <optional>

#include "core/host/loader.hpp"

namespace synod::host {

void complete_table(synod_plugin_api& t) {
    fill_absent(t.create, t.activate, t.drain, t.deactivate, t.destroy, t.reconfigure, t.save, t.load,
                t.on_event, t.query);
}
void complete_table(synod_consensus_api& t) {
    fill_absent(t.genesis, t.info, t.decode, t.plan, t.plan_headers, t.prove_head, t.check_head, t.fork,
                t.release, t.save, t.load, t.root, t.prove, t.weigh, t.author_of, t.authority_index,
                t.propose, t.vote, t.stalled, t.check_attestation, t.certify, t.accept_certificate,
                t.rule_name, t.explain, t.methods, t.call, t.carried, t.next_work, t.make_record,
                t.check_record, t.voter_index, t.check_event, t.testify, t.accuse, t.check_evidence,
                t.signed_by);
}
void complete_table(synod_validation_api& t) {
    // sha256d has no status: without one of its own the host's hash service must know, so it stays null.
    fill_absent(t.validate, t.cancel, t.isa);
}
void complete_table(synod_scoring_api& t) { fill_absent(t.score, t.explain); }
void complete_table(synod_checkpoint_api& t) { fill_absent(t.probe, t.encode, t.decode); }
void complete_table(synod_optimizer_api& t) { fill_absent(t.propose, t.feedback); }

namespace {

constexpr std::size_t kMaxNameBytes = 128;       // id, name, version, kind
constexpr std::size_t kMaxTextBytes = 4096;      // any other text for people
constexpr std::size_t kMaxSchemaBytes = 1 << 20;
constexpr std::size_t kMaxIds = 64;              // ids of one list

//! At most `limit` bytes of a text; nothing when there is none, or more.
std::optional<std::string> copied(const char* text, std::size_t limit) {
    const std::size_t length = text == nullptr ? limit + 1 : ::strnlen(text, limit + 1);
    return length > limit ? std::nullopt : std::optional<std::string>(std::in_place, text, length);
}

//! Whether the list ends and every id in it does. No list is an empty one.
bool copy_ids(const char* const* list, std::vector<std::string>& out) {
    for (std::size_t i = 0; list != nullptr && list[i] != nullptr; ++i) {
        auto id = copied(list[i], kMaxNameBytes);
        if (i == kMaxIds || !id) {
            return false;
        }
        out.push_back(std::move(*id));
    }
    return true;
}

bool copy_optional(const char* text, std::size_t limit, std::string& out) {
    auto copy = copied(text, limit);
    out = copy.value_or("");
    return copy.has_value() || text == nullptr;
}

Result<Plugin> read_descriptor(const synod_descriptor* d, const std::string& file) {
    const auto bad = [&](const std::string& what) {
        return fail("plugin.bad_descriptor", "the plugin's descriptor " + what, file,
                    "report it to the plugin's author");
    };
    if (d == nullptr || d->size < sizeof(synod_descriptor) || d->api == nullptr ||
        d->api->size < sizeof(std::uint32_t) * 2) {
        return bad("is missing or too short");
    }
    Plugin out;
    const std::pair<const char*, std::string*> names[] = {
        {d->id, &out.id}, {d->name, &out.name}, {d->version, &out.version}, {d->kind, &out.kind}};
    for (const auto& [text, to] : names) {
        *to = copied(text, kMaxNameBytes).value_or("");
        if (to->empty()) {
            return bad("has an empty or overlong id, name, version or kind");
        }
    }
    constexpr std::array<std::string_view, 5> kKinds = {SYNOD_KIND_CONSENSUS, SYNOD_KIND_VALIDATION,
        SYNOD_KIND_SCORING, SYNOD_KIND_CHECKPOINT, SYNOD_KIND_OPTIMIZER};
    if (std::find(kKinds.begin(), kKinds.end(), out.kind) == kKinds.end()) {
        return bad("names the unknown kind " + out.kind);
    }
    if (!copy_optional(d->vendor, kMaxTextBytes, out.vendor) ||
        !copy_optional(d->license, kMaxTextBytes, out.license) || !copy_optional(d->url, kMaxTextBytes, out.url) ||
        !copy_optional(d->config_schema, kMaxSchemaBytes, out.schema)) {
        return bad("has an overlong vendor, license, url or configuration schema");
    }
    if (!copy_ids(d->requires_, out.needs) || !copy_ids(d->optional, out.uses) ||
        !copy_ids(d->provides, out.provides)) {
        return bad("has a list of ids without an end, or an overlong id");
    }
    out.flags = d->flags;
    out.state_rev = d->state_rev;
    out.file = file;
    normalise(d->api, out.api);
    return out;
}

}  // namespace

Result<std::vector<Plugin>> read_entry(const synod_entry* entry, const std::string& file) {
    if (auto checked = check_entry(entry, file); !checked) {
        return std::unexpected(checked.error());
    }
    std::string built_with;
    (void)copy_optional(entry->built_with, kMaxTextBytes, built_with);
    std::vector<Plugin> out;
    for (std::uint64_t i = 0; i < entry->n_plugins; ++i) {
        auto plugin = read_descriptor(entry->plugins[i], file);
        if (!plugin) {
            return std::unexpected(plugin.error());
        }
        plugin->abi_minor_needed = entry->abi_minor_needed;
        plugin->abi_minor_built = entry->abi_minor_built;
        plugin->built_with = built_with;
        out.push_back(std::move(*plugin));
    }
    return out;
}

}  // namespace synod::host
