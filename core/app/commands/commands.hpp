// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The commands of `synod`. Each adds its subcommand with its options; the one that the user chose
//! puts what is to be run into `chosen`. Exit codes: 0 done, 1 the thing asked for failed, 2 usage or
//! manifest error, 3 time-out.

#include <functional>

#include "core/base/result.hpp"

namespace CLI {
class App;
}

namespace synod::app {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kTimeout = 3;

using Chosen = std::function<int()>;

//! Says an error on stderr, and gives its exit code: kUsage for a mistake in a manifest or genesis file, else kFailed.
int complain(const Error& error);

void add_run(CLI::App& app, Chosen& chosen);
void add_status(CLI::App& app, Chosen& chosen);
void add_control(CLI::App& app, Chosen& chosen);  //!< pause, resume, stop
void add_peers(CLI::App& app, Chosen& chosen);
void add_keygen(CLI::App& app, Chosen& chosen);
void add_plugin(CLI::App& app, Chosen& chosen);  //!< plugin list, plugin describe
void add_chain(CLI::App& app, Chosen& chosen);   //!< chain forge, chain verify
void add_auxpow(CLI::App& app, Chosen& chosen);  //!< auxpow check
void add_checkpoint(CLI::App& app, Chosen& chosen);  //!< checkpoint create, list, verify, recover
void add_governance(CLI::App& app, Chosen& chosen);  //!< governance propose, sign, submit, log, status
void add_evidence(CLI::App& app, Chosen& chosen);  //!< evidence list, evidence show
void add_emergency(CLI::App& app, Chosen& chosen);   //!< emergency status, enter, leave
void add_devnet(CLI::App& app, Chosen& chosen);
void add_bench(CLI::App& app, Chosen& chosen);

}  // namespace synod::app
