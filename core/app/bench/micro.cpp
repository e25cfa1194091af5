// SPDX-License-Identifier: Apache-2.0
#include "core/app/bench/micro.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>

namespace synod::app::bench {

namespace {

//! Takes the single runs; the library's own aggregates are not looked at.
class Collector final : public benchmark::BenchmarkReporter {
  public:
    explicit Collector(Count count) : count_(count) {}
    bool ReportContext(const Context& /*context*/) override { return true; }
    void ReportRuns(const std::vector<Run>& runs) override {
        for (const auto& run : runs) {
            if (run.run_type == Run::RT_Iteration && run.iterations > 0) {
                const auto all =
                    count_ == Count::kCpu ? run.cpu_accumulated_time : run.real_accumulated_time;
                seconds_[run.run_name.function_name].push_back(all /
                                                               static_cast<double>(run.iterations));
            }
        }
    }
    std::map<std::string, std::vector<double>> take() { return std::move(seconds_); }

  private:
    const Count count_;
    std::map<std::string, std::vector<double>> seconds_;
};

void set_up_library() {
    std::array<std::string, 2> words{"bench", "--benchmark_enable_random_interleaving=true"};
    std::array<char*, 3> arguments{words[0].data(), words[1].data(), nullptr};
    int count = static_cast<int>(words.size());
    benchmark::Initialize(&count, arguments.data());
}

}  // namespace

void keep(const void* value) { benchmark::DoNotOptimize(value); }

void Micro::add(std::string name, double operations, std::function<void()> piece) {
    pieces_.push_back({std::move(name), operations, std::move(piece)});
}

std::map<std::string, std::vector<double>> Micro::run(std::size_t runs) {
    set_up_library();
    for (const auto& piece : pieces_) {
        auto* one = benchmark::RegisterBenchmark(piece.name.c_str(), [&piece](benchmark::State& state) {
            for (auto _ : state) {
                piece.piece();
            }
        });
        one->MinTime(std::chrono::duration<double>(kMicroTime).count());
        one->Repetitions(static_cast<int>(runs));
        if (count_ == Count::kWall) {
            one->UseRealTime();
        }
    }
    Collector collector(count_);
    benchmark::RunSpecifiedBenchmarks(&collector, "all");
    benchmark::ClearRegisteredBenchmarks();
    auto out = collector.take();
    for (const auto& piece : pieces_) {
        for (auto& seconds : out[piece.name]) {
            seconds /= piece.operations;
        }
    }
    return out;
}

std::vector<double> per_second(const std::vector<double>& seconds) {
    std::vector<double> out(seconds.size());
    std::ranges::transform(seconds, out.begin(), [](double s) { return 1 / s; });
    return out;
}

}  // namespace synod::app::bench
