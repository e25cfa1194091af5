// SPDX-License-Identifier: Apache-2.0
#pragma once
//! The C++ layer of the plugin ABI: header-only, C++20, no dependency beyond the standard library. Derive from the
//! class of your kind, throw synod::Failure to fail, and end the file with SYNOD_PLUGIN. A consensus plugin derives from
//! PluginBase, includes <synod/consensus.h> as well and fills the C table itself.
#include <synod/checkpoint.hpp>
#include <synod/cpp/base.hpp>
#include <synod/optimizer.hpp>
#include <synod/scoring.hpp>
#include <synod/validation.hpp>
