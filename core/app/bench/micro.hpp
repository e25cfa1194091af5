// SPDX-License-Identifier: Apache-2.0
#pragma once
//! Times small pieces of code with Google Benchmark, the runs of all pieces in random order, so that
//! what disturbs the machine for a moment disturbs no one piece alone. One at a time in a process, since
//! that library's list of benchmarks is global; the pieces do their work on the thread that calls run().

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace synod::app::bench {

//! What one run of one piece takes at least; the library finds the number of iterations.
inline constexpr std::chrono::milliseconds kMicroTime{50};

//! What is counted: the thread's own processor time, which other programs on the machine don't lengthen,
//! or the time on the wall, for pieces that also wait.
enum class Count : std::uint8_t { kCpu, kWall };

//! Keeps the compiler from leaving out what `value` comes from.
void keep(const void* value);

class Micro {
  public:
    explicit Micro(Count count = Count::kCpu) : count_(count) {}
    //! `piece` does its operation `operations` times. Names differ.
    void add(std::string name, double operations, std::function<void()> piece);
    //! Seconds an operation, `runs` values a piece, by name.
    std::map<std::string, std::vector<double>> run(std::size_t runs);

  private:
    struct Piece {
        std::string name;
        double operations = 1;
        std::function<void()> piece;
    };
    const Count count_;
    std::vector<Piece> pieces_;
};

//! 1/x of each: seconds an operation as operations a second.
std::vector<double> per_second(const std::vector<double>& seconds);

}  // namespace synod::app::bench
