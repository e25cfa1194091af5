// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Figures as JSON for programs and as a table for people. Pure.
//!
//! The JSON is an array of objects that all have the keys name, value, unit, baseline,
//! baseline_value, ratio, floor, aim, runs and spread. Its first entry is the machine itself, in the same
//! shape: name "machine", value its number of cores; with `cpu`, `instruction_sets`, `compiler` and
//! `optimised`. A figure that isn't there has the value null, and its reason under `absent`, or under
//! `failed` when it should have worked. `judged` says what floor and aim are held against ("value" or
//! "ratio"), `better` whether "higher" or "lower" is, `meets_floor` and `meets_aim` how that came out.

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "core/app/bench/figure.hpp"
#include "core/app/bench/machine.hpp"

namespace synod::app::bench {

boost::json::array to_json(const Machine& machine, const std::vector<Figure>& figures);
//! With a line end behind every line.
std::string to_table(const Machine& machine, const std::vector<Figure>& figures);

}  // namespace synod::app::bench
