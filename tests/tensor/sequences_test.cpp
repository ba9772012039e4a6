#include <heed/tensor/sequences.hpp>

#include <array>
#include <list>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

namespace heed::sequences_test {

namespace {

using testing::message;
using testing::random_tensor;
using Counts = std::vector<std::uint8_t>;

/// Samples of 3, 0, 5 and 1 steps, each step (2, 2).
std::vector<Tensor<double>> tensors() {
  std::vector<Tensor<double>> result;
  for (const Index steps : {3, 0, 5, 1}) {
    result.push_back(random_tensor(Shape{steps, 2, 2}, static_cast<std::uint64_t>(steps)));
  }
  return result;
}

template <class Call>
std::string refused(const Call& call) {
  return message<ShapeError>(call);
}

}  // namespace

TEST_CASE("Sequences keep the samples that they are given, each with its own steps") {
  const auto given = tensors();
  const Sequences<double> made(given);
  Sequences<double> grown(Shape{2, 2});
  for (const auto& sequence : given) grown.push_back(sequence);
  CHECK(grown == made);
  CHECK(Sequences<double>{given[0], given[1], given[2], given[3]} == made);

  CHECK(made.step_shape() == Shape{2, 2});
  CHECK(made.samples() == 4);
  CHECK(made.total_steps() == 9);
  CHECK(made.longest() == 5);
  CHECK(made.shortest() == 0);
  CHECK(made.values().size() == 36);
  for (Index n = 0; n < made.samples(); ++n) {
    CAPTURE(n);
    CHECK(made.steps(n) == given[static_cast<std::size_t>(n)].dim(0));
    CHECK(made[n] == given[static_cast<std::size_t>(n)]);
  }
  Sequences<double> longer_first(Shape{});
  longer_first.push_back({1, 2, 3});
  longer_first.push_back({4, 5});
  CHECK(longer_first.longest() == 3);
  CHECK(longer_first.shortest() == 2);
}

TEST_CASE("Sequences without samples have the shape of a step and nothing else") {
  for (const auto& none : {Sequences<float>(), Sequences<float>(Shape{12}),
                           Sequences<float>(std::vector<Tensor<float>>{}),
                           Sequences<float>(std::vector<std::vector<int>>{})}) {
    CHECK(none.samples() == 0);
    CHECK(none.total_steps() == 0);
    CHECK(none.longest() == 0);
    CHECK(none.shortest() == 0);
    CHECK(none.values().empty());
  }
  CHECK(Sequences<float>(Shape{12}).step_shape() == Shape{12});
  CHECK(Sequences<float>().step_shape() == Shape{});
  Sequences<float> moved_from{{1, 2}};
  const Sequences<float> moved = std::move(moved_from);
  CHECK(moved.samples() == 1);
  CHECK(moved_from.samples() == 0);  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("Sequences of numbers come from lists of any kind") {
  const Sequences<float> words{{4, 17, 2}, {}, {9, 3}};
  CHECK(words.step_shape() == Shape{});
  CHECK(words.samples() == 3);
  CHECK(words[0] == Tensor<float, 1>{4, 17, 2});
  CHECK(words[1].shape() == Shape{0});
  CHECK(words[2] == Tensor<float, 1>{9, 3});
  CHECK(Sequences<float>(std::vector<std::vector<int>>{{4, 17, 2}, {}, {9, 3}}) == words);
  CHECK(Sequences<float>(std::list<std::vector<std::uint64_t>>{{4, 17, 2}, {}, {9, 3}}) == words);
  CHECK(Sequences<float>(std::vector<std::vector<double>>{{4, 17, 2}, {}, {9, 3}}) == words);
  CHECK(Sequences<float>(std::array<std::list<unsigned char>, 3>{{{4, 17, 2}, {}, {9, 3}}}) ==
        words);
  CHECK(Sequences<float>{Tensor<float, 1>{4, 17, 2}, Tensor<float, 1>(Shape{0}),
                         Tensor<float, 1>{9, 3}} == words);
  CHECK(Sequences<float>(std::vector{Tensor<float, 1>{4, 17, 2}}) == words.part(0, 1));
  CHECK(Sequences<float>(std::vector<std::vector<bool>>{{true, false}}) ==
        Sequences<float>{{1, 0}});
  Sequences<float> grown;
  grown.push_back({4, 17, 2});
  grown.push_back({});
  grown.push_back(std::vector<short>{9, 3});
  CHECK(grown == words);
  static_assert(!std::is_constructible_v<Sequences<float>, std::vector<std::string>>);
}

TEST_CASE("a sample can be added to the sequences that it is a sample of") {
  Sequences<double> all(tensors());
  const auto first = Tensor<double>(all[0]);
  for (int i = 0; i < 100; ++i) all.push_back(all[0]);
  for (Index n = 4; n < all.samples(); ++n) CHECK(all[n] == first);
}

TEST_CASE("a part of sequences is a copy of some of them") {
  const Sequences<double> all(tensors());
  const auto part = all.part(1, 2);
  CHECK(part.step_shape() == Shape{2, 2});
  CHECK(part.samples() == 2);
  CHECK(part[0].shape() == Shape{0, 2, 2});
  CHECK(part[1] == all[2]);
  CHECK(all.part(0, 4) == all);
  CHECK(all.part(4, 0) == Sequences<double>(Shape{2, 2}));
  const std::string start = "Sequences: expected a part of 4 samples, got ";
  CHECK(refused([&] { all.part(1, 4); }) == start + "4 from sample 1 on");
  CHECK(refused([&] { all.part(-1, 2); }) == start + "2 from sample -1 on");
  CHECK(refused([&] { all.part(1, -1); }) == start + "-1 from sample 1 on");
  CHECK(refused([&] { all.part(5, 0); }) == start + "0 from sample 5 on");
  constexpr Index most = std::numeric_limits<Index>::max();
  CHECK_THROWS_AS(all.part(most, most), ShapeError);
}

TEST_CASE("padded samples have zeros after their steps, and what counts") {
  const Sequences<double> words{{1, 2, 3}, {}, {4}};
  Tensor<double> x;
  Counts counts;
  const std::array<Index, 4> rows{2, 0, 1, 2};
  words.pad(rows, 4, x, counts);
  CHECK(x == Tensor<double, 2>{{4, 0, 0, 0}, {1, 2, 3, 0}, {0, 0, 0, 0}, {4, 0, 0, 0}});
  CHECK(counts == Counts{1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0});

  // What a batch before has left does not show.
  x.array().setConstant(7);
  std::fill(counts.begin(), counts.end(), std::uint8_t{7});
  words.pad(std::span(rows).subspan(1, 2), 3, x, counts);
  CHECK(x == Tensor<double, 2>{{1, 2, 3}, {0, 0, 0}});
  CHECK(counts == Counts{1, 1, 1, 0, 0, 0});

  words.pad({}, 3, x, counts);
  CHECK(x.shape() == Shape{0, 3});
  CHECK(counts.empty());
  words.pad(std::span(rows).subspan(2, 1), 0, x, counts);
  CHECK(x.shape() == Shape{1, 0});
}

TEST_CASE("padded samples keep the shape of their steps") {
  const auto given = tensors();
  const Sequences<double> all(given);
  Tensor<double> x;
  Counts counts;
  const std::array<Index, 4> rows{0, 1, 2, 3};
  all.pad(rows, 6, x, counts);
  REQUIRE(x.shape() == Shape{4, 6, 2, 2});
  for (const Index n : rows) {
    for (Index t = 0; t < 6; ++t) {
      CAPTURE(n, t);
      const bool counted = t < all.steps(n);
      CHECK(counts[static_cast<std::size_t>(n * 6 + t)] == counted);
      const auto step = x.sample(n).sample(t);
      if (counted) {
        CHECK(step == given[static_cast<std::size_t>(n)].sample(t));
      } else {
        CHECK(step == Tensor<double>(Shape{2, 2}));
      }
    }
  }
  Sequences<double> empty_steps(Shape{0});
  empty_steps.push_back(Tensor<double>(Shape{3, 0}));
  CHECK(empty_steps.steps(0) == 3);
  empty_steps.pad(std::span(rows).first(1), 4, x, counts);
  CHECK(x.shape() == Shape{1, 4, 0});
  CHECK(counts == Counts{1, 1, 1, 0});
}

TEST_CASE("padding allocates nothing once a batch of that size was padded") {
  const Sequences<double> all(tensors());
  Tensor<double> x;
  Counts counts;
  const std::array<Index, 4> rows{3, 1, 2, 0};
  all.pad(rows, 5, x, counts);
  const testing::Allocations allocations;
  all.pad(rows, 5, x, counts);
  all.pad(std::span(rows).first(2), 3, x, counts);
  CHECK(allocations.count() == 0);
}

TEST_CASE("what does not fit into sequences is refused, and they stay as they were") {
  Sequences<float> series(Shape{12});
  series.push_back(Tensor<float>(Shape{3, 12}));
  const auto before = series;
  const std::string expected = "Sequences: expected a sequence of (any, 12), got ";
  const std::string advice = "; Sequences(Shape{…}) says the shape of a step";
  CHECK(refused([&] {
          series.push_back(Tensor<float>(Shape{3, 11}));
        }) == expected + "(3, 11)" + advice);
  CHECK(refused([&] { series.push_back(Tensor<float>(Shape{12})); }) == expected + "(12)" + advice);
  CHECK(refused([&] {
          series.push_back(Tensor<float>(Shape{2, 3, 12}));
        }) == expected + "(2, 3, 12)" + advice);
  CHECK(refused([&] { series.push_back(Tensor<float>()); }) == expected + "()" + advice);
  CHECK(refused([&] { series.push_back(View<const float>()); }) == expected + "()" + advice);
  CHECK(refused([&] { series.push_back({1, 2}); }) == expected + "a list of numbers");
  CHECK(series == before);
  CHECK(refused([] { Sequences<float>().push_back(Tensor<float>()); }) ==
        "Sequences: expected a sequence of (any), got ()" + advice);
  CHECK(refused([] {
          Sequences<float>{Tensor<float>(), Tensor<float>()};
        }) == "Sequences: expected a sequence of (any), got ()" + advice);
  CHECK(refused([] {
          Sequences<float>(Shape{any, 2});
        }) == "Sequences: expected steps of a known shape, got (any, 2)");
  CHECK(refused([] {
          Sequences<float>(Shape{1, 2, 3, 4, 5});
        }) == "Sequences: a step has at most 4 axes, got (1, 2, 3, 4, 5)");
  CHECK(Sequences<float>(Shape{1, 2, 3, 4}).samples() == 0);
}

TEST_CASE("whole numbers that the scalar does not have are refused") {
  Sequences<float> words{{1}};
  const auto add = [&](std::int64_t word) {
    return message<DataError>([&] { words.push_back(std::vector{std::int64_t{5}, word}); });
  };
  const std::string start = "Sequences: sample 1 has ";
  const std::string end = ", but its numbers are exact only up to 16777216";
  CHECK(add(16777217) == start + "16777217" + end);
  CHECK(add(-16777217) == start + "-16777217" + end);
  CHECK(words == Sequences<float>{{1}});
  CHECK(message<DataError>([&] { words.push_back(std::vector{~std::uint64_t{0}}); }) ==
        start + "18446744073709551615" + end);
  words.push_back(std::vector<std::int64_t>{16777216, -16777216});
  CHECK(words[1] == Tensor<float, 1>{16777216, -16777216});
  CHECK(Sequences<double>(std::vector<std::vector<int>>{{16777217}}) ==
        Sequences<double>{{16777217}});
}

TEST_CASE("samples that are not there, or are too long, are not padded") {
  const Sequences<float> words{{1, 2}, {3}};
  Tensor<float> x(Shape{1});
  Counts counts{7};
  const auto pad = [&](std::array<Index, 2> rows, Index length) {
    return refused([&] { words.pad(rows, length, x, counts); });
  };
  CHECK(pad({1, 0}, 1) == "Sequences: sample 0 has 2 steps, which do not fit in 1");
  CHECK(pad({0, 2}, 2) == "Sequences: expected a sample below 2, got 2");
  CHECK(pad({0, -1}, 2) == "Sequences: expected a sample below 2, got -1");
  CHECK(refused([&] { words.pad({}, any, x, counts); }) ==
        "Sequences: expected 0 steps or more, got -1");
  CHECK(x.shape() == Shape{1});
  CHECK(counts == Counts{7});
}

}  // namespace heed::sequences_test
