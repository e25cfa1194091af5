// SPDX-License-Identifier: Apache-2.0
#pragma once
//! `synod bench`: measures the families of figures that were asked for, one after the other. Main
//! thread. It writes only below a temporary folder, which goes when it ends.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/app/bench/figure.hpp"
#include "core/host/manifest/manifest.hpp"

namespace synod::app::bench {

inline constexpr std::size_t kLeastRuns = 5;
inline constexpr std::size_t kMostRuns = 1'000;

struct Options {
    std::vector<std::string> families;  //!< names of kFamilies
    std::size_t runs = kLeastRuns;
    std::uint64_t blocks = 0;           //!< 0: each family's own default
    std::string backend{host::kDefaultBackend};  //!< validation plugin of verify, pipeline and the nodes
    std::string isa;                    //!< its instruction set; empty: its own choice
    std::filesystem::path dir;          //!< where the temporary folder is made; empty: the system's
};

//! Every figure of the families, in the catalogue's order; what went wrong is in them. Progress goes to
//! standard error. Errors: bench.folder.
Result<std::vector<Figure>> measure(const Options& options);

}  // namespace synod::app::bench
