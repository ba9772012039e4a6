#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <heed/io/checkpoint.hpp>
#include <thread>

#include "support/catch.hpp"
#include "support/fsync.hpp"
#include "support/temporary_folder.hpp"
#include "support/trainings.hpp"

// A process that trains is killed at any moment, and another goes on from its checkpoint.

namespace heed::checkpoint_kill_test {

using testing::TemporaryFolder;
using testing::Training;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

namespace {

/// A number that a process leaves behind: the steps that its last checkpoint to be written has.
class SharedSteps {
 public:
  SharedSteps()
      : steps_(static_cast<volatile Index*>(mmap(nullptr, sizeof(Index), PROT_READ | PROT_WRITE,
                                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~SharedSteps() { munmap(const_cast<Index*>(steps_), sizeof(Index)); }
  SharedSteps(const SharedSteps&) = delete;
  SharedSteps& operator=(const SharedSteps&) = delete;
  volatile Index& operator*() const { return *steps_; }

 private:
  volatile Index* steps_;
};

/// One training, run by one process after the other.
template <class S>
class Relay {
 public:
  Relay(Index threads, Checkpoint checkpoint)
      : options_(training_.options(threads)), checkpoint_(std::move(checkpoint)) {
    checkpoint_.path = folder_ / "run";
    end_ = fit(whole_, options_);
  }

  /// How long it takes without a kill, with its checkpoints.
  double seconds() {
    const auto begin = Clock::now();
    run();
    fs::remove(checkpoint_.path);
    *kept_ = 0;
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }

  /// A process of its own that trains from where the last one was, with what `kill` sets up to kill it.
  /// Returns whether it came to the end: to the same end as a training that was not killed.
  template <class InChild, class InParent>
  bool run_process(const InChild& in_child, const InParent& in_parent) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      in_child();
      _exit(run() ? 0 : 1);
    }
    in_parent(child);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status)) {
      CHECK(WEXITSTATUS(status) == 0);
      return true;
    }
    CHECK(WTERMSIG(status) == SIGKILL);
    check_nothing_lost();
    return false;
  }

  Index kills_in_saves() const { return kills_in_saves_; }

 private:
  History fit(Model<S>& model, const FitOptions<S>& options) const {
    return model.fit(training_.x, training_.y, options);
  }

  bool run() const {
    auto options = options_;
    options.resume_from = checkpoint_.path;
    const auto keep = [this](TrainingState<S>&) {
      if (fs::exists(checkpoint_.path))
        *kept_ = static_cast<Index>(load_checkpoint<S>(checkpoint_.path).optimizer.steps);
    };
    options.callbacks.push_back(checkpoint_);
    options.callbacks.push_back({.on_batch_end = keep, .on_epoch_end = keep, .runs_last = true});
    auto model = training_.model();
    const auto history = fit(model, options);
    return model.weights() == whole_.weights() && history == end_;
  }

  void check_nothing_lost() {
    const auto names = folder_.names();
    CHECK(names.size() <= 2);
    kills_in_saves_ += !names.empty() && names.front().ends_with(".tmp") ? 1 : 0;
    std::int64_t steps = 0;
    if (fs::exists(checkpoint_.path)) {
      CHECK_NOTHROW(steps = load_checkpoint<S>(checkpoint_.path).optimizer.steps);
    }
    CHECK(steps >= *kept_);
  }

  TemporaryFolder folder_;
  Training<S> training_;
  FitOptions<S> options_;
  Checkpoint checkpoint_;
  Model<S> whole_ = Training<S>::model();
  History end_;
  SharedSteps kept_;
  Index kills_in_saves_ = 0;
};

/// Kills processes at moments that are drawn, until so many were killed before they came to an end.
template <class S>
Index kill_at_random(Index kills, Index threads, const Checkpoint& checkpoint) {
  Random random(static_cast<std::uint64_t>(kills));
  Index in_saves = 0;
  while (kills > 0) {
    Relay<S> relay(threads, checkpoint);
    const double longest = relay.seconds() / 3;
    bool is_done = false;
    while (!is_done) {
      // When there have been enough, the last process comes to the end.
      const std::chrono::duration<double> delay(kills > 0 ? random.uniform(0, longest) : 60);
      is_done = relay.run_process([] {},
                                  [&](pid_t child) {
                                    const auto end = Clock::now() + delay;
                                    siginfo_t info{};
                                    do {
                                      std::this_thread::sleep_for(std::chrono::microseconds(100));
                                      info.si_pid = 0;
                                      waitid(P_PID, static_cast<id_t>(child), &info,
                                             WEXITED | WNOHANG | WNOWAIT);
                                    } while (info.si_pid == 0 && Clock::now() < end);
                                    kill(child, SIGKILL);
                                  });
      if (!is_done) --kills;
    }
    in_saves += relay.kills_in_saves();
  }
  return in_saves;
}

}  // namespace

TEST_CASE("Killed at 100 random moments, trainings come to the bits of those that were not") {
  Index in_saves = 0;
  in_saves += kill_at_random<double>(35, 1, {.path = "", .every_steps = 1});
  in_saves += kill_at_random<float>(35, 2, {.path = "", .every_steps = 1});
  in_saves += kill_at_random<float>(15, 1, {.path = "", .every_steps = 2});
  in_saves += kill_at_random<double>(15, 2, {.path = ""});
  WARN("100 kills, " << in_saves << " of them while a checkpoint was written");
  CHECK(in_saves > 0);
}

#ifdef __linux__

TEST_CASE(
    "Killed in each of its saves, before and behind the rename, a training comes to its end") {
  for (const int survives : {1, 2, 3}) {
    CAPTURE(survives);
    Relay<float> relay(1, {.path = "", .every_steps = 1});
    Index kills = 0;
    const auto kill_in_save = [&] {
      testing::on_fsync = [left = survives](bool) mutable {
        return left-- > 0 ? 0 : raise(SIGKILL);
      };
    };
    while (!relay.run_process(kill_in_save, [](pid_t) {}) && kills < 100) ++kills;
    CAPTURE(kills);
    CHECK(kills > 5);
    CHECK(kills < 100);
  }
}

#endif

}  // namespace heed::checkpoint_kill_test
