// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/worker_pool.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>

using namespace synod::pipeline;

TEST_CASE("strand.runs_in_order_and_never_two_at_once") {
    std::vector<int> order;
    std::atomic<int> inside{0};
    std::atomic<bool> overlapped{false};
    {
        WorkerPool pool(4);
        auto strand = Strand::make(pool);
        for (int i = 0; i < 2'000; ++i) {
            strand->post([&, i] {
                overlapped = overlapped || inside.fetch_add(1) != 0;
                order.push_back(i);
                inside.fetch_sub(1);
            });
        }
    }
    REQUIRE(order.size() == 2'000);
    CHECK(std::is_sorted(order.begin(), order.end()));
    CHECK(!overlapped);
}

TEST_CASE("strand.what_a_task_held_is_gone_before_the_next_runs") {
    WorkerPool pool(2);
    auto strand = Strand::make(pool);
    std::atomic<bool> gone{false};
    strand->post([held = std::shared_ptr<void>(nullptr, [&](void*) {
                      std::this_thread::sleep_for(std::chrono::milliseconds(50));  // time for the other worker
                      gone = true;
                  })] {});
    strand->post_and_wait([] {});
    CHECK(gone);
}

TEST_CASE("pool.parallel_calls_each_index_once_even_from_inside_a_worker") {
    WorkerPool pool(2);
    std::vector<std::atomic<int>> counts(1'000);
    std::promise<void> done;
    pool.post([&] {
        pool.parallel(1'000, [&](std::uint32_t i) { counts[i].fetch_add(1); });
        done.set_value();
    });
    done.get_future().wait();
    for (const auto& count : counts) {
        REQUIRE(count.load() == 1);
    }
    pool.parallel(0, [&](std::uint32_t) { counts[0].fetch_add(1); });
    CHECK(counts[0].load() == 1);
}

TEST_CASE("pool.nested_fork_joins_on_every_worker_finish") {
    WorkerPool pool(2);
    std::atomic<int> sum{0};
    pool.parallel(8, [&](std::uint32_t) {
        pool.parallel(8, [&](std::uint32_t) { sum.fetch_add(1); });
    });
    CHECK(sum.load() == 64);
}
