// SPDX-License-Identifier: Apache-2.0
//! The only file that includes Boost.DLL: its types depend on BOOST_DLL_USE_STD_FS, and its
//! overloads with an error_code lose dlerror's text, so the throwing ones are used and caught here.

#define BOOST_DLL_USE_STD_FS
#include <clocale>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/dll/shared_library.hpp>
#include <xmmintrin.h>

#include <cstring>

#include "core/host/loader.hpp"

namespace synod::host {
namespace {

//! Libraries stay mapped for ever: vtables, thread-locals and messages of theirs may outlive any owner.
std::vector<boost::dll::shared_library>& mapped() {
    static auto* libraries = new std::vector<boost::dll::shared_library>;
    return *libraries;
}

//! A plugin linked with -ffast-math turns on flush-to-zero for the thread that loads it (GCC < 13).
class Hygiene {
  public:
    Hygiene() : mode_(_mm_getcsr()), locale_(std::setlocale(LC_ALL, nullptr)) {}
    ~Hygiene() {
        _mm_setcsr(mode_);
        std::setlocale(LC_ALL, locale_.c_str());
    }
    Hygiene(const Hygiene&) = delete;
    Hygiene& operator=(const Hygiene&) = delete;

  private:
    unsigned mode_;
    std::string locale_;
};

}  // namespace

Result<const synod_entry*> load_library(const std::filesystem::path& file) {
    if (auto checked = precheck_library(file); !checked) {
        return std::unexpected(checked.error());
    }
    const Hygiene hygiene;
    try {
        const auto path = std::filesystem::canonical(file);
        if (auto probed = probe_library(path); !probed) {
            return std::unexpected(probed.error());
        }
        boost::dll::shared_library library(
            path, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
        const auto* entry = &library.get<const synod_entry>(SYNOD_ENTRY_SYMBOL);
        mapped().push_back(std::move(library));
        return entry;
    } catch (const std::exception& error) {
        return fail("plugin.load", std::string("the library can't be loaded: ") + error.what(),
                    file.string(), "are the libraries that it needs installed?");
    } catch (...) {
        return fail("plugin.load", "loading the library threw something", file.string());
    }
}

Result<void> check_entry(const synod_entry* entry, const std::string& file) {
    const std::string host = std::to_string(SYNOD_ABI_MAJOR) + "." + std::to_string(SYNOD_ABI_MINOR);
    if (entry == nullptr || std::memcmp(entry->magic, SYNOD_ENTRY_MAGIC, 8) != 0) {
        return fail("plugin.abi", SYNOD_ENTRY_SYMBOL " doesn't begin with " SYNOD_ENTRY_MAGIC, file,
                    "rebuild the plugin with SYNOD_PLUGIN");
    }
    if (entry->abi_major != SYNOD_ABI_MAJOR) {
        const bool newer = entry->abi_major > SYNOD_ABI_MAJOR;
        return fail("plugin.abi", "the plugin was built for ABI major " +
                    std::to_string(entry->abi_major) + ", which is " + (newer ? "newer" : "older") +
                    " than this node's " + host, file,
                    newer ? "update the node, or build the plugin with this node's SDK"
                          : "build the plugin again with this node's SDK");
    }
    if (entry->abi_minor_needed > SYNOD_ABI_MINOR) {
        return fail("plugin.abi", "the plugin needs ABI " + std::to_string(SYNOD_ABI_MAJOR) + "." +
                    std::to_string(entry->abi_minor_needed) + ", this node has " + host, file,
                    "update the node");
    }
    if (entry->size < sizeof(synod_entry) || entry->plugins == nullptr || entry->n_plugins == 0 ||
        entry->n_plugins > 16) {
        return fail("plugin.abi", "the plugin's entry has an impossible size or count", file,
                    "rebuild the plugin with SYNOD_PLUGIN");
    }
    return {};
}

}  // namespace synod::host
