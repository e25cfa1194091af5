// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What every kind's wrapper stands on: the base class of an instance, the thunks of synod_plugin_api, and the macro
//! that emits descriptor and entry as constant data. A new kind needs a class derived from PluginBase with `kKind`,
//! a table of noexcept thunks through guard(), and table().
#include <synod/cpp/host.hpp>
#include <synod/cpp/json.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace synod {

/// What a constructor gets. The host outlives the instance; take from `config` what is needed.
struct Context {
    const synod_host* host;
    Value config;
};

/// Base of every plugin instance. The virtuals are the lifecycle of abi.h, with failures thrown as Failure.
class PluginBase {
public:
    explicit PluginBase(const Context& context) : host_(context.host), config_(context.config) {}
    virtual ~PluginBase() = default;
    PluginBase(const PluginBase&) = delete;
    PluginBase& operator=(const PluginBase&) = delete;

    const Host& host() const noexcept { return host_; }
    Log log() const noexcept { return host_.log(); }
    /// The configuration in force: the constructor's, then that of the last reconfigure that did not throw.
    const Value& config() const noexcept { return config_; }

    virtual void activate() {}                          ///< [main & created]
    virtual void drain(uint64_t /*deadline_ns*/) {}     ///< [main & active] no callbacks afterwards
    virtual void deactivate() {}                        ///< [main & draining]
    virtual void save(Sink& /*sink*/) { unsupported("save"); }                               ///< [main]
    virtual void load(Source& /*source*/, uint32_t /*state_rev*/) { unsupported("load"); } ///< [main & created]
    virtual void on_event(std::span<const synod_event> /*events*/) {}                          ///< [worker & active]
    /// [main] Must leave the instance untouched when it throws.
    virtual void reconfigure(const Value& /*config*/) { unsupported("reconfigure"); }

    /// Called once after the constructor, before the host gets the instance: a kind fills its table here.
    virtual void prepare() {}
    /// [shared] The kind's table. A kind's wrapper overrides it; authors override extension().
    virtual const void* table(std::string_view /*id_slash_rev*/) const noexcept { return nullptr; }
    /// [shared] Tables beyond the kind's own; list their ids in Metadata::provides.
    virtual const void* extension(std::string_view /*id_slash_rev*/) const noexcept { return nullptr; }

    void adopt_config(Value config) noexcept { config_ = std::move(config); } ///< for the reconfigure thunk

protected:
    [[noreturn]] static void unsupported(const char* what) {
        throw Failure(SYNOD_E_UNSUPPORTED, std::string("this plugin has no ") + what);
    }

private:
    Host host_;
    Value config_;
};

inline synod_instance* to_instance(PluginBase* base) noexcept { return reinterpret_cast<synod_instance*>(base); }

/// The object behind a handle; throws SYNOD_E_INVALID for NULL. Call inside guard().
template <class T> T& self(synod_instance* instance) {
    if (instance == nullptr) {
        throw Failure(SYNOD_E_INVALID, "NULL instance");
    }
    return static_cast<T&>(*reinterpret_cast<PluginBase*>(instance));
}

namespace detail {

inline Value read_config(synod_bytes json) {
    const std::string_view text(reinterpret_cast<const char*>(json.p), json.p == nullptr ? 0 : static_cast<size_t>(json.n));
    return parse_json(text.empty() ? std::string_view("{}") : text);
}

template <class T>
synod_status create(const synod_host* host, synod_bytes json, synod_instance** out, synod_error* error) noexcept {
    return guard(error, [&] {
        if (host == nullptr || out == nullptr) {
            throw Failure(SYNOD_E_INVALID, "create needs a host and a place for the instance");
        }
        *out = nullptr;
        auto object = std::make_unique<T>(Context{host, read_config(json)});
        static_cast<PluginBase&>(*object).prepare();
        *out = to_instance(object.release());
    });
}
inline synod_status activate(synod_instance* i, synod_error* error) noexcept {
    return guard(error, [&] { self<PluginBase>(i).activate(); });
}
inline synod_status drain(synod_instance* i, uint64_t deadline_ns, synod_error* error) noexcept {
    return guard(error, [&] { self<PluginBase>(i).drain(deadline_ns); });
}
inline synod_status deactivate(synod_instance* i, synod_error* error) noexcept {
    return guard(error, [&] { self<PluginBase>(i).deactivate(); });
}
inline void destroy(synod_instance* i) noexcept { delete reinterpret_cast<PluginBase*>(i); }
inline synod_status reconfigure(synod_instance* i, synod_bytes json, synod_error* error) noexcept {
    return guard(error, [&] {
        Value config = read_config(json);
        auto& base = self<PluginBase>(i);
        base.reconfigure(config);
        base.adopt_config(std::move(config));
    });
}
inline synod_status save(synod_instance* i, const synod_sink* sink, synod_error* error) noexcept {
    return guard(error, [&] {
        Sink out(sink);
        self<PluginBase>(i).save(out);
    });
}
inline synod_status load(synod_instance* i, const synod_source* source, uint32_t rev, synod_error* error) noexcept {
    return guard(error, [&] {
        Source in(source);
        self<PluginBase>(i).load(in, rev);
    });
}
inline void on_event(synod_instance* i, const synod_event* events, uint32_t n) noexcept {
    if (i == nullptr || events == nullptr) {
        return;
    }
    synod_error error{};
    error.size = sizeof(error);
    if (guard(&error, [&] { self<PluginBase>(i).on_event({events, n}); }) < 0) {
        reinterpret_cast<PluginBase*>(i)->log().error("event handler failed", {{"message", error.message}});
    }
}
inline const void* query(synod_instance* i, const char* id) noexcept {
    if (i == nullptr || id == nullptr) {
        return nullptr;
    }
    const auto* base = reinterpret_cast<const PluginBase*>(i);
    const void* found = base->table(id);
    return found != nullptr ? found : base->extension(id);
}

template <class T>
inline constexpr synod_plugin_api kPluginApi{
    sizeof(synod_plugin_api), 0,        &create<T>, &activate, &drain,    &deactivate,
    &destroy,                 &reconfigure, &save,      &load,     &on_event, &query};

} // namespace detail

inline constexpr size_t kMaxIds = 8; // ids in one of Metadata's lists

/// Everything the host may know before it runs the plugin. Only `id`, `name` and `version` have no default.
struct Metadata {
    const char* id;
    const char* name;
    const char* version;
    const char* vendor = "";
    const char* license = "";
    const char* url = "";
    uint32_t flags = 0;     ///< SYNOD_F_...
    uint32_t state_rev = 0; ///< raised when what save() writes changes its meaning
    const char* needs[kMaxIds + 1] = {};    ///< host services without which it can't run
    const char* optional[kMaxIds + 1] = {}; ///< host services that it uses when granted
    const char* provides[kMaxIds + 1] = {}; ///< what extension() answers; the kind is added
    const char* config_schema = R"({"type":"object","properties":{},"additionalProperties":false})";
};

namespace detail {

struct IdList {
    const char* ids[kMaxIds + 2];
};
constexpr IdList with_kind(const char* kind, const Metadata& meta) {
    IdList out{};
    out.ids[0] = kind;
    for (size_t i = 0; i < kMaxIds; ++i) {
        out.ids[i + 1] = meta.provides[i];
    }
    return out;
}

#if defined(__clang__)
inline constexpr const char* kBuiltWith = "clang " __clang_version__;
#else
inline constexpr const char* kBuiltWith = "gcc " __VERSION__
#ifdef __FAST_MATH__
    " -ffast-math"
#endif
    ;
#endif

/// Constant data for one plugin: `Def` has `type` (the class) and `meta`.
template <class Def> struct Emit {
    static_assert(Def::meta.needs[kMaxIds] == nullptr && Def::meta.optional[kMaxIds] == nullptr &&
                      Def::meta.provides[kMaxIds] == nullptr,
                  "a list of ids holds at most kMaxIds");
    static constexpr IdList provides = with_kind(Def::type::kKind, Def::meta);
    static constexpr synod_descriptor descriptor{sizeof(synod_descriptor),
                                                 Def::meta.flags,
                                                 Def::meta.state_rev,
                                                 0,
                                                 Def::meta.id,
                                                 Def::meta.name,
                                                 Def::meta.version,
                                                 Def::meta.vendor,
                                                 Def::meta.license,
                                                 Def::meta.url,
                                                 Def::type::kKind,
                                                 Def::meta.needs,
                                                 Def::meta.optional,
                                                 provides.ids,
                                                 Def::meta.config_schema,
                                                 &kPluginApi<typename Def::type>};
    static constexpr const synod_descriptor* list[1] = {&descriptor};
    static constexpr synod_entry entry{{'S', 'Y', 'N', 'O', 'D', 'P', 'L', 'G'},
                                       sizeof(synod_entry),
                                       SYNOD_ABI_MAJOR,
                                       0, // minor needed: nothing here uses what came after 1.0
                                       SYNOD_ABI_MINOR,
                                       kBuiltWith,
                                       list,
                                       1};
};

} // namespace detail
} // namespace synod

#define SYNOD_DETAIL_CAT2(a, b) a##b
#define SYNOD_DETAIL_CAT(a, b) SYNOD_DETAIL_CAT2(a, b)
#ifdef SYNOD_STATIC_NAME
#define SYNOD_DETAIL_ENTRY SYNOD_DETAIL_CAT(synod_entry_v1_, SYNOD_STATIC_NAME)
#else
#define SYNOD_DETAIL_ENTRY synod_entry_v1
#endif

/// SYNOD_PLUGIN(Class, {.id = "...", .name = "...", .version = "..."}) at namespace scope, once a library: emits the
/// entry symbol. Everything it makes is constant data; nothing runs when the library is mapped.
#define SYNOD_PLUGIN(Class, ...)                                                                            \
    namespace {                                                                                             \
    struct SynodPluginDefinition {                                                                          \
        using type = Class;                                                                                 \
        static constexpr ::synod::Metadata meta = __VA_ARGS__;                                              \
    };                                                                                                      \
    }                                                                                                       \
    extern "C" {                                                                                            \
    extern __attribute__((visibility("default"))) const synod_entry SYNOD_DETAIL_ENTRY;                     \
    constinit const synod_entry SYNOD_DETAIL_ENTRY = ::synod::detail::Emit<SynodPluginDefinition>::entry;   \
    }                                                                                                       \
    static_assert(true, "takes the semicolon")
