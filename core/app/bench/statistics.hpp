// SPDX-License-Identifier: Apache-2.0
#pragma once
//! What is said of repeated measurements. Pure.

#include <cstddef>
#include <vector>

namespace synod::app::bench {

//! Several runs of one thing.
struct Sample {
    double median = 0;
    double spread = 0;  //!< (largest - smallest) / median; 0 for one run, or when the median is 0
    std::size_t runs = 0;
};

//! The middle value; of an even number the mean of the two middle ones. Precondition: not empty.
double median(std::vector<double> values);
//! Precondition: not empty.
Sample sample(const std::vector<double>& values);
//! The smallest value that at least `percent` % of them don't exceed. Preconditions: not empty,
//! 0 < percent <= 100.
double percentile(std::vector<double> values, double percent);

}  // namespace synod::app::bench
