// SPDX-License-Identifier: Apache-2.0
#include "core/app/bench/statistics.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace synod::app::bench {

double median(std::vector<double> values) {
    assert(!values.empty());
    std::ranges::sort(values);
    const auto middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Sample sample(const std::vector<double>& values) {
    Sample out{median(values), 0, values.size()};
    if (out.median != 0) {
        const auto [smallest, largest] = std::ranges::minmax(values);
        out.spread = (largest - smallest) / out.median;
    }
    return out;
}

double percentile(std::vector<double> values, double percent) {
    assert(!values.empty() && percent > 0 && percent <= 100);
    std::ranges::sort(values);
    const auto rank = std::ceil(percent / 100 * static_cast<double>(values.size()));
    return values[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

}  // namespace synod::app::bench
