#include <heed/model/team.hpp>

#if defined(__linux__)
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#endif

#include <array>
#include <atomic>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/thread_count.hpp"

namespace heed::team_test {

using testing::Allocations;
using testing::message;

TEST_CASE("A team runs each shard once and returns when all are done") {
  for (const Index threads : {1, 2, 3, 8}) {
    CAPTURE(threads);
    Team team(threads);
    CHECK(team.threads() == threads);
    for (int round = 0; round < 50; ++round) {
      for (Index shards = 1; shards <= threads; ++shards) {
        std::array<int, 8> calls{};
        team.run(shards, [&](Index shard) { ++calls[static_cast<std::size_t>(shard)]; });
        std::array<int, 8> expected{};
        std::fill_n(expected.begin(), shards, 1);
        REQUIRE(calls == expected);
      }
    }
  }
}

TEST_CASE("The calling thread works, and others with it") {
  Team team(2);
  std::array<std::thread::id, 2> ids;
  team.run(2,
           [&](Index shard) { ids[static_cast<std::size_t>(shard)] = std::this_thread::get_id(); });
  CHECK(ids[0] == std::this_thread::get_id());
  CHECK(ids[1] != ids[0]);
}

TEST_CASE("A shard sees what was written before the run, and the caller what the shards wrote") {
  Team team(3);
  std::array<long, 3> sums{};
  long round = 0;
  while (++round <= 1000) {
    team.run(3, [&](Index shard) { sums[static_cast<std::size_t>(shard)] += round; });
  }
  CHECK(sums == std::array<long, 3>{500'500, 500'500, 500'500});
}

TEST_CASE("A team of one makes no thread, a team of three makes two, for as long as it lives") {
  const int before = testing::thread_count();
  if (before == 0) return;
  Team one;
  one.run(1, [](Index) {});
  CHECK(testing::thread_count() == before);
  {
    Team three(3);
    three.run(3, [](Index) {});
    CHECK(testing::thread_count() == before + 2);
    three.run(1, [&](Index) { CHECK(testing::thread_count() == before + 2); });
  }
  CHECK(testing::thread_count() == before);
}

TEST_CASE("The error of the first shard that fails reaches the caller, after all are done") {
  Team team(4);
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> done = 0;
    const auto said = message<std::runtime_error>([&] {
      team.run(4, [&](Index shard) {
        if (shard == 1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        ++done;
        if (shard % 2 == 1) throw std::runtime_error("shard " + std::to_string(shard));
      });
    });
    CHECK(said == "shard 1");
    CHECK(done == 4);
  }
  CHECK(message<std::runtime_error>([&] {
          team.run(2, [](Index shard) {
            if (shard == 0) throw std::runtime_error("the caller's own");
          });
        }) == "the caller's own");
  CHECK(message<std::runtime_error>(
            [&] { Team(1).run(1, [](Index) { throw std::runtime_error("alone"); }); }) == "alone");
  int calls = 0;
  team.run(1, [&](Index) { ++calls; });
  team.run(4, [](Index) {});  // an error is reported once
  CHECK(calls == 1);
}

TEST_CASE("A run allocates nothing, on no thread") {
  if (!Allocations::are_counted()) return;
  Team team(2);
  std::array<double, 2> sums{};
  const std::array<double, 4> numbers{1, 2, 3, 4};
  const auto run = [&] {
    team.run(2, [&](Index shard) {
      const auto first = numbers.begin() + 2 * shard;
      sums[static_cast<std::size_t>(shard)] = std::accumulate(first, first + 2, 0.0);
    });
  };
  run();
  const Allocations everywhere(Allocations::Of::all_threads);
  for (int round = 0; round < 100; ++round) run();
  const std::size_t count = everywhere.count();
  CHECK(count == 0);
  CHECK(sums == std::array<double, 2>{3, 7});
}

TEST_CASE("A team that has moved works on") {
  Team team(2);
  Team moved = std::move(team);
  std::array<int, 2> calls{};
  moved.run(2, [&](Index shard) { ++calls[static_cast<std::size_t>(shard)]; });
  CHECK(calls == std::array<int, 2>{1, 1});
}

TEST_CASE("A number of threads that nobody means is refused") {
  CHECK(message<OptionError>([] { Team(0); }) == "expected threads from 1 to 1024, got 0");
  CHECK(message<OptionError>([] { Team(-2); }) == "expected threads from 1 to 1024, got -2");
  CHECK(message<OptionError>([] { Team(1025); }) == "expected threads from 1 to 1024, got 1025");
}

#if defined(__linux__)
TEST_CASE("A system that has no more threads to give is an error, and not the end") {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlim_t size = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
  // A sanitizer has the memory that is to be short here.
  if (std::uint64_t{size} > std::uint64_t{1} << 36) return;
  rlimit before{};
  getrlimit(RLIMIT_AS, &before);
  const rlimit tight{size + (rlim_t{300} << 20), before.rlim_max};
  std::string said;
  said.reserve(200);
  setrlimit(RLIMIT_AS, &tight);
  try {
    Team(1000);
  } catch (const Error& error) {
    said = error.what();
  }
  setrlimit(RLIMIT_AS, &before);
  CHECK(said.starts_with("cannot make 999 threads: "));
}
#endif

TEST_CASE("Parts of a whole follow each other and differ by one at most") {
  for (const Index size : {0, 1, 7, 12}) {
    for (const Index parts : {1, 2, 3, 5}) {
      Index next = 0;
      for (Index i = 0; i < parts; ++i) {
        const detail::Part part(size, parts, i);
        CHECK(part.first == next);
        CHECK((part.count == size / parts || part.count == size / parts + 1));
        next += part.count;
      }
      CHECK(next == size);
    }
  }
}

}  // namespace heed::team_test
