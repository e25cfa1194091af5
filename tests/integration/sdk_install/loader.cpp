// SPDX-License-Identifier: Apache-2.0
//! Loads the scoring plugin at argv[1], scores two peers with it, and exits with 0 when that worked. Uses the SDK's
//! headers alone.
#include <synod/plugin.hpp>
#include <synod/testing.hpp>

#include <cstdio>
#include <string>

namespace {
int fail(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    return 1;
}
} // namespace

int main(int argc, char** argv) {
    using namespace synod::testing;
    if (argc != 2) {
        return fail("give the path of a plugin");
    }
    std::string why;
    const synod_entry* entry = open_entry(argv[1], &why);
    if (entry == nullptr) {
        return fail(why);
    }
    FakeHost host;
    Driver plugin(*entry, host);
    if (plugin.activate() != SYNOD_OK) {
        return fail(plugin.error().message);
    }
    const auto* scoring = plugin.table<synod_scoring_api>(SYNOD_KIND_SCORING);
    if (scoring == nullptr || scoring->n_columns == 0 || scoring->columns[0] != SYNOD_COL_LATENCY_US) {
        return fail("not the scoring plugin that was expected");
    }
    ScoreTable table(static_cast<size_t>(scoring->n_columns), 2);
    table.at(0, 0) = 20'000; // microseconds
    table.at(0, 1) = 900'000;
    int64_t scores[2] = {};
    if (scoring->score(plugin.instance(), SYNOD_NEED_BLOCKS, table.columns(), 2, scores, plugin.fresh()) != SYNOD_OK) {
        return fail(plugin.error().message);
    }
    return scores[0] > scores[1] ? 0 : fail("the quicker peer didn't score higher");
}
